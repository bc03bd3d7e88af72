/**
 * Delivers messages at a time (RocketMQ: TimerMessageStore): timer-intake.ts follows the timer's queue into wheel and
 * log, timer-delivery.ts empties one second after the other. This is their life, and how far both have come on disk.
 *
 * timercheck follows behind: it never counts as delivered what a crash could take back. After a crash what was
 * delivered since it was saved is delivered again.
 *
 *   new → loaded → running → stopped
 */
import { assert, HostError, type TimerHandle } from "@orbitmq/host";
import { type ArrivalListener, StoreError, TIMER_PRECISION_MS, TimerFiles } from "@orbitmq/store";
import { TIMER_TOPIC } from "../names.ts";
import { DamagedTimers } from "./damaged-timers.ts";
import { TimerCarrier } from "./timer-carrier.ts";
import { TimerDelivery } from "./timer-delivery.ts";
import { TimerIntake } from "./timer-intake.ts";
import type { TimerServiceNeeds } from "./timer-needs.ts";
import { TimerProgress } from "./timer-progress.ts";
import { TimerSeconds } from "./timer-seconds.ts";
import type { TimerCounts } from "./timer-slot-run.ts";
import { nowSlot } from "./timer-window.ts";

/** Changed pages of the wheel beyond which they are saved at once. */
const DIRTY_PAGES_MAX = 2_048;
/** Messages put off before the start have come round again by then. */
const HOLD_SLOTS = 60;
const NOTHING: TimerCounts = { delivered: 0, rolled: 0, deleted: 0, kept: 0, removed: 0, damaged: 0 };

/** Wheel and log, and what works on them. */
interface Works {
  readonly files: TimerFiles;
  readonly intake: TimerIntake;
  readonly delivery: TimerDelivery;
  readonly carrier: TimerCarrier;
}

export interface TimersBehind {
  /** How late the second is that is delivered next. */
  readonly readSeconds: number;
  /** Messages that are not in the wheel yet, and since when it has taken none, ms. */
  readonly offsets: number;
  readonly enqueueMs: number;
  /** Messages in the wheel, and those of the late second. */
  readonly waiting: number;
  readonly overdue: number;
}

export class TimerService implements ArrivalListener {
  readonly #needs: TimerServiceNeeds;
  readonly #works: Works | undefined;
  readonly #progress = new TimerProgress();
  readonly #damagedOnes: DamagedTimers;
  readonly #seconds = new TimerSeconds();
  #state: "new" | "loaded" | "running" | "stopped" = "new";
  #saveTimer: TimerHandle | undefined;
  #isSaving = false;
  #isChanged = false;
  #onSettled: (() => void) | undefined;

  constructor(needs: TimerServiceNeeds) {
    const { options, files, logger } = needs;
    this.#needs = needs;
    this.#damagedOnes = new DamagedTimers(needs.damagedFile, logger);
    const { timerHome: home, timerWheelEnable, timerWheelSlots: slots } = options;
    if (home === undefined || !timerWheelEnable) return;
    const logFileBytes = options.mappedFileSizeTimerLog;
    const timerFiles = new TimerFiles(files, { home, logFileBytes, slots }, logger);
    const intake = new TimerIntake(needs, timerFiles, this.#progress, this.#damagedOnes, (moved) =>
      this.#wasRead(moved),
    );
    const carrier = new TimerCarrier({
      ...needs,
      files: timerFiles,
      durability: options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written",
      kept: this.#damagedOnes,
      isReadTo: (position) => intake.isReadTo(position),
      stored: (queueOffset) => this.#seconds.stored(queueOffset),
    });
    const isCarried = (position: number): boolean => carrier.isCarried(position);
    const delivery = new TimerDelivery(
      needs,
      timerFiles,
      this.#progress,
      this.#damagedOnes,
      isCarried,
      this.#seconds,
      {
        mayBegin: () => intake.isAhead,
        hasReached: (end) => intake.hasReached(end),
        changed: () => this.#changed(),
        retired: () => intake.madeRoom(),
        idle: () => this.#onSettled?.(),
        damaged: (error) => this.#damaged(error),
      },
    );
    this.#works = { files: timerFiles, intake, delivery, carrier };
  }

  get counts(): TimerCounts {
    return this.#works?.delivery.counts ?? NOTHING;
  }

  /** Whether messages can be sent for a time. */
  get isEnabled(): boolean {
    return this.#works !== undefined;
  }

  /** Whether the second of `outMs` takes no more (RocketMQ: isReject); `random` is from [0, 1000). */
  isCongested(outMs: number, random: (bound: number) => number): boolean {
    const limit = this.#needs.options.timerCongestNumEachSlot;
    if (this.#works === undefined || limit >= 0x7fffffff) return false;
    const count = this.#works.files.slot(outMs)?.num ?? 0;
    if (count <= limit) return false;
    return count >= 2 * limit || random(1_000) > (1_000 * (count - limit)) / (limit + 0.1);
  }

  /** A message is stored in the timer's queue, on disk or not: what it deletes must not leave before it is read. */
  stored(queueOffset: number): void {
    this.#seconds.stored(queueOffset);
  }

  /** Whether messages of the slot `outMs` may have left already, by what the wall clock shows or has shown. */
  isOver(outMs: number): boolean {
    // Whatever was delivered, by an earlier process too, is as new as its second's end.
    const newestMs = this.#needs.store.status().lastStoreTimestamp;
    return this.#seconds.isOver(outMs) || newestMs >= outMs + TIMER_PRECISION_MS;
  }

  /** Opens wheel and log and finds where the queue goes on; the store runs. Throws StoreError NO_SPACE or IO. */
  async load(): Promise<void> {
    this.#state = "loaded";
    if (this.#works === undefined) return;
    try {
      await this.#open(this.#works);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
      throw new StoreError(isFull ? "NO_SPACE" : "IO", `timers cannot be opened: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Begins; the broker's address is known. Once. */
  start(): void {
    assert(this.#state === "loaded", "timers are loaded before they start");
    this.#state = "running";
    const { store, logger } = this.#needs;
    const end = store.readableEnd(TIMER_TOPIC, 0);
    if (this.#works === undefined) {
      const from = store.minOffset(TIMER_TOPIC, 0);
      if (from < end) {
        logger.warn(
          { from, to: end },
          "messages may wait for their time, and none is delivered: there are no timers",
        );
      }
      return;
    }
    store.subscribeArrivals(this);
    const { carrier } = this.#works;
    store.guardRemoval((limit, done) => carrier.carryBefore(limit, done));
    store.onFailed(() => this.#halt());
    this.#works.intake.start(end);
    this.#works.delivery.start();
  }

  messageArrived(topic: string, queueId: number, endOffset: number): void {
    if (topic === TIMER_TOPIC && queueId === 0) this.#works?.intake.arrived(endOffset);
  }

  queueReleased(topic: string): void {
    if (topic === TIMER_TOPIC) this.#works?.intake.retry();
  }

  /**
   * Begins no further slot; `done` is called when the one under way is delivered, durably, after `timeoutMs` at the
   * latest: half a slot would be delivered again.
   */
  stop(timeoutMs: number, done: () => void): void {
    this.#rest();
    if (this.#works?.delivery.isBusy !== true) {
      done();
      return;
    }
    const timer = this.#needs.timers.after(timeoutMs, () => this.#onSettled?.());
    this.#onSettled = () => {
      this.#onSettled = undefined;
      timer.cancel();
      this.#works?.delivery.breakOff();
      done();
    };
  }

  /** Writes all, after `stop`. Throws HostError. */
  save(): void {
    if (this.#works === undefined || this.#state === "new") return;
    const { files, intake, delivery } = this.#works;
    try {
      delivery.retire();
      // A save under way does not end any more.
      const isDue = this.#isChanged || this.#isSaving;
      if (isDue && !intake.isRebuilding)
        files.saveSync(this.#reached(this.#works), this.#needs.clock.wallMs());
    } finally {
      this.#damagedOnes.close();
      files.close();
    }
  }

  /** For runtime info: RocketMQ's timerReadBehind (s), timerOffsetBehind and timerCongestNum. */
  behind(): TimersBehind {
    if (this.#works === undefined)
      return { readSeconds: 0, offsets: 0, enqueueMs: 0, waiting: 0, overdue: 0 };
    const { files, intake, delivery } = this.#works;
    const { slotMs } = delivery;
    const lateMs = slotMs === undefined ? 0 : nowSlot(this.#needs.clock) - slotMs - TIMER_PRECISION_MS;
    const readSeconds = Math.max(0, lateMs / TIMER_PRECISION_MS);
    return {
      readSeconds,
      offsets: intake.behind,
      enqueueMs: intake.stillMs,
      waiting: Math.max(0, files.waiting),
      overdue: slotMs === undefined || lateMs < 0 ? 0 : this.waitingAt(slotMs),
    };
  }

  /** Messages of the second of `timeMs`, wall time. */
  waitingAt(timeMs: number): number {
    return this.#works?.files.slot(timeMs - (timeMs % TIMER_PRECISION_MS))?.num ?? 0;
  }

  /** What has become of a message of the timer's queue by now. */
  stateOf(queueOffset: number, outMs: number): "unread" | "waiting" | "delivering" | "passed" {
    if (this.#works === undefined || queueOffset >= this.#works.intake.next) return "unread";
    const { files } = this.#works;
    const slotMs = outMs - (outMs % TIMER_PRECISION_MS);
    if (files.isTaken(slotMs)) return "delivering";
    const isOver = slotMs + TIMER_PRECISION_MS <= this.#needs.clock.wallMs();
    return isOver && files.slot(slotMs) === undefined ? "passed" : "waiting";
  }

  /** Some of those that were damaged may be readable now. */
  async #readDamaged(works: Works): Promise<void> {
    const { files, intake, delivery } = works;
    const { logger, clock } = this.#needs;
    try {
      const { found, gone } = await intake.readDamaged();
      // In the wheel on disk before they leave the list.
      if (found.length > 0) files.saveSync(this.#reached(works), clock.wallMs());
      this.#damagedOnes.remove([...found, ...gone]);
      delivery.counts.removed += gone.length;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      logger.error({ err: error }, "damaged timed messages stay on their list; the next start looks again");
    }
    delivery.counts.damaged = this.#damagedOnes.count;
  }

  async #open(works: Works): Promise<void> {
    const { files, intake, delivery } = works;
    const { store, logger, clock } = this.#needs;
    const opened = files.open();
    this.#damagedOnes.load();
    works.carrier.load();
    const min = store.minOffset(TIMER_TOPIC, 0);
    const end = store.readableEnd(TIMER_TOPIC, 0);
    const { check } = opened;
    const rebuild = (why: string): void => {
      const deliveredBefore = check?.readTimeMs ?? 0;
      intake.load(min, end);
      intake.rebuildFrom(min, check?.queueOffset ?? 0, deliveredBefore);
      logger.warn(
        { why, from: min, to: end, deliveredBefore },
        "the wheel or the log of timers is missing or damaged: it is built again from the timer's queue",
      );
      delivery.counts.damaged = this.#damagedOnes.count;
    };
    if (opened.kind === "rebuild") {
      rebuild(opened.why);
      return;
    }
    const after = await intake.afterLastUnit();
    const saved = check?.queueOffset ?? 0;
    if (after.isCut && after.next === undefined && saved > min) {
      // The check counts messages whose units were taken back: they are read again.
      files.reset();
      rebuild("none of its messages can be read");
      return;
    }
    files.trim();
    const next = after.isCut ? (after.next ?? saved) : Math.max(after.next ?? 0, saved);
    intake.load(Math.min(Math.max(next, min), end), end);
    if (check !== undefined && check.queueOffset < min) {
      logger.warn({ from: check.queueOffset, to: min }, "timed messages were removed from the log unseen");
    }
    if (check !== undefined) this.#holdOn(check.readTimeMs, check.timestampMs);
    await this.#readDamaged(works);
    if (!after.isCut) return;
    // The check still names a position that the log no longer reaches, and soon reaches again, with something else.
    try {
      files.saveSync(this.#reached(works), clock.wallMs());
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      files.reset();
      this.#progress.clear();
      rebuild(`its end is cut off, and that cannot be saved: ${error.message}`);
    }
  }

  /** What held progress back before the start holds it back until it has come round again. */
  #holdOn(readTimeMs: number, savedMs: number): void {
    const { options, clock } = this.#needs;
    const free = Math.min(
      this.#works?.files.next() ?? Number.POSITIVE_INFINITY,
      savedMs - (savedMs % TIMER_PRECISION_MS),
    );
    const comeRound = nowSlot(clock) + options.timerKeptRetryMs + HOLD_SLOTS * TIMER_PRECISION_MS;
    if (readTimeMs < free) this.#progress.hold(comeRound, readTimeMs);
  }

  #wasRead(moved: boolean): void {
    const { files, delivery } = this.#works!;
    if (moved) {
      this.#changed();
      if (files.dirtyPages >= DIRTY_PAGES_MAX) this.#save();
    }
    delivery.wake();
  }

  /** Wheel and log contradict themselves: both are made anew while the broker runs. */
  #damaged(error: Error): void {
    const { files, intake, delivery } = this.#works!;
    const { logger, store } = this.#needs;
    const { readTimeMs } = this.#reached(this.#works!);
    const min = store.minOffset(TIMER_TOPIC, 0);
    logger.error({ err: error, from: min }, "the wheel or the log of timers is damaged: it is built again");
    this.#works!.carrier.reset();
    delivery.clear();
    this.#progress.clear();
    try {
      files.reset();
    } catch (failure) {
      if (!(failure instanceof HostError)) throw failure;
      logger.error({ err: failure }, "timers stand still until the broker is started again");
      this.#halt();
      return;
    }
    intake.rebuildFrom(min, intake.next, readTimeMs);
    this.#changed();
    intake.read();
  }

  #reached({ files, intake }: Works): { readTimeMs: number; queueOffset: number } {
    const readTimeMs = this.#progress.readTime(files.next(), this.#needs.clock.wallMs());
    return { readTimeMs, queueOffset: intake.next };
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
    const { files, intake, delivery } = this.#works!;
    if (delivery.retire()) delivery.wake();
    if (intake.isRebuilding) {
      // The check on disk still says what the rebuild may skip; a crash begins it again.
      this.#changed();
      return;
    }
    this.#isSaving = true;
    this.#isChanged = delivery.hasUnsafe;
    files.save(this.#reached(this.#works!), this.#needs.clock.wallMs(), (saved) => {
      this.#isSaving = false;
      if (this.#state !== "running") return;
      if (!saved) this.#isChanged = true;
      else files.removeBefore(this.#needs.store.status().minOffset);
      if (this.#isChanged && !files.failed) this.#changed();
    });
  }

  /** At once: the store takes no more, or the wheel cannot be read. */
  #halt(): void {
    this.#works?.delivery.halt();
    this.#rest();
    if (this.#works?.delivery.isBusy !== true) this.#onSettled?.();
  }

  #rest(): void {
    this.#state = "stopped";
    this.#works?.carrier.stop();
    this.#works?.intake.stop();
    this.#works?.delivery.rest();
    this.#saveTimer?.cancel();
  }
}
