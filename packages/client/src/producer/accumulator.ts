/**
 * Gathers single messages into batches (RocketMQ: ProduceAccumulator, autoBatch).
 *
 *   empty ──message──▶ gathering ──message──▶ gathering
 *                          ╰──enough bytes, or its time is over, or shutdown──▶ sent as one, each told its own end
 *
 * Messages gather with those of the same way of sending, topic, queue, tag and WAIT property. What cannot wait, or is
 * too much, goes alone.
 */
import type { TimerHandle, Timers } from "@orbitmq/host";
import { BATCH_ENTRIES_MAX } from "@orbitmq/wire";
import { queueKey } from "../connection/topic-queues.ts";
import type { OrbitError } from "../errors/errors.ts";
import type { AnyMessage, MessageQueue } from "../message/message.ts";
import { type BatchEntry, isDelayed } from "./encode-message.ts";
import type { SendOptions } from "./producer-options.ts";
import type { SendMode } from "./retry.ts";
import type { SendCallback, SendResult } from "./send-result.ts";

export interface AccumulatorLimits {
  readonly delayMs: number;
  readonly batchBytes: number;
  readonly totalBytes: number;
  /** What one batch may have at all. */
  readonly bodyBytesMax: number;
}

/** Messages gathered: what is sent, and whom it concerns. */
export interface Gathered {
  readonly mode: SendMode;
  readonly queue: MessageQueue | undefined;
  readonly first: AnyMessage<unknown>;
  readonly entries: readonly BatchEntry[];
  readonly callback: SendCallback;
}

interface Gathering {
  readonly mode: SendMode;
  readonly queue: MessageQueue | undefined;
  readonly first: AnyMessage<unknown>;
  readonly entries: BatchEntry[];
  readonly callbacks: SendCallback[];
  readonly timer: TimerHandle;
  bytes: number;
  /** With what each entry costs in a batch, at most. */
  encodedBytes: number;
}

/** Lengths and flags of a batch's entry. */
const ENTRY_BYTES = 64;

export class Accumulator {
  readonly #timers: Timers;
  readonly #limits: AccumulatorLimits;
  readonly #send: (batch: Gathered) => void;
  readonly #open = new Map<string, Gathering>();
  #bytes = 0;

  constructor(timers: Timers, limits: AccumulatorLimits, send: (batch: Gathered) => void) {
    this.#timers = timers;
    this.#limits = limits;
    this.#send = send;
  }

  /** Whether a message may wait for others. */
  takes(mode: SendMode, message: AnyMessage<unknown>, options: SendOptions): boolean {
    return (
      mode !== "oneway" &&
      !isDelayed(message) &&
      options.selector === undefined &&
      options.timeoutMs === undefined &&
      options.signal === undefined &&
      this.#bytes < this.#limits.totalBytes
    );
  }

  put(
    mode: SendMode,
    entry: BatchEntry,
    message: AnyMessage<unknown>,
    queue: MessageQueue | undefined,
    callback: SendCallback,
  ): void {
    const { topic, waits, body, properties } = entry;
    const key = JSON.stringify([mode, topic, waits, message.tag, queue === undefined ? "" : queueKey(queue)]);
    // A character is at most three bytes.
    const encodedBytes = ENTRY_BYTES + body.length + properties.length * 3;
    const known = this.#open.get(key);
    if (known !== undefined && known.encodedBytes + encodedBytes > this.#limits.bodyBytesMax)
      this.#close(key);
    const gathering = this.#open.get(key) ?? this.#newGathering(key, mode, message, queue);
    gathering.entries.push(entry);
    gathering.callbacks.push(callback);
    gathering.bytes += body.length;
    gathering.encodedBytes += encodedBytes;
    this.#bytes += body.length;
    const isFull = gathering.bytes > this.#limits.batchBytes || gathering.entries.length >= BATCH_ENTRIES_MAX;
    if (isFull) this.#close(key);
  }

  /** Sends everything that waits. */
  flush(): void {
    for (const key of [...this.#open.keys()]) this.#close(key);
  }

  #newGathering(
    key: string,
    mode: SendMode,
    first: AnyMessage<unknown>,
    queue: MessageQueue | undefined,
  ): Gathering {
    const timer = this.#timers.after(this.#limits.delayMs, () => this.#close(key));
    const gathering = { mode, queue, first, entries: [], callbacks: [], timer, bytes: 0, encodedBytes: 0 };
    this.#open.set(key, gathering);
    return gathering;
  }

  #close(key: string): void {
    const gathering = this.#open.get(key)!;
    this.#open.delete(key);
    gathering.timer.cancel();
    const { mode, queue, first, entries, callbacks, bytes } = gathering;
    const done = () => {
      this.#bytes -= bytes;
    };
    const callback: SendCallback = {
      onSuccess: (result) => {
        done();
        for (const [i, one] of resultsOf(result, entries).entries()) callbacks[i]!.onSuccess(one);
      },
      onException: (error: OrbitError) => {
        done();
        for (const waiting of callbacks) waiting.onException(error);
      },
    };
    this.#send({ mode, queue, first, entries, callback });
  }
}

/** What each message of a batch is told. A broker that gives one id for all keeps them together (BatchCQ). */
function resultsOf(result: SendResult, entries: readonly BatchEntry[]): SendResult[] {
  const offsetIds = result.offsetMsgId.split(",");
  const isWhole = offsetIds.length !== entries.length;
  return entries.map(({ msgId }, i) => ({
    ...result,
    msgId,
    offsetMsgId: isWhole ? result.offsetMsgId : offsetIds[i]!,
    queueOffset: result.queueOffset + i,
  }));
}
