/**
 * One delay level as a pure step core: which of its messages are due, what to do next, and how far its deliveries
 * are safe. Events in, one action out; reading, appending and timers are the service's.
 *
 *   resting   nothing is left to deliver                       arrival → waiting or reading
 *   waiting   the head is known and not due yet                its time → reading
 *   reading   the store is asked for what is due               result → reading, waiting, resting, pausing, full
 *   full      as much is unsettled as may be                   settled → reading
 *   pausing   the store does not take or give messages now     its time → reading
 *   stopped   for good
 *
 *   safe ≤ settled ≤ next ≤ end: messages below `next` are appended to their real queues, below `settled` as
 *   durably as the broker acknowledges sends, below `safe` on disk for certain. `safe` goes to delayOffset.json
 *   while the broker runs, `settled` when it stops in order.
 */
import { assert } from "@orbitmq/host";
import { DueTimes, type Moment } from "./due-times.ts";

export type LevelAction =
  | { readonly kind: "none" }
  /** Read what is due from `next` on. */
  | { readonly kind: "read" }
  /** Wake the level at this monotonic time. */
  | { readonly kind: "wait"; readonly untilMs: number };

/** Appended messages whose appends are settled one day. */
export interface Delivery {
  /** One past the last message's offset in the level's queue. */
  readonly next: number;
  /** Where the last message lies in the log, at its real place. */
  readonly position: number;
  settled: boolean;
}

export interface DelayLevelOptions {
  /** 1 and up. */
  readonly level: number;
  readonly delayMs: number;
  /** Where deliveries go on in the level's queue, and where the queue ends. */
  readonly next: number;
  readonly end: number;
  /** Deliveries that may be unsettled at a time. */
  readonly unsettledMax: number;
  /** A settled append is on disk (SYNC_FLUSH). */
  readonly settledIsSafe: boolean;
}

export interface LookOutcome {
  /** Where the next look begins. */
  readonly next: number;
  /** What was delivered; undefined when nothing was. */
  readonly delivery: Delivery | undefined;
  /** The store did not take or give a message: look again after this long. */
  readonly pauseMs: number | undefined;
}

/** A queue that cannot be read now is tried again after this long (RocketMQ: DELAY_FOR_A_PERIOD). */
const STUCK_PAUSE_MS = 10_000;

const NONE: LevelAction = { kind: "none" };
const READ: LevelAction = { kind: "read" };

export class DelayLevel {
  readonly level: number;
  readonly delayMs: number;
  readonly #options: DelayLevelOptions;
  readonly #due: DueTimes;
  #state: "resting" | "waiting" | "reading" | "full" | "pausing" | "stopped" = "resting";
  #next: number;
  #safe: number;
  #end: number;
  /** The first message that is not due, once seen. */
  #head: { readonly offset: number; readonly dueMs: number } | undefined;
  /** Not safe yet, oldest first. */
  #deliveries: Delivery[] = [];
  #unsettled = 0;

  constructor(options: DelayLevelOptions, now: Moment) {
    const { level, delayMs, next, end } = options;
    this.level = level;
    this.delayMs = delayMs;
    this.#options = options;
    this.#next = next;
    this.#safe = next;
    this.#end = end;
    this.#due = new DueTimes(delayMs, now);
  }

  get next(): number {
    return this.#next;
  }

  get safe(): number {
    return this.#deliveries.length === 0 ? this.#next : this.#safe;
  }

  get settledNext(): number {
    let settled = this.#safe;
    for (const delivery of this.#deliveries) {
      if (!delivery.settled) return settled;
      settled = delivery.next;
    }
    return this.#next;
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  start(now: Moment): LevelAction {
    return this.#state === "resting" ? this.#goOn(now) : NONE;
  }

  /** A message became readable; `endOffset` is one past it. */
  arrived(endOffset: number, deliverAtMs: number, now: Moment): LevelAction {
    this.#due.arrived(endOffset - 1, deliverAtMs, now);
    this.#end = Math.max(this.#end, endOffset);
    if (this.#state !== "resting") return NONE;
    if (this.#next === endOffset - 1) this.isDue(this.#next, deliverAtMs, now);
    return this.#goOn(now);
  }

  /** Whether the message at `offset` is due; the first that is not becomes the head. Rising offsets. */
  isDue(offset: number, deliverAtMs: number, now: Moment): boolean {
    const known = this.#head?.offset === offset ? this.#head.dueMs : undefined;
    const dueMs = known ?? this.#due.dueMs(offset, deliverAtMs, now);
    if (dueMs <= now.monotonicMs) return true;
    if (known === undefined) this.#head = { offset, dueMs };
    return false;
  }

  /** The time of a `wait` has come. */
  woken(now: Moment): LevelAction {
    if (this.#state !== "waiting" && this.#state !== "pausing") return NONE;
    return this.#goOn(now);
  }

  /** The read is done and what it found is appended. */
  looked({ next, delivery, pauseMs }: LookOutcome, now: Moment): LevelAction {
    const isStuck = next === this.#next && delivery === undefined && this.#head?.offset !== next;
    this.#next = next;
    if (delivery !== undefined) {
      this.#deliveries.push(delivery);
      if (!delivery.settled) this.#unsettled++;
    }
    if (this.#state === "stopped") return NONE;
    if (pauseMs === undefined && !isStuck) return this.#goOn(now);
    this.#state = "pausing";
    return { kind: "wait", untilMs: now.monotonicMs + (pauseMs ?? STUCK_PAUSE_MS) };
  }

  /** All appends of a delivery are settled; `reached` when as durably as asked. */
  settled(delivery: Delivery, reached: boolean, now: Moment): LevelAction {
    assert(this.#unsettled > 0, "a delivery is settled once");
    this.#unsettled--;
    delivery.settled = reached;
    if (this.#options.settledIsSafe) this.#retire((each) => each.settled);
    return this.#state === "full" ? this.#goOn(now) : NONE;
  }

  /** Everything appended below `position` of the log is on disk. */
  flushed(position: number): void {
    this.#retire((each) => each.position < position);
  }

  stop(): void {
    this.#state = "stopped";
  }

  #retire(isSafe: (delivery: Delivery) => boolean): void {
    let count = 0;
    while (count < this.#deliveries.length && isSafe(this.#deliveries[count]!)) count++;
    if (count === 0) return;
    this.#safe = this.#deliveries[count - 1]!.next;
    this.#deliveries.splice(0, count);
  }

  #goOn(now: Moment): LevelAction {
    if (this.#next >= this.#end) {
      this.#state = "resting";
      return NONE;
    }
    if (this.#head?.offset === this.#next && this.#head.dueMs > now.monotonicMs) {
      this.#state = "waiting";
      return { kind: "wait", untilMs: this.#head.dueMs };
    }
    if (this.#unsettled >= this.#options.unsettledMax) {
      this.#state = "full";
      return NONE;
    }
    this.#state = "reading";
    return READ;
  }
}
