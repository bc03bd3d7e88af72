/**
 * The checkpoints of popped messages that are not acknowledged yet: which message comes again when. A pure table;
 * what it says is done elsewhere (see revive-log, revive-service). A checkpoint is
 *
 *   open      since it was appended to the revive log, or was read there at start
 *   reviving  its time is over, or it has to be looked at again: out of the heap, into it or away
 *   closing   every message of it is acknowledged or put into a retry topic, and that is appended to the log
 *   gone      that is durable
 *
 * For each revive queue the table knows how far the log need not be read again: up to the oldest record of a
 * checkpoint that is not gone. Times are monotonic ms.
 */
import { assert } from "@orbitmq/host";
import { DeadlineHeap, type HasDeadline } from "../pulling/deadline-heap.ts";
import { type CheckPointName, type CheckPointRecord, checkPointKey } from "./revive-records.ts";

/** A record of the revive log that must be read again as long as its checkpoint is not gone. */
export interface HeldRecord {
  /** Absent: nobody has looked into it yet. */
  checkPoint: CheckPoint | undefined;
  readonly reviveOffset: number;
  isHeld: boolean;
}

/** Beyond this many records let go behind one that is held, they are swept out. */
const SWEEP_MIN = 1_024;

export class CheckPoint implements CheckPointRecord, HasDeadline {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly startOffset: number;
  readonly popTime: number;
  readonly brokerName: string;
  readonly invisibleTime: number;
  readonly offsets: readonly number[];
  readonly rePutTimes: number;
  readonly reviveQueueId: number;
  readonly key: string;
  /** `host:port` of who popped it; `undefined` when it was popped before the start. */
  poppedBy: string | undefined;
  /** Nobody gets these again by this checkpoint: acknowledged, or in a retry topic. */
  ackedBits: number;
  /** Those of them that came into a retry topic: their handles are over. */
  revivedBits = 0;
  /** Those of which the log says so. */
  loggedBits: number;
  /** When what is not acknowledged comes again. */
  deadlineMs: number;
  heapIndex = -1;
  /** How often reviving has failed. */
  failures = 0;
  isGone = false;
  held: HeldRecord | undefined;

  constructor(record: CheckPointRecord, reviveQueueId: number, deadlineMs: number) {
    this.group = record.group;
    this.topic = record.topic;
    this.queueId = record.queueId;
    this.startOffset = record.startOffset;
    this.popTime = record.popTime;
    this.brokerName = record.brokerName;
    this.invisibleTime = record.invisibleTime;
    this.offsets = record.offsets;
    this.rePutTimes = record.rePutTimes;
    this.ackedBits = record.ackedBits & fullBits(record.offsets.length);
    this.loggedBits = this.ackedBits;
    this.reviveQueueId = reviveQueueId;
    this.deadlineMs = deadlineMs;
    this.key = checkPointKey(record);
  }

  /** The bits of all its messages. */
  get allBits(): number {
    return fullBits(this.offsets.length);
  }

  get isAcked(): boolean {
    return this.ackedBits === this.allBits;
  }

  /** Everything is done and appended. */
  get isClosing(): boolean {
    return this.loggedBits === this.allBits;
  }

  /** The offsets whose bits are set. */
  offsetsOf(bits: number): number[] {
    return this.offsets.filter((_, index) => (bits & (1 << index)) !== 0);
  }

  /** The bits of those of `offsets` that are this checkpoint's. */
  bitsOf(offsets: readonly number[]): number {
    let bits = 0;
    for (const offset of offsets) {
      const index = this.offsets.indexOf(offset);
      if (index >= 0) bits |= 1 << index;
    }
    return bits;
  }
}

function fullBits(count: number): number {
  return count >= 32 ? -1 : (1 << count) - 1;
}

export class CheckPoints {
  readonly #byKey = new Map<string, CheckPoint>();
  readonly #due = new DeadlineHeap<CheckPoint>();
  /** Per revive queue, in the order of the log. */
  readonly #held = new Map<number, HeldRecord[]>();

  get size(): number {
    return this.#byKey.size;
  }

  /** All that are not gone. */
  all(): IterableIterator<CheckPoint> {
    return this.#byKey.values();
  }

  find(name: CheckPointName): CheckPoint | undefined {
    return this.#byKey.get(checkPointKey(name));
  }

  /** A pop time at or after `popTime` that makes the name a new one. */
  freePopTime(name: CheckPointName): number {
    let { popTime } = name;
    while (this.#byKey.has(checkPointKey({ ...name, popTime }))) popTime++;
    return popTime;
  }

  /** It was appended to its revive queue at `reviveOffset`, or read there, where it is held already. */
  add(checkPoint: CheckPoint, reviveOffset: number | HeldRecord): void {
    assert(!this.#byKey.has(checkPoint.key), "a checkpoint's name is its own");
    this.#byKey.set(checkPoint.key, checkPoint);
    if (!checkPoint.isAcked) this.#due.add(checkPoint);
    if (typeof reviveOffset === "number") this.hold(checkPoint, reviveOffset);
    else {
      checkPoint.held = reviveOffset;
      reviveOffset.checkPoint = checkPoint;
    }
  }

  /** A record of it was appended, the first or another; the one before is the caller's to let go. */
  hold(checkPoint: CheckPoint, reviveOffset: number): void {
    checkPoint.held = this.holdUnread(checkPoint.reviveQueueId, reviveOffset);
    checkPoint.held.checkPoint = checkPoint;
  }

  /** Somebody has appended a record that nobody has looked into yet. */
  holdUnread(reviveQueueId: number, reviveOffset: number): HeldRecord {
    const held: HeldRecord = { checkPoint: undefined, reviveOffset, isHeld: true };
    let queue = this.#held.get(reviveQueueId) ?? [];
    const mustSweep = queue.length > SWEEP_MIN && queue.length > 4 * this.size;
    if (mustSweep) queue = queue.filter(({ isHeld }) => isHeld);
    // Nearly always the last: what others append is heard of a little later than what we append ourselves.
    let at = queue.length;
    while (at > 0 && queue[at - 1]!.reviveOffset > reviveOffset) at--;
    assert(queue[at - 1]?.reviveOffset !== reviveOffset, "a record is held once");
    queue.splice(at, 0, held);
    this.#held.set(reviveQueueId, queue);
    return held;
  }

  /** The oldest record of a revive queue that must be read again. */
  oldest(reviveQueueId: number): HeldRecord | undefined {
    return this.#held.get(reviveQueueId)?.find(({ isHeld }) => isHeld);
  }

  /** Marks as acknowledged, and as said by the log. */
  acknowledge(checkPoint: CheckPoint, bits: number): void {
    checkPoint.ackedBits |= bits;
    checkPoint.loggedBits |= bits;
    if (checkPoint.isAcked) this.#due.remove(checkPoint);
  }

  /** What the log says about it is durable, and there is nothing more to do. */
  remove(checkPoint: CheckPoint): void {
    assert(!checkPoint.isGone, "a checkpoint goes once");
    checkPoint.isGone = true;
    this.#due.remove(checkPoint);
    this.#byKey.delete(checkPoint.key);
    if (checkPoint.held !== undefined) checkPoint.held.isHeld = false;
  }

  /** When the next is due. */
  get firstDueMs(): number | undefined {
    return this.#due.first?.deadlineMs;
  }

  /** One that is due, which leaves the heap. */
  takeDue(nowMs: number): CheckPoint | undefined {
    const first = this.#due.first;
    if (first === undefined || first.deadlineMs > nowMs) return undefined;
    this.#due.remove(first);
    return first;
  }

  /** Looks at it again then. */
  postpone(checkPoint: CheckPoint, deadlineMs: number): void {
    checkPoint.deadlineMs = deadlineMs;
    if (!checkPoint.isGone && checkPoint.heapIndex < 0) this.#due.add(checkPoint);
  }

  /**
   * The last offset of a revive queue up to which nothing need be read again, as RocketMQ commits it; -1: none.
   * `readableEnd` is the queue's.
   */
  progress(reviveQueueId: number, readableEnd: number): number {
    const queue = this.#held.get(reviveQueueId) ?? [];
    let gone = 0;
    while (gone < queue.length && !queue[gone]!.isHeld) gone++;
    if (gone > 0) queue.splice(0, gone);
    return Math.min(queue[0]?.reviveOffset ?? readableEnd, readableEnd) - 1;
  }
}
