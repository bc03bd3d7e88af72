/**
 * One timer for many deadlines. Items lie in buckets of 10 ms, each a doubly linked list, so that adding and
 * removing cost the same however many there are; the timer is set to the earliest bucket that still has an
 * item. A deadline passes up to one bucket late, never early. While requests are answered in time the timer
 * fires about once per timeout, not once per request.
 */
import { assert, type Host, type TimerHandle } from "@orbitmq/host";

const BUCKET_MS = 10;

interface Bucket {
  /** Ends at `tick * BUCKET_MS`, on the monotonic clock. */
  readonly tick: number;
  first: DeadlineItem | undefined;
  last: DeadlineItem | undefined;
}

/** What waits extends this; an item is in at most one queue at a time. */
export abstract class DeadlineItem {
  /** For {@link Deadlines} only. */
  bucket: Bucket | undefined;
  previous: DeadlineItem | undefined;
  next: DeadlineItem | undefined;

  /** Its time is over; it is in no queue any more. Must not throw. */
  abstract expired(): void;
}

export class Deadlines {
  readonly #host: Host;
  readonly #buckets = new Map<number, Bucket>();
  /** Ticks of `#buckets` as a binary min-heap. */
  readonly #ticks: number[] = [];
  #latest: Bucket | undefined;
  #timer: TimerHandle | undefined;
  #timerTick = 0;
  readonly #onTimer = () => this.#expire();

  constructor(host: Host) {
    this.#host = host;
  }

  /** `timeoutMs` below 0 counts as 0. */
  add(item: DeadlineItem, timeoutMs: number): void {
    assert(item.bucket === undefined, "a deadline item waits once");
    const now = this.#host.clock.monotonicMs();
    const tick = Math.ceil((now + Math.max(timeoutMs, 0)) / BUCKET_MS);
    const bucket = this.#latest?.tick === tick ? this.#latest : this.#bucket(tick);
    item.bucket = bucket;
    item.previous = bucket.last;
    if (bucket.last === undefined) bucket.first = item;
    else bucket.last.next = item;
    bucket.last = item;
    if (this.#timer === undefined || tick < this.#timerTick) this.#arm(tick, now);
  }

  /** Does nothing when the item is not waiting. */
  remove(item: DeadlineItem): void {
    const { bucket } = item;
    if (bucket === undefined) return;
    if (item.previous === undefined) bucket.first = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) bucket.last = item.previous;
    else item.next.previous = item.previous;
    item.bucket = undefined;
    item.previous = undefined;
    item.next = undefined;
  }

  /** Cancels the timer; items still waiting never expire. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #bucket(tick: number): Bucket {
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) {
      bucket = { tick, first: undefined, last: undefined };
      this.#buckets.set(tick, bucket);
      this.#pushTick(tick);
    }
    this.#latest = bucket;
    return bucket;
  }

  #arm(tick: number, now: number): void {
    this.#timer?.cancel();
    this.#timerTick = tick;
    this.#timer = this.#host.timers.after(Math.max(tick * BUCKET_MS - now, 0), this.#onTimer);
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#host.clock.monotonicMs();
    while (this.#ticks.length > 0) {
      const bucket = this.#buckets.get(this.#ticks[0]!)!;
      if (bucket.first !== undefined && bucket.tick * BUCKET_MS > now) {
        // What expired may have added items and armed the timer already.
        if (this.#timer === undefined || bucket.tick < this.#timerTick) this.#arm(bucket.tick, now);
        return;
      }
      this.#popTick();
      this.#buckets.delete(bucket.tick);
      if (this.#latest === bucket) this.#latest = undefined;
      for (let item = bucket.first; item !== undefined; item = bucket.first) {
        this.remove(item);
        item.expired();
      }
    }
  }

  #pushTick(tick: number): void {
    const ticks = this.#ticks;
    let at = ticks.push(tick) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (ticks[parent]! <= tick) break;
      ticks[at] = ticks[parent]!;
      at = parent;
    }
    ticks[at] = tick;
  }

  #popTick(): void {
    const ticks = this.#ticks;
    const moved = ticks.pop()!;
    if (ticks.length === 0) return;
    let at = 0;
    for (let child = 1; child < ticks.length; child = 2 * at + 1) {
      if (child + 1 < ticks.length && ticks[child + 1]! < ticks[child]!) child++;
      if (ticks[child]! >= moved) break;
      ticks[at] = ticks[child]!;
      at = child;
    }
    ticks[at] = moved;
  }
}
