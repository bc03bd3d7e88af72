/**
 * Carries records from the log into their queues (RocketMQ: ReputMessageService). It follows one monotonic
 * position, the readable limit, and is the only thing that moves a queue's end: whatever consumers see has
 * passed here. What each record needs is noted when it is appended, in a ring, so that nothing is parsed again.
 */
import { assert, queueOffset } from "@orbitmq/host";
import type { HotTail } from "../commit-log/hot-tail.ts";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ArrivalListener } from "../message-store.ts";

export interface DispatchEvents {
  /** The queue has units that its file has not. */
  queueChanged(queue: ConsumeQueue): void;
}

export class Dispatch {
  readonly #tail: HotTail;
  readonly #events: DispatchEvents;
  readonly #listeners: ArrivalListener[] = [];
  #queues: (ConsumeQueue | undefined)[] = new Array(1024);
  #ends = new Float64Array(1024);
  #sizes = new Int32Array(1024);
  #tagsCodes = new Float64Array(1024);
  #head = 0;
  #count = 0;
  #dispatched = 0;
  #messages = 0;

  constructor(tail: HotTail, events: DispatchEvents) {
    this.#tail = tail;
    this.#events = events;
  }

  /** All records below it are in their queues. */
  get dispatched(): number {
    return this.#dispatched;
  }

  /** Records dispatched since `begin`. */
  get messages(): number {
    return this.#messages;
  }

  begin(offset: number): void {
    this.#dispatched = offset;
    this.#messages = 0;
  }

  subscribe(listener: ArrivalListener): void {
    this.#listeners.push(listener);
  }

  /** Notes a record that was appended; its queue offset is the queue's end once all before it are dispatched. */
  note(queue: ConsumeQueue, end: number, size: number, tagsCode: number): void {
    if (this.#count === this.#ends.length) this.#grow();
    const slot = (this.#head + this.#count) & (this.#ends.length - 1);
    this.#queues[slot] = queue;
    this.#ends[slot] = end;
    this.#sizes[slot] = size;
    this.#tagsCodes[slot] = tagsCode;
    this.#count += 1;
  }

  /** Everything below `limit` has become readable. */
  follow(limit: number): void {
    assert(limit >= this.#dispatched, "the readable limit only grows");
    const hotStart = this.#tail.start;
    this.#dispatched = limit;
    // A listener may append, which may make the ring another one: nothing of it is kept across the loop.
    while (this.#count > 0 && this.#ends[this.#head]! <= limit) {
      const slot = this.#head;
      const queue = this.#queues[slot]!;
      const end = this.#ends[slot]!;
      const size = this.#sizes[slot]!;
      const tagsCode = this.#tagsCodes[slot]!;
      this.#queues[slot] = undefined;
      this.#head = (slot + 1) & (this.#ends.length - 1);
      this.#count -= 1;
      this.#messages += 1;
      queue.append(end - size, size, tagsCode, hotStart);
      if (!queue.dirty) this.#events.queueChanged(queue);
      for (const listener of this.#listeners) {
        listener.messageArrived(queue.topic, queue.queueId, queueOffset(queue.end), tagsCode);
      }
    }
  }

  /** The queue stood still at a record that cannot be read, and goes on behind it. */
  released({ topic, queueId }: ConsumeQueue): void {
    for (const listener of this.#listeners) listener.queueReleased?.(topic, queueId);
  }

  /** Forgets records that end behind `offset`. */
  truncate(offset: number): void {
    while (this.#count > 0) {
      const slot = (this.#head + this.#count - 1) & (this.#ends.length - 1);
      if (this.#ends[slot]! <= offset) break;
      this.#queues[slot] = undefined;
      this.#count -= 1;
    }
    if (this.#dispatched > offset) this.#dispatched = offset;
  }

  /** Counts the records noted and not yet dispatched into their queues' next offsets, which must stand at the ends. */
  countPending(): void {
    for (let index = 0; index < this.#count; index += 1) {
      this.#queues[(this.#head + index) & (this.#ends.length - 1)]!.nextOffset += 1;
    }
  }

  #grow(): void {
    const length = this.#ends.length;
    const queues: (ConsumeQueue | undefined)[] = new Array(length * 2);
    const ends = new Float64Array(length * 2);
    const sizes = new Int32Array(length * 2);
    const tagsCodes = new Float64Array(length * 2);
    for (let index = 0; index < this.#count; index += 1) {
      const from = (this.#head + index) & (length - 1);
      queues[index] = this.#queues[from];
      ends[index] = this.#ends[from]!;
      sizes[index] = this.#sizes[from]!;
      tagsCodes[index] = this.#tagsCodes[from]!;
    }
    this.#queues = queues;
    this.#ends = ends;
    this.#sizes = sizes;
    this.#tagsCodes = tagsCodes;
    this.#head = 0;
  }
}
