/**
 * `orbitmq send`: one message, the same one many times, or one per line of stdin. Stops at the first that is
 * not acknowledged and says how many were.
 */
import { type Message, OrbitError, Producer, type SendResult } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { clientOptions } from "../client/with-admin.ts";
import { lines, wholeInput } from "./stdin.ts";

export interface SendFlags extends ClientFlags {
  readonly lines?: boolean;
  readonly tag?: string;
  readonly key: readonly string[];
  readonly property: readonly string[];
  readonly count: number;
  readonly rate?: number;
}

/** Messages on their way at the same time. */
const WINDOW = 64;

export async function send(
  topic: string,
  body: string | undefined,
  flags: SendFlags,
  terminal: Terminal,
): Promise<number> {
  const attributes = {
    topic,
    tag: flags.tag,
    keys: flags.key.length > 0 ? flags.key : undefined,
    properties: Object.fromEntries(flags.property.map(property)),
  };
  const bodies = await contents(body, flags, terminal);
  const stop = new AbortController();
  terminal.onStopSignal(() => stop.abort());
  const producer = new Producer({ ...clientOptions(flags, terminal), group: "ORBITMQ_CLI" });
  let acknowledged = 0;
  let failure: unknown;
  const inFlight = new Set<Promise<void>>();
  try {
    await producer.start();
    const due = pace(flags.rate);
    for await (const content of bodies) {
      await due(stop.signal);
      while (inFlight.size >= WINDOW) await Promise.race(inFlight);
      if (failure !== undefined || stop.signal.aborted) break;
      const message: Message = { ...attributes, body: content };
      const sending = producer.send(message).then(
        async (result) => {
          acknowledged++;
          await terminal.out(receipt(result, flags.json === true));
        },
        (error: unknown) => {
          failure ??= error;
        },
      );
      inFlight.add(sending);
      void sending.finally(() => inFlight.delete(sending));
    }
    await Promise.all(inFlight);
  } finally {
    await producer.shutdown();
  }
  if (failure !== undefined) {
    if (acknowledged > 0)
      terminal.err(`orbitmq: ${acknowledged} acknowledged before the first that was not\n`);
    throw failure;
  }
  if (stop.signal.aborted)
    throw new OrbitError("ABORTED", `stopped by a signal after ${acknowledged} acknowledged messages`);
  return 0;
}

function property(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new ServerError("USAGE", `--property ${text}: expected name=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

type Bodies = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

async function contents(body: string | undefined, flags: SendFlags, terminal: Terminal): Promise<Bodies> {
  if (flags.lines === true) {
    if (body !== undefined && body !== "-")
      throw new ServerError("USAGE", "--lines reads the bodies from stdin; leave BODY out");
    if (flags.count !== 1) throw new ServerError("USAGE", "--lines and --count exclude each other");
    return lines(terminal.readStdin());
  }
  if (body === undefined && terminal.stdinIsTerminal)
    throw new ServerError("USAGE", "send needs a BODY, or - to read it from stdin");
  const content = body === undefined || body === "-" ? await wholeInput(terminal.readStdin()) : body;
  if (content.length === 0)
    throw new ServerError("USAGE", "the body is empty; a message needs at least one byte");
  return repeat(content, flags.count);
}

function* repeat(content: string | Uint8Array, count: number): Generator<string | Uint8Array> {
  for (let i = 0; i < count; i++) yield content;
}

/** Resolves when the next message is due, `rate` a second from the first on. */
function pace(rate: number | undefined): (signal: AbortSignal) => Promise<void> {
  let next = performance.now();
  return (signal) => {
    if (rate === undefined) return Promise.resolve();
    const waitMs = next - performance.now();
    next = Math.max(next, performance.now() - 1_000) + 1_000 / rate;
    if (waitMs <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  };
}

function receipt(result: SendResult, asJson: boolean): string {
  if (asJson) return `${JSON.stringify(result)}\n`;
  const { status, queue, queueOffset, msgId, durability } = result;
  const where = `${queue.topic} ${queue.brokerName}:${queue.queueId} offset ${queueOffset}`;
  return `${status} ${where} ${msgId}${durability === undefined ? "" : ` (${durability})`}\n`;
}
