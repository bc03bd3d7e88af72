/**
 * The step core of ordered consumption: the messages of one queue in their order, and what the end of a listener
 * means for them (RocketMQ: ProcessQueue and ConsumeMessageOrderlyService.processConsumeResult). Pure.
 *
 *   waiting ──take──▶ taken ──commit──▶ gone
 *      ▲                │ ╰──failed too often, and the broker has it──▶ gone
 *      ╰── again, all ──╯    (roll back: everything taken; suspend: the batch alone)
 *
 * With automatic commit a success commits. Without it messages stay taken, and hold the committable offset, until a
 * listener commits. A batch is taken after the one before it was decided on.
 */
import { assert } from "@orbitmq/host";
import type { HeldMessages } from "./queue-consumption.ts";

export type OrderlyStatus = "SUCCESS" | "COMMIT" | "ROLLBACK" | "SUSPEND_CURRENT_QUEUE_A_MOMENT";

export interface OrderlyEntry<T> {
  readonly queueOffset: number;
  readonly bytes: number;
  readonly payload: T;
  /** How often its listener failed, earlier lives included. */
  attempts: number;
}

export interface OrderlyStep<T> {
  /** True: the queue rests, then goes on where it is. */
  readonly pauses: boolean;
  /** These failed as often as they may: each goes to the broker, and is told of with {@link OrderlyQueue.returned}. */
  readonly giveBack: readonly OrderlyEntry<T>[];
}

export class OrderlyQueue<T> implements HeldMessages {
  /** In order; the first `#taken` are with the listener or wait for their commit. */
  #entries: OrderlyEntry<T>[] = [];
  #taken = 0;
  #bytes = 0;
  #nextOffset: number;
  /** Failures a message may have before the next one sends it back. */
  readonly #attemptsMax: number;

  constructor(startOffset: number, attemptsMax: number) {
    this.#nextOffset = startOffset;
    this.#attemptsMax = attemptsMax;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  get committableOffset(): number {
    return this.#entries[0]?.queueOffset ?? this.#nextOffset;
  }

  get count(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get span(): number {
    const first = this.#entries[0];
    return first === undefined ? 0 : this.#entries.at(-1)!.queueOffset - first.queueOffset;
  }

  get hasNext(): boolean {
    return this.#taken < this.#entries.length;
  }

  /** Ignores an offset that was already pulled. */
  add(queueOffset: number, bytes: number, payload: T, attempts: number): void {
    if (queueOffset < this.#nextOffset) return;
    this.#entries.push({ queueOffset, bytes, payload, attempts });
    this.#bytes += bytes;
    this.#nextOffset = queueOffset + 1;
  }

  /** Never goes back. */
  advanceTo(offset: number): void {
    if (offset > this.#nextOffset) this.#nextOffset = offset;
  }

  /** The next ones, as long as `fits` says so of each; they are taken then. */
  take(fits: (entry: OrderlyEntry<T>, batch: readonly OrderlyEntry<T>[]) => boolean): OrderlyEntry<T>[] {
    const batch: OrderlyEntry<T>[] = [];
    for (let i = this.#taken; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (!fits(entry, batch)) break;
      batch.push(entry);
    }
    this.#taken += batch.length;
    return batch;
  }

  /** The batch was not heard at all: as if it had not been taken. */
  untake(batch: readonly OrderlyEntry<T>[]): void {
    assert(batch.length <= this.#taken, "what is put back was taken");
    this.#taken -= batch.length;
  }

  /** The listener of the batch taken last came to its end. */
  decide(batch: readonly OrderlyEntry<T>[], status: OrderlyStatus, autoCommit: boolean): OrderlyStep<T> {
    switch (status) {
      case "SUCCESS":
        if (autoCommit) this.#commit();
        return { pauses: false, giveBack: [] };
      case "COMMIT":
        this.#commit();
        return { pauses: false, giveBack: [] };
      case "ROLLBACK":
        // Who commits automatically has nothing else to roll back than what just failed.
        if (autoCommit) return this.#again(batch);
        this.#taken = 0;
        return { pauses: true, giveBack: [] };
      default:
        return this.#again(batch);
    }
  }

  /** What became of an entry of {@link OrderlyStep.giveBack}; one the broker did not take stays. */
  returned(entry: OrderlyEntry<T>, taken: boolean): void {
    if (!taken) {
      entry.attempts += 1;
      return;
    }
    const at = this.#entries.indexOf(entry);
    assert(at >= this.#taken, "what goes back is not taken any more");
    this.#entries.splice(at, 1);
    this.#bytes -= entry.bytes;
  }

  #commit(): void {
    for (let i = 0; i < this.#taken; i++) this.#bytes -= this.#entries[i]!.bytes;
    this.#entries.splice(0, this.#taken);
    this.#taken = 0;
  }

  #again(batch: readonly OrderlyEntry<T>[]): OrderlyStep<T> {
    this.untake(batch);
    const giveBack = batch.filter(({ attempts }) => attempts >= this.#attemptsMax);
    for (const entry of batch) if (entry.attempts < this.#attemptsMax) entry.attempts += 1;
    return { pauses: giveBack.length < batch.length, giveBack };
  }
}
