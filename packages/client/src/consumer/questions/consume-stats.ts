/**
 * How fast a consumer gets and consumes each topic, over the last minute (RocketMQ: ConsumerStatsManager): sums in six
 * slots of ten seconds that are written over in turn.
 */
import type { Clock } from "@orbitmq/host";

const SLOT_MS = 10_000;
const SLOTS = 6;

/** RocketMQ: ConsumeStatus. Times in ms, rates per second. */
export interface ConsumeStatus {
  readonly pullRT: number;
  readonly pullTPS: number;
  readonly consumeRT: number;
  readonly consumeOKTPS: number;
  readonly consumeFailedTPS: number;
  /** Since the consumer started; RocketMQ counts the last hour. */
  readonly consumeFailedMsgs: number;
}

interface Slot {
  /** Which ten seconds these are. */
  number: number;
  pulls: number;
  pullMs: number;
  pulled: number;
  runs: number;
  runMs: number;
  ok: number;
  failed: number;
}

export class ConsumeStats {
  readonly #clock: Clock;
  readonly #topics = new Map<string, { readonly slots: Slot[]; failed: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  pulled(topic: string, messages: number, ms: number): void {
    const slot = this.#slot(topic);
    slot.pulls += 1;
    slot.pullMs += ms;
    slot.pulled += messages;
  }

  ran(topic: string, ms: number): void {
    const slot = this.#slot(topic);
    slot.runs += 1;
    slot.runMs += ms;
  }

  ended(topic: string, success: boolean): void {
    const slot = this.#slot(topic);
    if (success) slot.ok += 1;
    else {
      slot.failed += 1;
      this.#topics.get(topic)!.failed += 1;
    }
  }

  of(topic: string): ConsumeStatus {
    const { slots = [], failed = 0 } = this.#topics.get(topic) ?? {};
    const oldest = this.#number() - SLOTS;
    const sum = (field: Exclude<keyof Slot, "number">) =>
      slots.reduce((total, slot) => (slot.number > oldest ? total + slot[field] : total), 0);
    const perSecond = (count: number) => count / ((SLOTS * SLOT_MS) / 1_000);
    return {
      pullRT: sum("pullMs") / Math.max(sum("pulls"), 1),
      pullTPS: perSecond(sum("pulled")),
      consumeRT: sum("runMs") / Math.max(sum("runs"), 1),
      consumeOKTPS: perSecond(sum("ok")),
      consumeFailedTPS: perSecond(sum("failed")),
      consumeFailedMsgs: failed,
    };
  }

  #number(): number {
    return Math.floor(this.#clock.monotonicMs() / SLOT_MS);
  }

  #slot(topic: string): Slot {
    let of = this.#topics.get(topic);
    if (of === undefined) {
      of = { slots: [], failed: 0 };
      this.#topics.set(topic, of);
    }
    const number = this.#number();
    const at = number % SLOTS;
    let slot = of.slots[at];
    if (slot?.number !== number) {
      slot = { number, pulls: 0, pullMs: 0, pulled: 0, runs: 0, runMs: 0, ok: 0, failed: 0 };
      of.slots[at] = slot;
    }
    return slot;
  }
}
