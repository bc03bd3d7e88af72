/**
 * `orbitmq consume`: prints messages. Without a group it only looks (joins nothing, commits nothing); with one it
 * takes part, and says so, because what it prints is then consumed.
 */
import { type ConsumeFrom, PushConsumer, Reader, type ReceivedMessage } from "@orbitmq/client";
import { ServerError, serverErrors } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { clientOptions } from "../client/with-admin.ts";

export interface ConsumeFlags extends ClientFlags {
  readonly group?: string;
  readonly tag: string;
  readonly from: string;
  readonly count?: number;
  readonly timeout?: number;
}

export async function consume(topic: string, flags: ConsumeFlags, terminal: Terminal): Promise<number> {
  const from = startingPoint(flags.from);
  const end = new AbortController();
  let timedOut = false;
  const timer =
    flags.timeout === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end.abort();
        }, flags.timeout);
  terminal.onStopSignal(() => end.abort());
  terminal.readerGone.addEventListener("abort", () => end.abort());
  let printed = 0;
  /** Whether the message was wanted; ends the command with the last one. */
  const print = async (message: ReceivedMessage): Promise<boolean> => {
    if (end.signal.aborted || (flags.count !== undefined && printed >= flags.count)) return false;
    printed++;
    await terminal.out(flags.json === true ? jsonLine(message) : `${message.text()}\n`);
    if (printed === flags.count) end.abort();
    return true;
  };
  try {
    await (flags.group === undefined
      ? look(topic, { flags, from, signal: end.signal, print, terminal })
      : takePart(topic, flags.group, { flags, from, signal: end.signal, print, terminal }));
  } finally {
    clearTimeout(timer);
  }
  if (!timedOut || flags.count === undefined || printed >= flags.count) return 0;
  terminal.err(`orbitmq: ${printed} of ${flags.count} messages arrived before --timeout\n`);
  return serverErrors.TIMED_OUT[0];
}

interface Consuming {
  readonly flags: ConsumeFlags;
  readonly from: ConsumeFrom;
  readonly signal: AbortSignal;
  readonly print: (message: ReceivedMessage) => Promise<boolean>;
  readonly terminal: Terminal;
}

async function look(topic: string, { flags, from, signal, print, terminal }: Consuming): Promise<void> {
  const reader = new Reader(clientOptions(flags, terminal));
  try {
    await reader.start();
    if (from === "last" && terminal.isInteractive)
      terminal.err(`waiting for new messages of ${topic}; --from first shows those that are there\n`);
    for await (const message of reader.read(topic, { from, tags: flags.tag, signal })) await print(message);
  } finally {
    await reader.shutdown();
  }
}

async function takePart(
  topic: string,
  group: string,
  { flags, from, signal, print, terminal }: Consuming,
): Promise<void> {
  const consumer = new PushConsumer({ ...clientOptions(flags, terminal), group, from, concurrency: 1 });
  consumer.listen(
    topic,
    async (message) => {
      const wanted = await print(message);
      // At once, lest the listener runs for messages that nobody wants and that would go back to the broker.
      if (signal.aborted) void consumer.shutdown();
      return wanted ? "CONSUME_SUCCESS" : "RECONSUME_LATER";
    },
    {
      tags: flags.tag,
    },
  );
  try {
    await consumer.start();
    terminal.err(`taking part in group ${group}: messages printed here are consumed for it\n`);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  } finally {
    await consumer.shutdown();
  }
}

/** `first`, `last`, an ISO time, yyyyMMddHHmmss as RocketMQ (UTC here), or milliseconds since 1970. */
export function startingPoint(text: string): ConsumeFrom {
  if (text === "first" || text === "last") return text;
  const compact = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  const date =
    compact !== null
      ? new Date(`${compact.slice(1, 4).join("-")}T${compact.slice(4).join(":")}Z`)
      : new Date(/^\d{10,13}$/.test(text) ? Number(text) : text);
  if (Number.isNaN(date.getTime()))
    throw new ServerError(
      "USAGE",
      `--from ${text}: expected first, last, or a time such as 2026-01-31T12:00:00Z or milliseconds since 1970`,
    );
  return date;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Everything about a message in one line; a body that is not UTF-8 comes as `bodyBase64`. */
function jsonLine(message: ReceivedMessage): string {
  const { body, value: _value, ...rest } = message.toJSON();
  let content: { body: string } | { bodyBase64: string };
  try {
    content = { body: strictUtf8.decode(body) };
  } catch {
    // Not text; the caller finds the other field.
    content = { bodyBase64: Buffer.from(body).toString("base64") };
  }
  return `${JSON.stringify({ ...rest, ...content })}\n`;
}
