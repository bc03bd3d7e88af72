/**
 * The messages of one queue that were pulled and are not consumed yet, and what follows from them: the offset
 * that may be committed and whether more may be pulled (RocketMQ: ProcessQueue). Pure.
 *
 * Messages arrive in the order of their offsets and are done in any order. The committable offset is the first
 * one not done, or, when all are done, where the next pull begins: what was skipped on the way there did not
 * match the subscription.
 */
import { assert } from "@orbitmq/host";
import { Fifo } from "../../fifo.ts";
import type { HeldMessages } from "./queue-consumption.ts";

export interface CachedMessage<T> {
  readonly queueOffset: number;
  readonly bytes: number;
  readonly payload: T;
  done: boolean;
}

export class ProcessQueue<T> implements HeldMessages {
  /** From the oldest that is not done on. */
  readonly #messages = new Fifo<CachedMessage<T>>();
  #count = 0;
  #bytes = 0;
  #nextOffset: number;

  constructor(startOffset: number) {
    this.#nextOffset = startOffset;
  }

  /** Where the next pull begins. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Messages held. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Offsets from the oldest message not done to the newest pulled; 0 with fewer than two. */
  get span(): number {
    const first = this.#messages.peek();
    const last = this.#messages.last();
    return first === undefined || last === undefined ? 0 : last.queueOffset - first.queueOffset;
  }

  /** Every message before this offset is done or was never wanted. */
  get committableOffset(): number {
    return this.#messages.peek()?.queueOffset ?? this.#nextOffset;
  }

  /** Takes a message; `undefined` when its offset was already pulled. */
  add(queueOffset: number, bytes: number, payload: T): CachedMessage<T> | undefined {
    if (queueOffset < this.#nextOffset) return undefined;
    const message: CachedMessage<T> = { queueOffset, bytes, payload, done: false };
    this.#messages.push(message);
    this.#count++;
    this.#bytes += bytes;
    this.#nextOffset = queueOffset + 1;
    return message;
  }

  /** The next pull begins at `offset`; never goes back. */
  advanceTo(offset: number): void {
    if (offset > this.#nextOffset) this.#nextOffset = offset;
  }

  done(message: CachedMessage<T>): void {
    assert(!message.done, "a message is done once");
    message.done = true;
    this.#count--;
    this.#bytes -= message.bytes;
    while (this.#messages.peek()?.done === true) this.#messages.shift();
  }
}
