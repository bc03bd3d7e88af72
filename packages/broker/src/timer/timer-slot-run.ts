/**
 * Delivers one slot: its deletions are read first, then its messages go to where they belong, in the order they were
 * put in. What cannot be delivered for a reason of its own goes into a later slot and is tried again; only what the
 * store as a whole refuses makes the rest wait.
 *
 *   walking → deleting → delivering ⇄ pausing | full → delivered → safe
 *
 * delivered: all is appended; safe: all that was appended is on disk.
 */
import { HostError, type Logger, type Timers } from "@orbitmq/host";
import {
  type AppendOutcome,
  type AppendWaiter,
  type Durability,
  type MessageStore,
  SlotReader,
  TimerDamage,
  type TimerFiles,
  TimerMagic,
  type TimerUnit,
} from "@orbitmq/store";
import {
  getProperty,
  MessageConst,
  type MessageRecord,
  type RecordInput,
  readRecord,
  WireError,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import { TIMER_TOPIC } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { DamagedTimers } from "./damaged-timers.ts";
import { recallNames } from "./recalls.ts";
import { dueTimedMessage, rolledMessage } from "./timed-message.ts";

/** What is counted since the start. */
export interface TimerCounts {
  delivered: number;
  rolled: number;
  deleted: number;
  /** Attempts that failed for a reason of the message; it stays and is tried again. */
  kept: number;
  /** Messages that were removed from the log before their time. */
  removed: number;
  /** Messages that are damaged in the log and listed (damaged-timers.ts). */
  damaged: number;
}

export interface SlotRunNeeds {
  readonly timers: Timers;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly topics: Pick<TopicRegistry, "recover">;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
  readonly files: TimerFiles;
  readonly durability: Durability;
  readonly propertiesBytesMax: number;
  readonly counts: TimerCounts;
  readonly damaged: DamagedTimers;
  /** Whether a copy of the message at this position waits instead of it. */
  isCarried(position: number): boolean;
  readonly wallMs: () => number;
}

export interface SlotRunEvents {
  /** The message cannot be delivered and is to be tried again later. Throws HostError when even that cannot be kept. */
  keep(unit: TimerUnit, outMs: number): void;
  /** A message is put into the queue again, at this place. */
  rolled(queueOffset: number): void;
  /** All is appended. */
  delivered(run: TimerSlotRun): void;
  /** One more append is settled, after `delivered`. */
  settled(run: TimerSlotRun): void;
  /** Wheel or log cannot be read, or contradict themselves. */
  damaged(error: Error): void;
}

/** Messages of one turn, and appends that may be unsettled. */
const TURN_MESSAGES = 256;
const UNSETTLED_MAX = 2_048;
const PAUSE_MS = 1_000;
/** What cannot be read for so many pauses holds up the others no longer. */
const DELETION_TRIES_MAX = 60;
/** Refusals that are the message's own. */
const OWN_REFUSALS: ReadonlySet<string> = new Set(["MESSAGE_ILLEGAL", "PROPERTIES_SIZE_EXCEEDED"]);

export class TimerSlotRun implements AppendWaiter {
  readonly slotMs: number;
  readonly #needs: SlotRunNeeds;
  readonly #events: SlotRunEvents;
  readonly #reader: SlotReader;
  readonly #deleted = new Set<string>();
  #deletions = 0;
  #deletionTries = 0;
  #deletionsKeptAt: number | undefined;
  #current: TimerUnit | undefined;
  #state: "walking" | "deleting" | "delivering" | "full" | "delivered" = "walking";
  #stopped = false;
  #unsettled = 0;
  #allReached = true;
  /** One past the last record that was appended. */
  #end = 0;

  constructor(needs: SlotRunNeeds, events: SlotRunEvents, slotMs: number) {
    this.#needs = needs;
    this.#events = events;
    this.slotMs = slotMs;
    this.#reader = new SlotReader(needs.files, slotMs);
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  /** Whether a crash at this moment could take nothing of it back. */
  isSafe(flushedOffset: number): boolean {
    if (this.#state !== "delivered") return false;
    const isSettled = this.#unsettled === 0 && this.#allReached && this.#needs.durability === "flushed";
    return isSettled || this.#end <= flushedOffset;
  }

  start(): void {
    this.#soon();
  }

  stop(): void {
    this.#stopped = true;
  }

  appendSettled(outcome: AppendOutcome): void {
    if (outcome !== "reached") this.#allReached = false;
    this.#unsettled--;
    if (this.#state === "full" && this.#unsettled <= UNSETTLED_MAX / 2) {
      this.#state = "delivering";
      this.#soon();
    }
    if (this.#state === "delivered" || this.#stopped) this.#events.settled(this);
  }

  #soon(): void {
    this.#needs.timers.afterTurn(() => {
      if (this.#stopped) return;
      try {
        this.#turn();
      } catch (error) {
        if (!(error instanceof TimerDamage || error instanceof HostError)) throw error;
        this.#stopped = true;
        this.#events.damaged(error);
      }
    });
  }

  #turn(): void {
    if (this.#state === "walking") {
      if (this.#reader.walk()) this.#state = "deleting";
      this.#soon();
      return;
    }
    for (let messages = 0; messages < TURN_MESSAGES; messages++) {
      if (this.#unsettled >= UNSETTLED_MAX) {
        this.#state = "full";
        return;
      }
      const unit = this.#nextUnit();
      if (unit === undefined) {
        this.#state = "delivered";
        this.#events.delivered(this);
        return;
      }
      if (this.#needs.isCarried(unit.physicalOffset)) {
        this.#current = undefined;
        continue;
      }
      let isRead = false;
      let isWaiting = false;
      let goesOn = true;
      this.#needs.store.recordAt(unit.physicalOffset, (bytes, isDamaged) => {
        isRead = true;
        if (this.#stopped) return;
        goesOn = this.#found(unit, bytes, isDamaged);
        if (isWaiting && goesOn) this.#soon();
      });
      isWaiting = true;
      if (!isRead || !goesOn || this.#stopped) return;
    }
    this.#soon();
  }

  #nextUnit(): TimerUnit | undefined {
    if (this.#current !== undefined) return this.#current;
    if (this.#state === "deleting") {
      this.#current = this.#reader.deletions[this.#deletions++];
      if (this.#current === undefined) this.#state = "delivering";
    }
    this.#current ??= this.#reader.next();
    return this.#current;
  }

  /** False: it pauses, and tries the same message again. */
  #found(unit: TimerUnit, bytes: Uint8Array | undefined, isDamaged: boolean): boolean {
    const record = bytes && recordOf(bytes, unit);
    if (bytes !== undefined && record === undefined) {
      this.#stopped = true;
      this.#events.damaged(
        new TimerDamage(`timerlog says that a timed message lies at ${unit.physicalOffset}`),
      );
      return false;
    }
    const goesOn = record === undefined ? this.#notFound(unit, isDamaged) : this.#act(unit, record);
    if (goesOn) this.#current = undefined;
    else this.#needs.timers.after(PAUSE_MS, () => this.#soon());
    return goesOn;
  }

  #act(unit: TimerUnit, record: MessageRecord): boolean {
    const { properties } = record;
    if (this.#state === "deleting") {
      const key = getProperty(properties, MessageConst.TIMER_DEL_UNIQKEY);
      if (key !== undefined) this.#deleted.add(key);
      this.#deletionTries = 0;
      return true;
    }
    const isRoll = (unit.magic & TimerMagic.ROLL) !== 0;
    if (!isRoll && this.#isDeleted(properties)) {
      this.#needs.counts.deleted++;
      return true;
    }
    const { logger, identity, propertiesBytesMax } = this.#needs;
    const make = (stamps?: { enqueueMs: number; dequeueMs: number }): RecordInput | undefined =>
      isRoll
        ? rolledMessage(record, identity.storeHost, stamps)
        : dueTimedMessage(record, identity.storeHost, stamps);
    let message = make({ enqueueMs: unit.writeTimeMs, dequeueMs: this.#needs.wallMs() });
    if (message === undefined) {
      logger.error(whereOf(unit), "a timed message does not say where it belongs; it is left where it is");
      return true;
    }
    // What fitted when it was sent fits without our additions.
    if (Buffer.byteLength(message.properties) > propertiesBytesMax) message = make()!;
    return this.#append(unit, record, message, isRoll);
  }

  #append(unit: TimerUnit, record: MessageRecord, message: RecordInput, isRoll: boolean): boolean {
    const { store, topics, stats, logger, durability, counts } = this.#needs;
    const result = store.append(message, durability, this);
    if (result.status === "refused") {
      const { reason, remark } = result;
      logger.warn(
        { ...whereOf(unit), topic: message.topic, reason, remark },
        "a timed message is due and the store does not take it; trying again",
      );
      if (!OWN_REFUSALS.has(reason)) return false;
      return this.#keep(unit, outOf(record.properties) ?? unit.slotMs);
    }
    this.#unsettled++;
    this.#end = result.physicalOffset + result.byteCount;
    if (isRoll) {
      counts.rolled++;
      this.#events.rolled(result.queueOffset);
    } else {
      counts.delivered++;
      stats.counted.timers.of(message.topic).dequeued++;
      topics.recover(message.topic, message.queueId);
    }
    stats.put(1, result.byteCount, message.topic);
    return true;
  }

  #notFound(unit: TimerUnit, isDamaged: boolean): boolean {
    const { store, logger, counts } = this.#needs;
    if (unit.physicalOffset < store.status().minOffset) {
      counts.removed++;
      logger.error(whereOf(unit), "a timed message was removed from the log before its time: it is lost");
      return true;
    }
    if (store.status().state !== "running") return false;
    if (this.#state === "deleting") {
      if (!isDamaged && ++this.#deletionTries < DELETION_TRIES_MAX) {
        if (this.#deletionTries === 1)
          logger.error(whereOf(unit), "a deletion of a timed message cannot be read; trying again");
        return false;
      }
      logger.error(
        whereOf(unit),
        "a deletion of a timed message cannot be read; what it deletes is delivered",
      );
      this.#deletionTries = 0;
      return true;
    }
    if (isDamaged && this.#needs.damaged.isKnown(unit.physicalOffset)) return this.#list(unit);
    logger.error(whereOf(unit), "a timed message is due and cannot be read; trying again");
    return this.#keep(unit, unit.slotMs);
  }

  #list({ physicalOffset, slotMs, isPutOff, writeTimeMs }: TimerUnit): boolean {
    const { damaged, counts, wallMs, logger } = this.#needs;
    // One that was put off no longer knows its own second: it was before it was put off.
    const dueMs = isPutOff ? Math.min(slotMs, writeTimeMs) : slotMs;
    try {
      damaged.add({ position: physicalOffset, dueMs, foundMs: wallMs() });
      counts.damaged = damaged.count;
      return true;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      logger.error({ err: error, physicalOffset }, "a damaged timed message cannot be listed; trying again");
      return false;
    }
  }

  #keep(unit: TimerUnit, outMs: number): boolean {
    this.#needs.counts.kept++;
    try {
      this.#keepDeletions(outMs);
      this.#events.keep(unit, outMs);
      return true;
    } catch (error) {
      this.#needs.logger.error(
        { ...whereOf(unit), err: error },
        "a timed message cannot be put off; trying again",
      );
      return false;
    }
  }

  /** What deletes the message, if anything does, goes where it goes: units put off in one second share a slot. */
  #keepDeletions(outMs: number): void {
    const second = Math.floor(this.#needs.wallMs() / 1_000);
    if (second === this.#deletionsKeptAt) return;
    for (const deletion of this.#reader.deletions) this.#events.keep(deletion, outMs);
    this.#deletionsKeptAt = second;
  }

  #isDeleted(properties: string): boolean {
    if (this.#deleted.size === 0) return false;
    return recallNames(properties).some((name) => this.#deleted.has(name));
  }
}

/** Wall ms after which the message is due; `undefined` when the record does not say. */
export function outOf(properties: string): number | undefined {
  const text = getProperty(properties, MessageConst.TIMER_OUT_MS) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `undefined`: this is not the message the unit was made for. */
export function recordOf(bytes: Uint8Array, unit: TimerUnit): MessageRecord | undefined {
  try {
    const record = readRecord(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return record.topic === TIMER_TOPIC && record.totalSize === unit.recordSize ? record : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function whereOf({ slotMs, physicalOffset }: TimerUnit): object {
  return { slotMs, physicalOffset };
}
