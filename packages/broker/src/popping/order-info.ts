/**
 * What a group has popped of a queue in order and not acknowledged (RocketMQ: ConsumerOrderInfoManager.OrderInfo).
 * While one of these messages is invisible the queue is closed: the next batch comes when all are acknowledged,
 * the same again when the time of those that are not is over. Whoever asks again with the attempt's id gets it
 * again at once. Pure; times to wait for are monotonic ms, times to keep are wall ms.
 */
export interface OrderMoment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** As consumerOrderInfo.json holds it; offsets are absolute. */
export interface OrderRecord {
  readonly popTime: number;
  readonly invisibleTime: number;
  readonly offsets: readonly number[];
  /** Bit i: the i-th offset is acknowledged. */
  readonly ackedBits: number;
  /** offset → wall ms, where it is not popTime + invisibleTime. */
  readonly nextVisible: ReadonlyMap<number, number>;
  /** offset → how often it was popped before. */
  readonly counts: ReadonlyMap<number, number>;
  readonly lastConsumeTimestamp: number;
  readonly attemptId: string | undefined;
}

export interface OrderPop {
  /** What the answer and the handles say, wall ms. */
  readonly popTime: number;
  readonly attemptId: string | undefined;
  readonly invisibleTime: number;
  readonly offsets: readonly number[];
}

export class OrderInfo implements OrderRecord {
  readonly popTime: number;
  readonly invisibleTime: number;
  readonly offsets: readonly number[];
  readonly counts: ReadonlyMap<number, number>;
  readonly lastConsumeTimestamp: number;
  readonly attemptId: string | undefined;
  ackedBits = 0;
  readonly nextVisible = new Map<number, number>();
  /** For each offset. */
  readonly #visibleAtMs: number[];

  constructor(record: OrderRecord, now: OrderMoment, waitMsMax: number) {
    this.popTime = record.popTime;
    this.invisibleTime = record.invisibleTime;
    this.offsets = record.offsets;
    this.counts = record.counts;
    this.lastConsumeTimestamp = record.lastConsumeTimestamp;
    this.attemptId = record.attemptId;
    this.ackedBits = record.ackedBits;
    this.#visibleAtMs = record.offsets.map((offset) => {
      const atMs = record.nextVisible.get(offset);
      if (atMs !== undefined) this.nextVisible.set(offset, atMs);
      // A wall clock that has leapt back must not close a queue for longer than the pop, or a change of it, asked for.
      const untilMs = atMs ?? record.popTime + record.invisibleTime;
      const waitMs = Math.min(untilMs - now.wallMs, untilMs - record.popTime, waitMsMax);
      return now.monotonicMs + Math.max(waitMs, 0);
    });
  }

  /** The next batch of the queue, after `before`. */
  static popped(pop: OrderPop, before: OrderInfo | undefined, now: OrderMoment): OrderInfo {
    const record = {
      popTime: pop.popTime,
      invisibleTime: pop.invisibleTime,
      offsets: pop.offsets,
      ackedBits: 0,
      nextVisible: new Map(),
      counts: countsAfter(before, pop),
      lastConsumeTimestamp: now.wallMs,
      attemptId: pop.attemptId,
    };
    return new OrderInfo(record, { ...now, wallMs: pop.popTime }, pop.invisibleTime);
  }

  /** When the queue opens by itself; at or before now: it is open. */
  get opensAtMs(): number {
    let atMs = 0;
    for (let index = 0; index < this.offsets.length; index++) {
      if (!this.#isAcked(index)) atMs = Math.max(atMs, this.#visibleAtMs[index]!);
    }
    return atMs;
  }

  isClosedFor(attemptId: string | undefined, nowMs: number): boolean {
    if (this.attemptId !== undefined && this.attemptId === attemptId) return false;
    return nowMs < this.opensAtMs;
  }

  /** The offset to commit; `undefined`: this was not popped, or by another pop. */
  acknowledge(offset: number, popTime: number): number | undefined {
    const index = this.offsets.indexOf(offset);
    if (popTime !== this.popTime || index < 0) return undefined;
    this.ackedBits |= 1 << index;
    const first = this.offsets.findIndex((_, at) => !this.#isAcked(at));
    return first < 0 ? this.offsets.at(-1)! + 1 : this.offsets[first]!;
  }

  /** The message comes again so long from now. False: it was not popped, by another pop, or is acknowledged. */
  changeVisible(offset: number, popTime: number, invisibleTime: number, now: OrderMoment): boolean {
    const index = this.offsets.indexOf(offset);
    if (popTime !== this.popTime || index < 0 || this.#isAcked(index)) return false;
    this.nextVisible.set(offset, now.wallMs + invisibleTime);
    this.#visibleAtMs[index] = now.monotonicMs + invisibleTime;
    return true;
  }

  #isAcked(index: number): boolean {
    return (this.ackedBits & (1 << index)) !== 0;
  }
}

/** A message that comes again counts one more, unless it is the same attempt. */
function countsAfter(before: OrderInfo | undefined, pop: OrderPop): ReadonlyMap<number, number> {
  if (before === undefined) return new Map();
  if (before.attemptId !== undefined && before.attemptId === pop.attemptId) return before.counts;
  const counts = new Map<number, number>();
  for (const offset of pop.offsets) {
    if (before.offsets.includes(offset)) counts.set(offset, (before.counts.get(offset) ?? 0) + 1);
  }
  return counts;
}
