/**
 * Delivers delayed messages (RocketMQ: ScheduleMessageService): per level of `messageDelayLevel` it reads the
 * queue of SCHEDULE_TOPIC_XXXX and appends what is due to its real queue, in order. Nothing is polled: a level
 * wakes when its first message is due, or when one arrives. The decisions are delay-level's; this is the I/O
 * around them.
 *
 * delayOffset.json follows behind: it never names a delivery that a crash could take back, so that a message may
 * come twice after a crash, and never not at all.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import {
  type AppendOutcome,
  type AppendWaiter,
  type ArrivalListener,
  type Durability,
  type GetResult,
  type MessageStore,
  parseDelayLevels,
  type StateFile,
} from "@orbitmq/store";
import { type DataVersion, newDataVersion, nextDataVersion, readRecord } from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import { HALF_TOPIC, SCHEDULE_TOPIC } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { DelayLevel, type Delivery, type LevelAction } from "./delay-level.ts";
import { formatDelayOffsets, parseDelayOffsets } from "./delay-offsets.ts";
import type { Moment } from "./due-times.ts";
import { dueMessage } from "./scheduled-message.ts";

export interface ScheduleServiceNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly topics: Pick<TopicRegistry, "recover">;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
  readonly messageDelayLevel: string;
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  readonly flushDelayOffsetInterval: number;
  readonly delayOffsetUpdateVersionStep: number;
}

/** One read of a level. */
const MESSAGES_MAX = 32;
const BYTES_MAX = 262_144;
/** Reads of one level whose appends are not settled yet. */
const UNSETTLED_MAX = 16;
/** The store takes no messages now. */
const REFUSED_PAUSE_MS = 1_000;
/** Timers of a host need not reach further; a level that wakes early waits again. */
const WAIT_MS_MAX = 3_600_000;

export class ScheduleService implements ArrivalListener {
  readonly #needs: ScheduleServiceNeeds;
  readonly #delaysMs: readonly number[];
  readonly #durability: Durability;
  /** What the file held, by level. */
  readonly #kept = new Map<number, number>();
  #levels: LevelRun[] = [];
  #dataVersion: DataVersion;
  #changes = 0;
  #timer: TimerHandle | undefined;
  #stopped = false;
  /** Told when the last delivery under way is settled. */
  #onSettled: (() => void) | undefined;

  /** Throws StoreError ILLEGAL_OPTION for delays that cannot be read. */
  constructor(needs: ScheduleServiceNeeds) {
    this.#needs = needs;
    this.#delaysMs = parseDelayLevels(needs.messageDelayLevel);
    this.#durability = needs.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
    this.#dataVersion = newDataVersion(needs.clock.wallMs());
  }

  /** Level 1 first. */
  get delaysMs(): readonly number[] {
    return this.#delaysMs;
  }

  /** Reads delayOffset.json. */
  load(): void {
    const loaded = this.#needs.file?.load(parseDelayOffsets);
    if (loaded === undefined) return;
    this.#dataVersion = loaded.value.dataVersion;
    for (const [level, offset] of loaded.value.offsets) this.#kept.set(level, offset);
  }

  /** Begins to deliver; the store runs and the broker's address is known. Once. */
  start(): void {
    const { store } = this.#needs;
    const now = this.now();
    this.#levels = this.#delaysMs.map((delayMs, index) => {
      const level = index + 1;
      const end = store.readableEnd(SCHEDULE_TOPIC, index);
      const next = this.#startOf(level, store.minOffset(SCHEDULE_TOPIC, index), end);
      const settledIsSafe = this.#durability === "flushed";
      const options = { level, delayMs, next, end, unsettledMax: UNSETTLED_MAX, settledIsSafe };
      return new LevelRun(this, new DelayLevel(options, now));
    });
    store.subscribeArrivals(this);
    store.onFailed(() => this.#halt());
    for (const run of this.#levels) run.act(run.core.start(now));
  }

  messageArrived(topic: string, queueId: number, endOffset: number, tagsCode: number): void {
    if (topic !== SCHEDULE_TOPIC) return;
    const run = this.#levels[queueId];
    run?.act(run.core.arrived(endOffset, tagsCode, this.now()));
  }

  /** Ends deliveries; `done` is called when those under way are settled, after `timeoutMs` at the latest. */
  stop(timeoutMs: number, done: () => void): void {
    this.#halt();
    if (this.#unsettled() === 0) {
      done();
      return;
    }
    const timer = this.#needs.timers.after(timeoutMs, () => this.#onSettled?.());
    this.#onSettled = () => {
      this.#onSettled = undefined;
      timer.cancel();
      done();
    };
  }

  /** Writes the file, after `stop`. Throws HostError. */
  save(): void {
    const { file } = this.#needs;
    try {
      if (this.#changes > 0) {
        this.#followFlush();
        file?.saveSync(this.#format((core) => core.settledNext));
      }
    } finally {
      file?.close();
    }
  }

  /** Level → how far it is delivered (as delayOffset.json says) and where its queue ends. */
  progress(): Map<number, { readonly delivered: number; readonly end: number }> {
    return new Map(
      this.#levels.map(({ core }) => [
        core.level,
        { delivered: core.next, end: this.#needs.store.readableEnd(SCHEDULE_TOPIC, core.level - 1) },
      ]),
    );
  }

  now(): Moment {
    const { clock } = this.#needs;
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  }

  get parts(): ScheduleServiceNeeds {
    return this.#needs;
  }

  get durability(): Durability {
    return this.#durability;
  }

  /** A level has delivered up to another place. */
  moved(): void {
    this.#changes++;
    const { clock, delayOffsetUpdateVersionStep } = this.#needs;
    if (this.#changes % delayOffsetUpdateVersionStep === 0) {
      this.#dataVersion = nextDataVersion(this.#dataVersion, clock.wallMs());
    }
    this.#saveLater();
  }

  settledOne(): void {
    if (this.#stopped && this.#unsettled() === 0) this.#onSettled?.();
  }

  #saveLater(): void {
    const { file, timers, flushDelayOffsetInterval } = this.#needs;
    if (file === undefined || this.#stopped) return;
    this.#timer ??= timers.after(flushDelayOffsetInterval, () => {
      this.#timer = undefined;
      this.#followFlush();
      file.save(this.#format((core) => core.safe));
      if (this.#levels.some(({ core }) => core.safe !== core.next)) this.#saveLater();
    });
  }

  /** Where a level's deliveries go on. */
  #startOf(level: number, min: number, end: number): number {
    const kept = this.#kept.get(level);
    const start = Math.min(Math.max(kept ?? min, min), end);
    if (kept === undefined && end > min && this.#needs.file !== undefined) {
      this.#needs.logger.warn(
        { level, from: start, to: end },
        "delayOffset.json does not say how far a delay level is delivered; it is delivered from its beginning",
      );
    } else if (kept !== undefined && kept !== start) {
      this.#needs.logger.warn(
        { level, from: kept, to: start, min, end },
        "the offset of a delay level lay outside of its queue; set to where the queue is",
      );
    }
    return start;
  }

  #unsettled(): number {
    return this.#levels.reduce((sum, { core }) => sum + core.unsettled, 0);
  }

  #followFlush(): void {
    const { flushedOffset } = this.#needs.store.status();
    for (const { core } of this.#levels) core.flushed(flushedOffset);
  }

  /** delayOffset.json as it would be written now. */
  text(): string {
    return this.#format((core) => core.safe);
  }

  #format(offsetOf: (core: DelayLevel) => number): string {
    const offsets = new Map(this.#kept);
    for (const { core } of this.#levels) offsets.set(core.level, offsetOf(core));
    const moved = [...offsets].filter(([, offset]) => offset > 0).sort(([a], [b]) => a - b);
    return formatDelayOffsets({ dataVersion: this.#dataVersion, offsets: new Map(moved) });
  }

  #halt(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const run of this.#levels) run.stop();
  }
}

/** The timer, the reads and the appends of one level. */
class LevelRun {
  readonly core: DelayLevel;
  readonly #service: ScheduleService;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(service: ScheduleService, core: DelayLevel) {
    this.#service = service;
    this.core = core;
  }

  act(action: LevelAction): void {
    if (action.kind === "none" || this.#stopped) return;
    const { timers, clock } = this.#service.parts;
    if (action.kind === "read") {
      // Never inside the store's own callbacks, and a turn between two reads of a backlog.
      timers.afterTurn(() => this.#read());
      return;
    }
    this.#timer?.cancel();
    const waitMs = Math.min(Math.max(0, action.untilMs - clock.monotonicMs()), WAIT_MS_MAX);
    this.#timer = timers.after(waitMs, () => {
      this.#timer = undefined;
      this.act(this.core.woken(this.#service.now()));
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.core.stop();
  }

  settled(delivery: Delivery, reached: boolean): void {
    this.act(this.core.settled(delivery, reached, this.#service.now()));
    this.#service.settledOne();
  }

  #read(): void {
    if (this.#stopped) return;
    const now = this.#service.now();
    this.#service.parts.store.get(
      {
        topic: SCHEDULE_TOPIC,
        queueId: this.core.level - 1,
        offset: this.core.next,
        messagesMax: MESSAGES_MAX,
        bytesMax: BYTES_MAX,
        stopBefore: (offset, deliverAtMs) => !this.core.isDue(offset, deliverAtMs, now),
      },
      (result) => this.#found(result),
    );
  }

  #found(result: GetResult): void {
    const { logger } = this.#service.parts;
    if (this.#stopped) {
      result.release();
      return;
    }
    let next: number = result.nextBeginOffset;
    if (result.status === "OFFSET_TOO_SMALL" || result.status === "OFFSET_OVERFLOW_BADLY") {
      logger.warn(
        { level: this.core.level, from: this.core.next, to: next, status: result.status },
        "the queue of a delay level does not reach to where it is delivered; going on where it is",
      );
    }
    let delivery: PendingDelivery | undefined;
    let pauseMs: number | undefined;
    try {
      if (result.messageCount > 0) {
        delivery = new PendingDelivery(this);
        const refusedAt = this.#deliver(result, delivery);
        if (refusedAt !== undefined) {
          next = refusedAt;
          pauseMs = REFUSED_PAUSE_MS;
        }
        delivery.next = next;
        if (delivery.waiting === 0) delivery = undefined;
      }
    } finally {
      result.release();
    }
    const moved = next !== this.core.next;
    this.act(this.core.looked({ next, delivery, pauseMs }, this.#service.now()));
    if (moved) this.#service.moved();
  }

  /** Appends each record to its real queue. Returns the offset of the first that the store did not take. */
  #deliver({ slices }: GetResult, delivery: PendingDelivery): number | undefined {
    const { store, topics, stats, logger, identity } = this.#service.parts;
    for (const slice of slices) {
      const bytes = Buffer.from(slice.buffer, slice.byteOffset, slice.length);
      for (let at = 0; at < bytes.length; ) {
        const record = readRecord(bytes, at);
        at += record.totalSize;
        const message = dueMessage(record, identity.storeHost);
        const where = {
          level: this.core.level,
          queueOffset: record.queueOffset,
          physicalOffset: record.physicalOffset,
        };
        if (message === undefined || message.topic === HALF_TOPIC) {
          logger.error(where, "a delayed message does not say where it belongs; it is left where it is");
          continue;
        }
        const result = store.append(message, this.#service.durability, delivery);
        if (result.status === "refused") {
          logger.warn(
            { ...where, topic: message.topic, reason: result.reason, remark: result.remark },
            "a delayed message is due and the store does not take it; trying again",
          );
          return record.queueOffset;
        }
        topics.recover(message.topic, message.queueId);
        delivery.waiting++;
        delivery.position = result.physicalOffset;
        stats.put(1, result.byteCount, message.topic, "delay");
      }
    }
    return undefined;
  }
}

/** The messages of one read on their way to being durable. */
class PendingDelivery implements AppendWaiter, Delivery {
  next = 0;
  position = 0;
  settled = false;
  waiting = 0;
  readonly #run: LevelRun;
  #reached = true;

  constructor(run: LevelRun) {
    this.#run = run;
  }

  appendSettled(outcome: AppendOutcome): void {
    if (outcome !== "reached") this.#reached = false;
    if (--this.waiting === 0) this.#run.settled(this, this.#reached);
  }
}
