/**
 * Copies messages that wait for their time to the log's end before retention removes the part of the log they lie in
 * (RocketMQ loses them when forced cleaning comes first): they go through the timer's queue once more, as those do whose
 * time lies beyond the wheel's window. What the wheel has of the first ones is passed over when its second comes.
 *
 *   resting → looking (how much waits there) → copying → resting
 *
 * A copy counts once it is durable; a crash before the part of the log is gone may deliver both.
 */
import { HostError, type Logger, type Timers } from "@orbitmq/host";
import {
  type AppendOutcome,
  type Durability,
  type MessageStore,
  TIMER_UNIT_BYTES,
  type TimerFiles,
  type TimerUnit,
} from "@orbitmq/store";
import type { BrokerIdentity } from "../broker-identity.ts";
import { rolledMessage } from "./timed-message.ts";
import { recordOf } from "./timer-slot-run.ts";

/** Units of timerlog looked at in one turn. */
const UNITS_PER_TURN = 4_096;
const AT_ONCE = 256;
/** When more of a part of the log than this waits for its time, to remove it gains next to nothing: it is kept. */
const SHARE_MOST = 0.5;

export interface TimerCarrierNeeds {
  readonly timers: Pick<Timers, "afterTurn">;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly identity: BrokerIdentity;
  readonly files: TimerFiles;
  readonly durability: Durability;
  /** Of a run before. */
  readonly kept: { readonly carriedTo: number; noteCarried(carriedTo: number): void };
  /** Whether the timer's queue is read as far as this position of the log. */
  isReadTo(position: number): boolean;
  /** A copy is in the timer's queue, at this place. */
  stored(queueOffset: number): void;
}

type Done = (mayGo: boolean) => void;

export class TimerCarrier {
  readonly #needs: TimerCarrierNeeds;
  /** Everything that waited below is carried, durably. */
  #carriedTo = 0;
  /** Where the messages lie that are carried, durably, from there on. */
  readonly #carried = new Set<number>();
  #isBusy = false;
  #isStopped = false;
  /** Counts rebuilds of the wheel: what was seen of the one before is not so any more. */
  #resets = 0;

  constructor(needs: TimerCarrierNeeds) {
    this.#needs = needs;
  }

  /** Whether a copy of the message at this position waits instead of it. */
  isCarried(position: number): boolean {
    return position < this.#carriedTo || this.#carried.has(position);
  }

  /** At start: what was carried before is not believed beyond the log's beginning, where both may be. */
  load(): void {
    const { kept, store } = this.#needs;
    if (kept.carriedTo <= store.status().minOffset) this.#carriedTo = kept.carriedTo;
  }

  /** Wheel and log of timers are made anew. */
  reset(): void {
    this.#resets++;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Before the log's part below `limit` goes; `done(false)`: not all that waits is durable elsewhere. */
  carryBefore(limit: number, done: Done): void {
    if (limit <= this.#carriedTo) {
      done(true);
      return;
    }
    if (this.#isStopped || this.#isBusy || !this.#needs.isReadTo(limit)) {
      done(false);
      return;
    }
    this.#isBusy = true;
    const over = (mayGo: boolean): void => {
      this.#isBusy = false;
      done(mayGo);
    };
    this.#look(limit, (units) => {
      if (units === undefined) over(false);
      else this.#copyAll(units, limit, over);
    });
  }

  /** Units whose messages lie below `limit` and wait; `undefined`: too many, or they cannot be told now. */
  #look(limit: number, found: (units: readonly TimerUnit[] | undefined) => void): void {
    const { files, store, timers, logger } = this.#needs;
    const bytesMost = (limit - store.status().minOffset) * SHARE_MOST;
    const units: TimerUnit[] = [];
    const resets = this.#resets;
    let from = files.logStart;
    let bytes = 0;
    const turn = (): void => {
      if (this.#isStopped || resets !== this.#resets) {
        found(undefined);
        return;
      }
      let count = 0;
      try {
        for (const { position, unit } of files.units(from)) {
          if (count++ === UNITS_PER_TURN) {
            timers.afterTurn(turn);
            return;
          }
          from = position + TIMER_UNIT_BYTES;
          if (unit.physicalOffset >= limit || this.isCarried(unit.physicalOffset)) continue;
          // It is on its way out: a moment later it is delivered.
          if (files.isTaken(unit.slotMs)) {
            found(undefined);
            return;
          }
          if (files.slot(unit.slotMs) === undefined) continue;
          units.push(unit);
          bytes += unit.recordSize;
          if (bytes <= bytesMost) continue;
          logger.error(
            { to: limit, waiting: units.length, bytes },
            "the oldest part of the log is kept: more than half of it waits for its time",
          );
          found(undefined);
          return;
        }
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        logger.error({ err: error }, "timerlog cannot be read; the oldest part of the log is kept for now");
        found(undefined);
        return;
      }
      found(units);
    };
    turn();
  }

  #copyAll(units: readonly TimerUnit[], limit: number, done: Done): void {
    const { logger, store } = this.#needs;
    let next = 0;
    let underWay = 0;
    let [carried, failed] = [0, 0];
    let isGoing = false;
    let isOver = false;
    const over = (isCarried: boolean): void => {
      if (isCarried) carried++;
      else failed++;
      underWay--;
      go();
    };
    const go = (): void => {
      if (isGoing || isOver) return;
      isGoing = true;
      while (next < units.length && underWay < AT_ONCE && failed === 0) {
        underWay++;
        this.#copy(units[next++]!, over);
      }
      isGoing = false;
      if (underWay > 0) return;
      isOver = true;
      const mayGo = failed === 0;
      const about = { to: limit, waiting: units.length, carried };
      if (mayGo) {
        this.#carriedTo = limit;
        if (carried > 0) this.#keep(limit);
        for (const position of this.#carried) if (position < limit) this.#carried.delete(position);
        if (carried > 0)
          logger.info(about, "timed messages were carried to the log's end before their part of it goes");
      } else {
        logger.error(
          { ...about, refusal: store.status().refusal?.remark },
          "the oldest part of the log is kept: timed messages in it cannot be carried to its end now",
        );
      }
      done(mayGo);
    };
    go();
  }

  #keep(limit: number): void {
    try {
      this.#needs.kept.noteCarried(limit);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#needs.logger.warn(
        { err: error, to: limit },
        "how far timed messages were carried is not saved: after a restart some may be reported as lost that are not",
      );
    }
  }

  #copy(unit: TimerUnit, over: (isCarried: boolean) => void): void {
    const { store, identity, durability, logger } = this.#needs;
    const { physicalOffset } = unit;
    store.recordAt(physicalOffset, (bytes, isDamaged) => {
      const record = bytes && recordOf(bytes, unit);
      if (record === undefined) {
        if (isDamaged) {
          logger.error({ physicalOffset }, "a timed message is damaged, and goes with its part of the log");
        }
        over(isDamaged);
        return;
      }
      const message = rolledMessage(record, identity.storeHost, undefined);
      const appendSettled = (outcome: AppendOutcome): void => {
        if (outcome !== "failed") this.#carried.add(physicalOffset);
        over(outcome !== "failed");
      };
      const result = store.append(message, durability, { appendSettled });
      if (result.status === "refused") over(false);
      else this.#needs.stored(result.queueOffset);
    });
  }
}
