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
  readonly #topics = new Map<string, TopicStats>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Where a topic is counted; the same for as long as the consumer lives. */
  topic(name: string): TopicStats {
    let stats = this.#topics.get(name);
    if (stats === undefined) {
      stats = new TopicStats();
      this.#topics.set(name, stats);
    }
    return stats;
  }

  of(topic: string): ConsumeStatus {
    return (this.#topics.get(topic) ?? new TopicStats()).status(this.#clock.monotonicMs());
  }
}

/** One topic's sums. `nowMs` is monotonic: who counts every message has just read the clock. */
export class TopicStats {
  readonly #slots: Slot[] = [];
  /** The slot written last, and until when it is the one. */
  #slot: Slot = newSlot(-1);
  #untilMs = Number.NEGATIVE_INFINITY;
  #failed = 0;

  pulled(nowMs: number, messages: number, ms: number): void {
    const slot = this.#at(nowMs);
    slot.pulls += 1;
    slot.pullMs += ms;
    slot.pulled += messages;
  }

  ran(nowMs: number, ms: number): void {
    const slot = this.#at(nowMs);
    slot.runs += 1;
    slot.runMs += ms;
  }

  ended(nowMs: number, success: boolean): void {
    const slot = this.#at(nowMs);
    if (success) slot.ok += 1;
    else {
      slot.failed += 1;
      this.#failed += 1;
    }
  }

  status(nowMs: number): ConsumeStatus {
    const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS;
    const sum = (field: Exclude<keyof Slot, "number">) =>
      this.#slots.reduce((total, slot) => (slot.number > oldest ? total + slot[field] : total), 0);
    const perSecond = (count: number) => count / ((SLOTS * SLOT_MS) / 1_000);
    return {
      pullRT: sum("pullMs") / Math.max(sum("pulls"), 1),
      pullTPS: perSecond(sum("pulled")),
      consumeRT: sum("runMs") / Math.max(sum("runs"), 1),
      consumeOKTPS: perSecond(sum("ok")),
      consumeFailedTPS: perSecond(sum("failed")),
      consumeFailedMsgs: this.#failed,
    };
  }

  #at(nowMs: number): Slot {
    if (nowMs >= this.#untilMs) {
      const number = Math.floor(nowMs / SLOT_MS);
      this.#slot = newSlot(number);
      this.#slots[number % SLOTS] = this.#slot;
      this.#untilMs = (number + 1) * SLOT_MS;
    }
    return this.#slot;
  }
}

function newSlot(number: number): Slot {
  return { number, pulls: 0, pullMs: 0, pulled: 0, runs: 0, runMs: 0, ok: 0, failed: 0 };
}
