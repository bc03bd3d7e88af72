/**
 * Delivers messages at a time (RocketMQ: TimerMessageStore): follows the timer's queue into wheel and log as
 * messages become readable, and empties one slot after the other once its second is over. The slots' times are wall
 * time, so that nothing is delivered before the clock says so; between them it sleeps in monotonic time, a minute at
 * most while anything waits, after which a clock that was set forward is noticed.
 *
 * timercheck follows behind: it never counts as delivered what a crash could take back. After a crash what was
 * delivered since it was saved is delivered again.
 *
 *   new → loaded → running → stopped
 *   the queue:   idle ⇄ reading (→ pausing → reading)
 *   the slots:   resting ⇄ waiting for the next second → emptying one
 */
import {
  assert,
  type Clock,
  type Files,
  HostError,
  type Logger,
  type TimerHandle,
  type Timers,
} from "@orbitmq/host";
import {
  type ArrivalListener,
  type Durability,
  type GetResult,
  KEPT,
  type MessageStore,
  TIMER_PRECISION_MS,
  TimerDamage,
  TimerFiles,
  type TimerUnit,
} from "@orbitmq/store";
import { getProperty, javaHash, MessageConst, type MessageRecord, readRecord } from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import { TIMER_TOPIC } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { TimerProgress } from "./timer-progress.ts";
import { outOf, recordOf, type SlotRunEvents, type TimerCounts, TimerSlotRun } from "./timer-slot-run.ts";
import { placeTimer } from "./timer-window.ts";

export interface TimerServiceNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: Files;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly topics: Pick<TopicRegistry, "recover">;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
  readonly options: TimerServiceOptions;
}

export interface TimerServiceOptions {
  /** storePathRootDir; absent: there are no timers. */
  readonly timerHome?: string | undefined;
  readonly timerWheelEnable: boolean;
  readonly timerRollWindowSlot: number;
  readonly timerFlushIntervalMs: number;
  readonly timerCongestNumEachSlot: number;
  readonly mappedFileSizeTimerLog: number;
  /** Of the wheel; others than 1,209,600 only for tests. */
  readonly timerWheelSlots: number;
  readonly timerKeptRetryMs: number;
  readonly propertiesBytesMax: number;
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
}

/** One read of the queue. */
const MESSAGES_MAX = 256;
const BYTES_MAX = 1_048_576;
/** RocketMQ: TIMER_BLANK_SLOTS. */
const BLANK_SLOTS = 60;
/** Nothing could be read or written now. */
const PAUSE_MS = 1_000;
/** A record of the queue that cannot be read is tried again. */
const STUCK_PAUSE_MS = 10_000;
/** A wall clock that was set forward is noticed after so long. */
const WAIT_MS_MAX = 60_000;
/** Slots delivered whose messages may not be durable yet. */
const UNSAFE_SLOTS_MAX = 1_024;
/** Appends of all slots that may be unsettled when another is begun. */
const UNSETTLED_MAX = 8_192;
/** Changed pages of the wheel beyond which they are saved at once. */
const DIRTY_PAGES_MAX = 2_048;
/** Messages put off before the start have come round again by then. */
const HOLD_SLOTS = 60;

export class TimerService implements ArrivalListener {
  readonly counts: TimerCounts = { delivered: 0, rolled: 0, deleted: 0, kept: 0, removed: 0 };
  readonly #needs: TimerServiceNeeds;
  readonly #files: TimerFiles | undefined;
  readonly #durability: Durability;
  readonly #windowSlots: number;
  readonly #progress = new TimerProgress();
  #state: "new" | "loaded" | "running" | "stopped" = "new";
  /** The queue: the next message, and the end. */
  #next = 0;
  #end = 0;
  #isReading = false;
  #isFull = false;
  #readTimer: TimerHandle | undefined;
  /** Of a rebuild: messages of the queue below, to be delivered before, are delivered. */
  #skip = { offset: 0, readTimeMs: 0 };
  #run: TimerSlotRun | undefined;
  /** Delivered, not safe. */
  readonly #delivered = new Map<number, TimerSlotRun>();
  #wakeTimer: TimerHandle | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #saveTimer: TimerHandle | undefined;
  #isSaving = false;
  #isChanged = false;
  #onSettled: (() => void) | undefined;
  /** Slots are emptied once the queue is read to here: what deletes their messages may lie before. */
  #readFirst = 0;

  constructor(needs: TimerServiceNeeds) {
    const { options, files, logger } = needs;
    this.#needs = needs;
    this.#durability = options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
    const slots = options.timerWheelSlots;
    // RocketMQ knows half of its slots as the wheel's days.
    const windowMax = slots / 2 - BLANK_SLOTS;
    const window = options.timerRollWindowSlot;
    this.#windowSlots = Math.floor(window > windowMax || window < 2 ? windowMax : window);
    if (options.timerHome !== undefined && options.timerWheelEnable) {
      this.#files = new TimerFiles(
        files,
        { home: options.timerHome, logFileBytes: options.mappedFileSizeTimerLog, slots },
        logger,
      );
    }
  }

  /** Whether messages can be sent for a time. */
  get isEnabled(): boolean {
    return this.#files !== undefined;
  }

  /** Whether the second of `outMs` takes no more (RocketMQ: isReject); `random` is from [0, 1000). */
  isCongested(outMs: number, random: (bound: number) => number): boolean {
    const limit = this.#needs.options.timerCongestNumEachSlot;
    if (this.#files === undefined || limit >= 0x7fffffff) return false;
    const count = this.#files.slot(outMs)?.num ?? 0;
    if (count <= limit) return false;
    return count >= 2 * limit || random(1_000) > (1_000 * (count - limit)) / (limit + 0.1);
  }

  /** Opens wheel and log and finds where the queue goes on; the store runs. Throws HostError. */
  async load(): Promise<void> {
    const files = this.#files;
    this.#state = "loaded";
    if (files === undefined) return;
    const { store, logger } = this.#needs;
    const opened = files.open();
    const min = store.minOffset(TIMER_TOPIC, 0);
    const end = store.readableEnd(TIMER_TOPIC, 0);
    const { check } = opened;
    if (opened.kind === "rebuild") {
      this.#rebuildFrom(min, check?.queueOffset ?? 0, check?.readTimeMs ?? 0);
      logger.warn(
        { why: opened.why, from: min, to: end, deliveredBefore: this.#skip.readTimeMs },
        "the wheel or the log of timers is missing or damaged: it is built again from the timer's queue",
      );
    } else {
      const after = await this.#afterLastUnit(files);
      files.trim();
      const saved = check?.queueOffset ?? 0;
      const next = after.isCut ? (after.next ?? saved) : Math.max(after.next ?? 0, saved);
      this.#next = Math.min(Math.max(next, min), end);
      if (check !== undefined && check.queueOffset < min) {
        logger.warn({ from: check.queueOffset, to: min }, "timed messages were removed from the log unseen");
      }
      if (check !== undefined) this.#holdOn(check.readTimeMs, check.timestampMs);
      // The check still names a position that the log no longer reaches.
      if (after.isCut) files.saveSync(this.#reached(), this.#needs.clock.wallMs());
    }
    this.#end = end;
  }

  /** Begins; the broker's address is known. Once. */
  start(): void {
    assert(this.#state === "loaded", "timers are loaded before they start");
    this.#state = "running";
    const { store, logger } = this.#needs;
    if (this.#files === undefined) {
      const [from, to] = [store.minOffset(TIMER_TOPIC, 0), store.readableEnd(TIMER_TOPIC, 0)];
      if (from < to) {
        logger.warn(
          { from, to },
          "messages may wait for their time, and none is delivered: there are no timers",
        );
      }
      return;
    }
    store.subscribeArrivals(this);
    store.onFailed(() => this.#halt());
    this.#end = Math.max(this.#end, store.readableEnd(TIMER_TOPIC, 0));
    this.#readFirst = this.#end;
    this.#read();
    this.#wake();
  }

  messageArrived(topic: string, queueId: number, endOffset: number): void {
    if (topic !== TIMER_TOPIC || queueId !== 0) return;
    this.#end = Math.max(this.#end, endOffset);
    this.#read();
  }

  queueReleased(topic: string): void {
    if (topic !== TIMER_TOPIC) return;
    this.#readTimer?.cancel();
    this.#readTimer = undefined;
    this.#read();
  }

  /**
   * Begins no further slot; `done` is called when the one under way is delivered, durably, after `timeoutMs` at the
   * latest: half a slot would be delivered again.
   */
  stop(timeoutMs: number, done: () => void): void {
    this.#rest();
    if (!this.#isBusy()) {
      done();
      return;
    }
    const timer = this.#needs.timers.after(timeoutMs, () => this.#onSettled?.());
    this.#onSettled = () => {
      this.#onSettled = undefined;
      timer.cancel();
      this.#run?.stop();
      done();
    };
  }

  #isBusy(): boolean {
    return this.#run !== undefined || this.#unsettled() > 0;
  }

  /** Writes all, after `stop`. Throws HostError. */
  save(): void {
    const files = this.#files;
    if (files === undefined || this.#state === "new") return;
    try {
      this.#retire();
      // A save under way does not end any more.
      const isDue = this.#isChanged || this.#isSaving;
      if (isDue && !this.#isRebuilding) files.saveSync(this.#reached(), this.#needs.clock.wallMs());
    } finally {
      files.close();
    }
  }

  /** For runtime info: RocketMQ's timerReadBehind (s), timerOffsetBehind and timerCongestNum. */
  behind(): { readonly readSeconds: number; readonly offsets: number; readonly waiting: number } {
    const nowMs = this.#nowSlot();
    const nextMs = this.#run?.slotMs ?? this.#files?.next();
    const readSeconds = nextMs === undefined ? 0 : Math.max(0, (nowMs - nextMs) / TIMER_PRECISION_MS - 1);
    const offsets = Math.max(0, this.#end - this.#next);
    return { readSeconds, offsets, waiting: Math.max(0, this.#files?.waiting ?? 0) };
  }

  /** Now as whole seconds of wall time, ms. */
  #nowSlot(): number {
    const nowMs = this.#needs.clock.wallMs();
    return nowMs - (nowMs % TIMER_PRECISION_MS);
  }

  // The queue into the wheel.

  /**
   * Where the queue goes on behind the last unit whose message is there. Units whose messages the log has lost (they
   * were never synced) are taken back.
   */
  async #afterLastUnit(
    files: TimerFiles,
  ): Promise<{ readonly next: number | undefined; readonly isCut: boolean }> {
    const { store } = this.#needs;
    const { minOffset } = store.status();
    let isCut = false;
    let last = files.lastUnit();
    while (last !== undefined) {
      const { unit, position } = last;
      if (unit.physicalOffset < minOffset) break;
      if (unit.reserved === KEPT) {
        last = files.unitBefore(position);
        continue;
      }
      const bytes = await new Promise<Uint8Array | undefined>((resolve) =>
        store.recordAt(unit.physicalOffset, resolve),
      );
      const record = bytes && recordOf(bytes, unit);
      if (record !== undefined) return { next: record.queueOffset + 1, isCut };
      if (files.lastUnit()?.position !== position) break;
      isCut = true;
      files.dropLast();
      last = files.lastUnit();
    }
    return { next: undefined, isCut };
  }

  /** What held progress back before the start holds it back until it has come round again. */
  #holdOn(readTimeMs: number, savedMs: number): void {
    const free = Math.min(
      this.#files!.next() ?? Number.POSITIVE_INFINITY,
      savedMs - (savedMs % TIMER_PRECISION_MS),
    );
    const comeRound =
      this.#nowSlot() + this.#needs.options.timerKeptRetryMs + HOLD_SLOTS * TIMER_PRECISION_MS;
    if (readTimeMs < free) this.#progress.hold(comeRound, readTimeMs);
  }

  #rebuildFrom(min: number, offset: number, readTimeMs: number): void {
    this.#next = min;
    this.#skip = { offset, readTimeMs };
  }

  #read(): void {
    const isDue = this.#state === "running" && !this.#isReading && !this.#isFull;
    if (!isDue || this.#readTimer !== undefined || this.#next >= this.#end) return;
    this.#isReading = true;
    // Never inside the store's own callbacks, and a turn between two reads of a backlog.
    this.#needs.timers.afterTurn(() => {
      if (this.#state !== "running") return;
      const request = { topic: TIMER_TOPIC, queueId: 0, offset: this.#next };
      this.#needs.store.get({ ...request, messagesMax: MESSAGES_MAX, bytesMax: BYTES_MAX }, (result) => {
        this.#isReading = false;
        this.#found(result);
      });
    });
  }

  #readLater(pauseMs: number): void {
    this.#readTimer ??= this.#needs.timers.after(pauseMs, () => {
      this.#readTimer = undefined;
      this.#isFull = false;
      this.#read();
    });
  }

  #found(result: GetResult): void {
    const from = this.#next;
    try {
      if (this.#state !== "running") return;
      if (result.status === "OFFSET_TOO_SMALL" || result.status === "OFFSET_OVERFLOW_BADLY") {
        this.#needs.logger.warn(
          { from, to: result.nextBeginOffset, status: result.status },
          "the timer's queue does not reach to where it is read; going on where it is",
        );
      }
      if (this.#enqueueAll(result.slices)) this.#next = result.nextBeginOffset;
      this.#files!.writeOut();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#needs.store.releaseSpace();
      this.#needs.logger.error({ err: error }, "timed messages cannot be put into the wheel; trying again");
      this.#readLater(PAUSE_MS);
      this.#wake();
    } finally {
      result.release();
    }
    if (this.#next !== from) {
      this.#changed();
      if (this.#files!.dirtyPages >= DIRTY_PAGES_MAX) this.#save();
      this.#wake();
    } else {
      if (this.#readTimer === undefined) this.#readLater(STUCK_PAUSE_MS);
      this.#wake();
    }
    this.#read();
  }

  /** False: the wheel has no room for the message at `#next`. */
  #enqueueAll(slices: readonly Uint8Array[]): boolean {
    for (const slice of slices) {
      const bytes = Buffer.from(slice.buffer, slice.byteOffset, slice.length);
      for (let at = 0; at < bytes.length; ) {
        const record = readRecord(bytes, at);
        at += record.totalSize;
        if (!this.#enqueue(record)) {
          this.#isFull = true;
          this.#readLater(STUCK_PAUSE_MS);
          return false;
        }
        this.#next = record.queueOffset + 1;
      }
    }
    return true;
  }

  #enqueue(record: MessageRecord): boolean {
    const { properties, queueOffset, physicalOffset, totalSize } = record;
    const outMs = outOf(properties);
    if (outMs === undefined) {
      this.#needs.logger.error(
        { queueOffset, physicalOffset },
        "a message of the timer's queue does not say when it is due; it is left where it is",
      );
      return true;
    }
    if (queueOffset < this.#skip.offset && outMs < this.#skip.readTimeMs) return true;
    const writeTimeMs = this.#nowSlot();
    const deletes = getProperty(properties, MessageConst.TIMER_DEL_UNIQKEY) !== undefined;
    const place = placeTimer(outMs - (outMs % TIMER_PRECISION_MS), writeTimeMs, this.#windowSlots, deletes);
    const slotMs = this.#freeFrom(place.slotMs);
    const files = this.#files!;
    if (!files.hasRoom(slotMs)) return false;
    const topicHash = javaHash(getProperty(properties, MessageConst.REAL_TOPIC) ?? "");
    const recordSize = totalSize;
    files.add({
      slotMs,
      magic: place.magic,
      writeTimeMs,
      physicalOffset,
      recordSize,
      topicHash,
      reserved: 0,
    });
    this.#progress.hold(slotMs, outMs);
    return true;
  }

  /** The first slot from `slotMs` on that is not being emptied. */
  #freeFrom(slotMs: number): number {
    let free = slotMs;
    while (this.#files!.isTaken(free)) free += TIMER_PRECISION_MS;
    return free;
  }

  // The wheel into the topics.

  /** Empties the earliest slot when its second is over, or sleeps until then. */
  #wake(): void {
    if (this.#state !== "running" || this.#run !== undefined) return;
    if (this.#next < this.#readFirst && this.#readTimer === undefined) return;
    const slotMs = this.#files!.next();
    if (slotMs === undefined || this.#delivered.size >= UNSAFE_SLOTS_MAX) return;
    if (this.#unsettled() >= UNSETTLED_MAX) return;
    const { clock, timers } = this.#needs;
    const dueInMs = slotMs + TIMER_PRECISION_MS - clock.wallMs();
    if (dueInMs <= 0) {
      this.#empty(slotMs);
      return;
    }
    const wakeAtMs = clock.monotonicMs() + Math.min(dueInMs, WAIT_MS_MAX);
    if (this.#wakeTimer !== undefined && this.#wakeAtMs <= wakeAtMs) return;
    this.#wakeTimer?.cancel();
    this.#wakeAtMs = wakeAtMs;
    this.#wakeTimer = timers.after(wakeAtMs - clock.monotonicMs(), () => {
      this.#wakeTimer = undefined;
      this.#wake();
    });
  }

  #empty(slotMs: number): void {
    const { options, clock } = this.#needs;
    const needs = {
      ...this.#needs,
      files: this.#files!,
      durability: this.#durability,
      propertiesBytesMax: options.propertiesBytesMax,
      counts: this.counts,
      wallMs: () => clock.wallMs(),
    };
    let run: TimerSlotRun;
    try {
      run = new TimerSlotRun(needs, this.#events, slotMs);
    } catch (error) {
      if (!(error instanceof TimerDamage || error instanceof HostError)) throw error;
      this.#damaged(error);
      return;
    }
    this.#run = run;
    this.#files!.take(slotMs);
    this.#progress.taken(slotMs);
    run.start();
  }

  readonly #events: SlotRunEvents = {
    keep: (unit, outMs) => this.#keep(unit, outMs),
    delivered: (run) => {
      this.#run = undefined;
      this.#delivered.set(run.slotMs, run);
      this.#retire();
      this.#changed();
      this.#wake();
      if (!this.#isBusy()) this.#onSettled?.();
    },
    settled: () => {
      if (this.#state === "stopped") {
        if (!this.#isBusy()) this.#onSettled?.();
        return;
      }
      if (this.#retire()) this.#changed();
      this.#wake();
    },
    damaged: (error) => this.#damaged(error),
  };

  #keep(unit: TimerUnit, outMs: number): void {
    const files = this.#files!;
    const writeTimeMs = this.#nowSlot();
    const retryMs = writeTimeMs + this.#needs.options.timerKeptRetryMs;
    const slotMs = this.#freeFrom(retryMs - (retryMs % TIMER_PRECISION_MS));
    if (!files.hasRoom(slotMs)) throw new HostError("EBUSY", "the wheel has no room");
    files.add({ ...unit, slotMs, writeTimeMs, reserved: KEPT });
    files.writeOut();
    this.#progress.hold(slotMs, outMs);
  }

  /** Forgets slots whose messages are safe; whether there were any. */
  #retire(): boolean {
    const { flushedOffset } = this.#needs.store.status();
    let count = 0;
    for (const [slotMs, run] of this.#delivered) {
      if (!run.isSafe(flushedOffset)) continue;
      try {
        this.#files!.clear(slotMs);
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.#needs.logger.error(
          { slotMs, err: error },
          "a slot of the wheel cannot be cleared; trying again",
        );
        break;
      }
      this.#delivered.delete(slotMs);
      this.#progress.safe(slotMs);
      count++;
    }
    if (count > 0 && this.#isFull) {
      this.#isFull = false;
      this.#readTimer?.cancel();
      this.#readTimer = undefined;
      this.#read();
    }
    return count > 0;
  }

  /** Wheel and log contradict themselves: both are made anew while the broker runs. */
  #damaged(error: Error): void {
    const { logger, store } = this.#needs;
    const readTimeMs = this.#reached().readTimeMs;
    const min = store.minOffset(TIMER_TOPIC, 0);
    logger.error({ err: error, from: min }, "the wheel or the log of timers is damaged: it is built again");
    for (const run of this.#delivered.values()) run.stop();
    this.#delivered.clear();
    this.#run = undefined;
    this.#progress.clear();
    try {
      this.#files!.reset();
    } catch (failure) {
      if (!(failure instanceof HostError)) throw failure;
      logger.error({ err: failure }, "timers stand still until the broker is started again");
      this.#halt();
      return;
    }
    this.#rebuildFrom(min, this.#next, readTimeMs);
    this.#readFirst = this.#end;
    this.#changed();
    this.#read();
  }

  // Progress.

  #reached(): { readTimeMs: number; queueOffset: number } {
    const readTimeMs = this.#progress.readTime(this.#files!.next(), this.#needs.clock.wallMs());
    return { readTimeMs, queueOffset: this.#next };
  }

  #changed(): void {
    this.#isChanged = true;
    if (this.#state !== "running") return;
    this.#saveTimer ??= this.#needs.timers.after(this.#needs.options.timerFlushIntervalMs, () => {
      this.#saveTimer = undefined;
      this.#save();
    });
  }

  #save(): void {
    if (this.#isSaving || this.#state !== "running") return;
    const files = this.#files!;
    if (this.#retire()) this.#wake();
    if (this.#isRebuilding) {
      // The check on disk still says what the rebuild may skip; a crash begins it again.
      this.#changed();
      return;
    }
    this.#isSaving = true;
    this.#isChanged = this.#delivered.size > 0;
    files.save(this.#reached(), this.#needs.clock.wallMs(), (saved) => {
      this.#isSaving = false;
      if (this.#state !== "running") return;
      if (!saved) this.#isChanged = true;
      else files.removeBefore(this.#needs.store.status().minOffset);
      if (this.#isChanged && !files.failed) this.#changed();
    });
  }

  /** Messages of the queue are read that a rebuild may skip. */
  get #isRebuilding(): boolean {
    return this.#next < this.#skip.offset && this.#next < this.#end;
  }

  #unsettled(): number {
    let count = this.#run?.unsettled ?? 0;
    for (const run of this.#delivered.values()) count += run.unsettled;
    return count;
  }

  /** At once: the store takes no more, or the wheel cannot be read. */
  #halt(): void {
    this.#run?.stop();
    this.#run = undefined;
    this.#rest();
    if (!this.#isBusy()) this.#onSettled?.();
  }

  #rest(): void {
    this.#state = "stopped";
    this.#wakeTimer?.cancel();
    this.#readTimer?.cancel();
    this.#saveTimer?.cancel();
  }
}
