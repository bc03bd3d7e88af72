/**
 * Sends what a client tells of its messages to the trace topic (RocketMQ: AsyncTraceDispatcher), over the client's own
 * connections and in a producer group of its own. Never in the way: what cannot be sent in time is dropped and counted.
 *
 *   appended ──as many as a batch, or 5 s, or the end──▶ encoded ──sent, or given up──▶ gone
 *       ╰──2048 wait already, or the client has ended──▶ dropped
 *
 * A batch becomes one message for each topic it tells of, and more where one would be too long.
 */
import type { TimerHandle } from "@orbitmq/host";
import { KEY_SEPARATOR, type UniqueIdGenerator } from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromUnknown } from "../errors/error-from.ts";
import type { OrbitError } from "../errors/errors.ts";
import { Fifo } from "../fifo.ts";
import { newUniqueIds } from "../message/unique-id.ts";
import { checkTopicToSend } from "../names/names.ts";
import { NO_NAMESPACE } from "../names/namespace.ts";
import { checkInteger } from "../options/option-checks.ts";
import { type EncodeLimits, encodeMessage } from "../producer/encode-message.ts";
import { InnerSender } from "../producer/inner-sender.ts";
import { producerDefaults } from "../producer/producer-options.ts";
import { encodeTrace } from "./trace-codec.ts";
import type { TraceContext } from "./trace-context.ts";
import { type TraceOptions, traceLimits } from "./trace-options.ts";

export interface DispatcherSettings {
  readonly topic: string;
  readonly batchNum: number;
  readonly producerGroup: string;
}

/** What one event has to tell: a context for each of its messages. */
interface Told {
  readonly topic: string;
  readonly contexts: readonly TraceContext[];
}

const LIMITS: EncodeLimits = {
  messageBytesMax: traceLimits.messageBytesMax,
  propertiesBytesMax: producerDefaults.propertiesBytesMax,
  compressOverBytes: producerDefaults.compressOverBytes,
  compressType: producerDefaults.compressType,
  compressLevel: 5,
  namespace: NO_NAMESPACE,
};
/** What is left of the longest property text for other properties. */
const KEYS_CHARS_MAX = 10_000;

export class TraceDispatcher {
  /** Where traces go; what is of this topic is not traced. */
  readonly topic: string;
  /** For ids of calls of listeners. */
  readonly ids: UniqueIdGenerator;
  readonly #instance: ClientInstance;
  readonly #batchNum: number;
  readonly #sender: InnerSender;
  readonly #waiting = new Fifo<Told>();
  /** So many of those waiting go although they are no whole batch. */
  #due = 0;
  #inFlight = 0;
  #timer: TimerHandle | undefined;
  #dropped = 0;
  #failing = false;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(instance: ClientInstance, { topic, batchNum, producerGroup }: DispatcherSettings) {
    this.topic = topic;
    this.#instance = instance;
    this.#batchNum = batchNum;
    this.ids = newUniqueIds(instance.host);
    const { sendTimeoutMs } = traceLimits;
    this.#sender = new InnerSender(instance, { group: producerGroup, sendTimeoutMs });
  }

  /** Contexts that will not be found: there was no room for them, or the trace topic could not be reached. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `contexts`: of one topic. */
  append(topic: string, contexts: readonly TraceContext[]): void {
    if (this.#closed || this.#waiting.length >= traceLimits.contextsMax) {
      this.#dropped += contexts.length;
      return;
    }
    this.#waiting.push({ topic, contexts });
    if (this.#waiting.length >= this.#batchNum) this.#pump();
    else {
      this.#timer ??= this.#instance.host.timers.after(traceLimits.flushIntervalMs, () => this.#flush());
    }
  }

  /** Sends what waits, within `timeoutMs`, and ends. Never rejects. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush();
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#instance.host.timers.after(timeoutMs, resolve);
        this.#onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#onIdle = undefined;
    }
    for (let told = this.#waiting.shift(); told !== undefined; told = this.#waiting.shift()) {
      this.#dropped += told.contexts.length;
    }
    this.#sender.close();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = this.#waiting.length;
    this.#pump();
  }

  #pump(): void {
    while (
      this.#inFlight < traceLimits.sendsInFlightMax &&
      (this.#waiting.length >= this.#batchNum || this.#due > 0)
    ) {
      const batch: Told[] = [];
      while (batch.length < this.#batchNum) {
        const told = this.#waiting.shift();
        if (told === undefined) break;
        batch.push(told);
      }
      this.#due = Math.min(Math.max(this.#due - batch.length, 0), this.#waiting.length);
      if (batch.length > 0) this.#sendBatch(batch);
    }
    if (this.#waiting.length > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  #sendBatch(batch: readonly Told[]): void {
    const byTopic = new Map<string, TraceContext[]>();
    for (const { topic, contexts } of batch) {
      const known = byTopic.get(topic);
      if (known === undefined) byTopic.set(topic, [...contexts]);
      else known.push(...contexts);
    }
    for (const contexts of byTopic.values()) for (const part of partsOf(contexts)) this.#sendPart(part);
  }

  #sendPart({ text, keys, count }: Part): void {
    const message = { topic: this.topic, body: text, keys: [...keys] };
    this.#inFlight++;
    const done = (error: OrbitError | undefined): void => {
      this.#inFlight--;
      this.#ended(error, count);
      this.#pump();
    };
    try {
      this.#sender.send(encodeMessage(message, LIMITS, this.ids), done);
    } catch (error) {
      this.#instance.host.timers.afterTurn(() => done(fromUnknown(error)));
    }
  }

  /** One line when traces stop arriving, not one for each. */
  #ended(error: OrbitError | undefined, count: number): void {
    if (error !== undefined) {
      this.#dropped += count;
      if (!this.#failing && error.code !== "SHUT_DOWN") {
        const { logger } = this.#instance;
        logger.warn({ code: error.code, topic: this.topic }, `traces cannot be sent: ${error.message}`);
      }
    }
    this.#failing = error !== undefined;
  }
}

/** `undefined`: nothing is traced. Throws INVALID_ARGUMENT. */
export function newTraceDispatcher(
  instance: ClientInstance,
  group: string,
  role: "PRODUCE" | "CONSUME",
  trace: boolean | TraceOptions | undefined,
): TraceDispatcher | undefined {
  if (trace === undefined || trace === false) return undefined;
  const options: TraceOptions = trace === true ? {} : trace;
  const topic = options.topic ?? traceLimits.topic;
  checkTopicToSend(topic);
  const { batchNum, batchNumMax } = traceLimits;
  return new TraceDispatcher(instance, {
    topic,
    batchNum: checkInteger(options, "batchNum", batchNum, 1, batchNumMax),
    producerGroup: `_INNER_TRACE_PRODUCER-${group}-${role}-1`,
  });
}

interface Part {
  text: string;
  readonly keys: Set<string>;
  count: number;
}

/** As few texts as the limits allow; a context that is too long by itself is a text of its own. */
function partsOf(contexts: readonly TraceContext[]): Part[] {
  const parts: Part[] = [];
  let part: Part | undefined;
  let bytes = 0;
  let keysChars = 0;
  for (const context of contexts) {
    const text = encodeTrace(context);
    const textBytes = Buffer.byteLength(text);
    const keys = keysOf(context);
    const chars = keys.reduce((sum, key) => sum + key.length + 1, 0);
    const isFull = bytes + textBytes > traceLimits.messageBytesMax || keysChars + chars > KEYS_CHARS_MAX;
    if (part === undefined || isFull) {
      part = { text: "", keys: new Set(), count: 0 };
      parts.push(part);
      bytes = 0;
      keysChars = 0;
    }
    part.text += text;
    part.count++;
    for (const key of keys) part.keys.add(key);
    bytes += textBytes;
    keysChars += chars;
  }
  return parts;
}

/** What a trace is found by. */
function keysOf(context: TraceContext): string[] {
  const keys = "keys" in context ? context.keys : undefined;
  const own = keys === undefined ? [] : keys.split(KEY_SEPARATOR).filter((key) => key !== "");
  return [context.msgId, ...own];
}
