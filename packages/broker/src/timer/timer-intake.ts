/**
 * Follows the timer's queue into the wheel, a read at a time, as messages become readable. When the wheel has no room
 * for a message the queue waits until a slot is done with.
 *
 *   resting ⇄ reading (→ pausing → reading)
 */
import { HostError, type TimerHandle } from "@orbitmq/host";
import { type GetResult, TIMER_PRECISION_MS, type TimerFiles, TimerMagic } from "@orbitmq/store";
import { getProperty, javaHash, MessageConst, type MessageRecord, readRecord } from "@orbitmq/wire";
import { TIMER_TOPIC } from "../names.ts";
import type { DamagedTimers } from "./damaged-timers.ts";
import { recalledOf } from "./recalls.ts";
import type { TimerServiceNeeds } from "./timer-needs.ts";
import type { TimerProgress } from "./timer-progress.ts";
import { outOf, recordOf } from "./timer-slot-run.ts";
import { freeSlot, nowSlot, placeTimer, restOf } from "./timer-window.ts";

/** One read of the queue. */
const MESSAGES_MAX = 256;
const BYTES_MAX = 1_048_576;
/** RocketMQ: TIMER_BLANK_SLOTS. */
const BLANK_SLOTS = 60;
/** Nothing could be written now. */
const PAUSE_MS = 1_000;
/** A record of the queue that cannot be read is tried again. */
const STUCK_PAUSE_MS = 10_000;
/** As long as it is tried the slots wait: it may take messages of theirs back. */
const STILL_MS_MAX = 60_000;

export class TimerIntake {
  readonly #needs: TimerServiceNeeds;
  readonly #files: TimerFiles;
  readonly #progress: TimerProgress;
  readonly #windowSlots: number;
  readonly #damaged: DamagedTimers;
  /** A read is over; `moved`: the queue goes on behind it. */
  readonly #wasRead: (moved: boolean) => void;
  /** The next message, and the queue's end. */
  #next = 0;
  #end = 0;
  /** Where the last message that was read lies. */
  #readTo = 0;
  #isRunning = false;
  #isReading = false;
  #isFull = false;
  /** The wheel could not be written: what was recalled is not known. */
  #isRefused = false;
  #timer: TimerHandle | undefined;
  /** Of a rebuild: messages of the queue below, to be delivered before, are delivered. */
  #skip = { offset: 0, readTimeMs: 0 };
  /** Slots are emptied once the queue is read to here: what deletes their messages may lie before. */
  #readFirst = 0;
  /** When the queue was last read to its end, or further; monotonic ms. */
  #movedAtMs = 0;

  constructor(
    needs: TimerServiceNeeds,
    files: TimerFiles,
    progress: TimerProgress,
    damaged: DamagedTimers,
    wasRead: (moved: boolean) => void,
  ) {
    const { timerWheelSlots, timerRollWindowSlot: window } = needs.options;
    this.#needs = needs;
    this.#files = files;
    this.#progress = progress;
    this.#damaged = damaged;
    this.#wasRead = wasRead;
    // RocketMQ knows half of its slots as the wheel's days.
    const windowMax = timerWheelSlots / 2 - BLANK_SLOTS;
    this.#windowSlots = Math.floor(window > windowMax || window < 2 ? windowMax : window);
  }

  /** The offset of the next message to be read. */
  get next(): number {
    return this.#next;
  }

  /** Whether every message before this position of the log is in the wheel. */
  isReadTo(position: number): boolean {
    return this.#next >= this.#end || this.#readTo >= position;
  }

  /** Messages that are not read yet. */
  get behind(): number {
    return Math.max(0, this.#end - this.#next);
  }

  /** How long it has read nothing although there is something to read, ms. */
  get stillMs(): number {
    if (this.behind === 0) return 0;
    return Math.max(0, Math.floor(this.#needs.clock.monotonicMs() - this.#movedAtMs));
  }

  /** Messages of the queue are read that a rebuild may skip. */
  get isRebuilding(): boolean {
    return this.#next < this.#skip.offset && this.#next < this.#end;
  }

  /**
   * Whether what deletes messages of a slot is in the wheel, too. Not waited for while the queue stands still for want
   * of a slot, or has stood still for a minute at a record that cannot be read: that may last.
   */
  get isAhead(): boolean {
    return this.hasReached(this.#readFirst);
  }

  /** The same for what lies before `end`, some of which may not be on disk yet. */
  hasReached(end: number): boolean {
    if (this.#next >= end || this.#isFull) return true;
    return this.#timer !== undefined && !this.#isRefused && this.stillMs >= STILL_MS_MAX;
  }

  /** The queue goes on at `next`, at start. */
  load(next: number, end: number): void {
    this.#next = next;
    this.#end = end;
  }

  /** Everything is read again from `min`: what lies below `offset` and was to be delivered before `readTimeMs` is delivered. */
  rebuildFrom(min: number, offset: number, readTimeMs: number): void {
    this.#next = min;
    this.#readTo = 0;
    this.#skip = { offset, readTimeMs };
    this.#readFirst = this.#end;
  }

  start(end: number): void {
    this.#isRunning = true;
    this.#end = Math.max(this.#end, end);
    this.#readFirst = this.#end;
    this.#movedAtMs = this.#needs.clock.monotonicMs();
    this.read();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  arrived(end: number): void {
    if (this.behind === 0) this.#movedAtMs = this.#needs.clock.monotonicMs();
    this.#end = Math.max(this.#end, end);
    this.read();
  }

  /** What could not be read may be readable now. */
  retry(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.read();
  }

  /** A slot of the wheel is done with. */
  madeRoom(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.retry();
  }

  /**
   * Where the queue goes on behind the last unit whose message is there. Units whose messages the log has lost (they
   * were never synced) are taken back.
   */
  async afterLastUnit(): Promise<{ readonly next: number | undefined; readonly isCut: boolean }> {
    const { store } = this.#needs;
    const files = this.#files;
    const { minOffset } = store.status();
    let isCut = false;
    let last = files.lastUnit();
    while (last !== undefined) {
      const { unit, position } = last;
      if (unit.physicalOffset < minOffset) break;
      if (unit.isPutOff) {
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

  read(): void {
    const isDue = this.#isRunning && !this.#isReading && !this.#isFull;
    if (!isDue || this.#timer !== undefined || this.#next >= this.#end) return;
    this.#isReading = true;
    // Never inside the store's own callbacks, and a turn between two reads of a backlog.
    this.#needs.timers.afterTurn(() => {
      if (!this.#isRunning) return;
      const request = { topic: TIMER_TOPIC, queueId: 0, offset: this.#next };
      this.#needs.store.get({ ...request, messagesMax: MESSAGES_MAX, bytesMax: BYTES_MAX }, (result) => {
        this.#isReading = false;
        this.#found(result);
      });
    });
  }

  #readLater(pauseMs: number): void {
    this.#timer ??= this.#needs.timers.after(pauseMs, () => {
      this.#timer = undefined;
      this.#isFull = false;
      this.read();
    });
  }

  #found(result: GetResult): void {
    const from = this.#next;
    this.#isRefused = false;
    try {
      if (!this.#isRunning) return;
      if (result.status === "OFFSET_TOO_SMALL" || result.status === "OFFSET_OVERFLOW_BADLY") {
        this.#needs.logger.warn(
          { from, to: result.nextBeginOffset, status: result.status },
          "the timer's queue does not reach to where it is read; going on where it is",
        );
      }
      if (this.#enqueueAll(result.slices)) this.#next = result.nextBeginOffset;
      this.#files.writeOut();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#needs.store.releaseSpace();
      this.#needs.logger.error({ err: error }, "timed messages cannot be put into the wheel; trying again");
      this.#isRefused = true;
      this.#readLater(PAUSE_MS);
    } finally {
      result.release();
    }
    const moved = this.#next !== from;
    if (moved) this.#movedAtMs = this.#needs.clock.monotonicMs();
    if (!moved && this.#timer === undefined) {
      this.#readLater(STUCK_PAUSE_MS);
      if (result.heldAt >= 0) this.#lookAt(result.heldAt, from);
    }
    this.#wasRead(moved);
    this.read();
  }

  /** The record at `position` holds the queue up: when it is known to be damaged, the others do not wait for it. */
  #lookAt(position: number, offset: number): void {
    const { store, clock, logger } = this.#needs;
    store.recordAt(position, (_record, isDamaged) => {
      if (!this.#isRunning || this.#next !== offset || !isDamaged || !this.#damaged.isKnown(position)) return;
      try {
        this.#damaged.add({ position, dueMs: -1, foundMs: clock.wallMs() });
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        logger.error({ err: error, position }, "a damaged timed message cannot be listed; trying again");
        return;
      }
      this.#next = offset + 1;
      this.#wasRead(true);
      this.retry();
    });
  }

  /**
   * Looks which messages that were damaged can be read by now, and puts those into the wheel; at start, unless wheel and
   * log are built again. Returns the places of those, and of the ones that are gone.
   */
  async readDamaged(): Promise<{ readonly found: number[]; readonly gone: number[] }> {
    const { store, logger } = this.#needs;
    const readable: MessageRecord[] = [];
    const gone: number[] = [];
    for (const each of this.#damaged.all) {
      const { position } = each;
      const bytes = await new Promise<Uint8Array | undefined>((resolve) => store.recordAt(position, resolve));
      if (bytes !== undefined) {
        readable.push(readRecord(Buffer.from(bytes)));
      } else if (position < store.status().minOffset) {
        logger.error(each, "a timed message that was damaged was removed from the log: it is lost");
        gone.push(position);
      }
    }
    const recalled = readable.length > 0 ? await recalledOf(store, readable) : undefined;
    const found: number[] = [];
    for (const record of readable) {
      const outMs = outOf(record.properties);
      const isTimed = record.topic === TIMER_TOPIC && record.queueOffset < this.#next;
      const isRecalled = recalled?.has(record) === true;
      if (isTimed && outMs !== undefined && !isRecalled && !this.#put(record, outMs)) continue;
      const { physicalOffset: position } = record;
      logger.info({ position, isRecalled }, "a timed message that was damaged can be read again");
      found.push(position);
    }
    return { found, gone };
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
        this.#readTo = record.physicalOffset;
      }
    }
    return true;
  }

  #enqueue(record: MessageRecord): boolean {
    const { properties, queueOffset, physicalOffset } = record;
    const outMs = outOf(properties);
    if (outMs === undefined) {
      this.#needs.logger.error(
        { queueOffset, physicalOffset },
        "a message of the timer's queue does not say when it is due; it is left where it is",
      );
      return true;
    }
    if (queueOffset < this.#skip.offset && outMs < this.#skip.readTimeMs) return true;
    return this.#put(record, outMs);
  }

  /** False: there is no room. */
  #put({ properties, physicalOffset, totalSize, bornTimestamp }: MessageRecord, outMs: number): boolean {
    const writeTimeMs = nowSlot(this.#needs.clock);
    const deletes = getProperty(properties, MessageConst.TIMER_DEL_UNIQKEY) !== undefined;
    const place = placeTimer(outMs - (outMs % TIMER_PRECISION_MS), writeTimeMs, this.#windowSlots, deletes);
    const slotMs = freeSlot(this.#files, place.slotMs);
    const files = this.#files;
    if (!files.hasRoom(slotMs)) return false;
    const realTopic = getProperty(properties, MessageConst.REAL_TOPIC) ?? "";
    const topicHash = javaHash(realTopic);
    const recordSize = totalSize;
    files.add({
      slotMs,
      magic: place.magic,
      writeTimeMs,
      physicalOffset,
      recordSize,
      topicHash,
      isPutOff: false,
      restS: (place.magic & TimerMagic.ROLL) !== 0 ? restOf(outMs, slotMs) : 0,
    });
    this.#progress.hold(slotMs, outMs);
    const counted = this.#needs.stats.counted.timers.of(realTopic);
    counted.enqueued++;
    counted.delayS.record(Math.max(0, Math.floor((outMs - bornTimestamp) / 1_000)));
    return true;
  }
}
