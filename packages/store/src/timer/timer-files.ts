/**
 * What is on disk of messages that wait for a time: wheel, log and check as one (RocketMQ: TimerMessageStore's
 * files). All of it is derived from the timer's queue: what does not fit together is removed, and the queue read
 * again from its beginning.
 *
 *   saved in this order: units, then slots that lead to them, then the check that says so
 *
 * Opening brings slots up to the log's end, from the position the check names. Until what is built again is saved for
 * the first time, the check is still about what was there before: `orbitmq-timer-rebuild` says so.
 */
import { type Files, HostError, type Logger } from "@orbitmq/host";
import { storePaths } from "../store-paths.ts";
import { type TimerCheck, TimerCheckFile } from "./timer-check.ts";
import { TimerLog } from "./timer-log.ts";
import type { TimerSlot } from "./timer-slot.ts";
import { type TimerEntry, TimerMagic, type TimerUnit } from "./timer-unit.ts";
import { TIMER_WHEEL_SLOTS, TimerWheel, type WheelChanges } from "./timer-wheel.ts";

export interface TimerFilesOptions {
  /** storePathRootDir. */
  readonly home: string;
  /** Length of the files of `timerlog/` (RocketMQ: mappedFileSizeTimerLog), bytes; default 100 MiB. */
  readonly logFileBytes?: number | undefined;
  /** Slots of the wheel; default 1,209,600. Others only for tests. */
  readonly slots?: number | undefined;
}

/** How far everything has come, for the check. */
export interface TimerProgress {
  readonly readTimeMs: number;
  readonly queueOffset: number;
}

export const TIMER_PRECISION_MS = 1_000;
export const TIMER_LOG_FILE_BYTES = 104_857_600;

export type TimersOpened =
  /** The queue is followed from where the log ends. */
  | { readonly kind: "whole"; readonly check: TimerCheck | undefined }
  /** The queue is read from its beginning; what the check says is delivered need not be again. */
  | { readonly kind: "rebuild"; readonly check: TimerCheck | undefined; readonly why: string };

export class TimerFiles {
  readonly #files: Files;
  readonly #logger: Logger;
  readonly #log: TimerLog;
  readonly #wheel: TimerWheel;
  readonly #checkFile: TimerCheckFile;
  readonly #configFolder: string;
  readonly #home: string;
  readonly #markPath: string;
  #isMarked = false;
  #counter = 0;
  #stateVersion = 0;
  #saving = false;
  /** Counts resets: a save that was begun before says nothing of what came after. */
  #resets = 0;
  /** Pages of the wheel that a save has taken and not written yet. */
  #leaving: WheelChanges = [];
  #closed = false;
  #failed = false;

  /** Touches nothing before `open`. */
  constructor(files: Files, options: TimerFilesOptions, logger: Logger) {
    const { timerLog, timerWheel, timerCheck, timerCheckSums, timerRebuild, config } = storePaths(
      options.home,
    );
    this.#home = options.home;
    this.#markPath = timerRebuild;
    this.#configFolder = config;
    this.#files = files;
    this.#logger = logger;
    this.#log = new TimerLog(files, timerLog, options.logFileBytes ?? TIMER_LOG_FILE_BYTES);
    this.#wheel = new TimerWheel(files, timerWheel, options.slots ?? TIMER_WHEEL_SLOTS, TIMER_PRECISION_MS);
    this.#checkFile = new TimerCheckFile(files, timerCheck, timerCheckSums, logger);
  }

  /** Blocking, for start. Throws HostError. */
  open(): TimersOpened {
    this.#files.makeFolderSync(this.#configFolder);
    const check = this.#checkFile.load();
    this.#counter = check?.counter ?? 0;
    this.#stateVersion = check?.stateVersion ?? 0;
    this.#isMarked = this.#files.statSync(this.#markPath) !== undefined;
    const why = this.#isMarked ? "its building was broken off" : this.#load(check);
    if (why === undefined) return { kind: "whole", check };
    this.reset();
    return { kind: "rebuild", check, why };
  }

  /** Removes wheel and log: the queue is read again. Throws HostError. */
  reset(): void {
    this.#files.openSync(this.#markPath, { create: true }).closeSync();
    this.#files.syncFolderSync(this.#home);
    this.#isMarked = true;
    this.#resets++;
    this.#leaving = [];
    this.#wheel.remove();
    this.#log.clear();
  }

  get logEnd(): number {
    return this.#log.end;
  }

  get logStart(): number {
    return this.#log.start;
  }

  /** Seconds in which messages wait. */
  get usedSlots(): number {
    return this.#wheel.usedSlots;
  }

  /** Messages that wait, less deletions. */
  get waiting(): number {
    return this.#wheel.waiting;
  }

  /** Slots in memory that are not written yet take so many pages. */
  get dirtyPages(): number {
    return this.#wheel.dirtyPages;
  }

  /** After a failed sync nothing is saved any more until the next start. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether a message can be added to the slot; not while it is emptied, or taken by another turn of the wheel. */
  hasRoom(slotMs: number): boolean {
    return this.#wheel.hasRoom(slotMs);
  }

  isTaken(slotMs: number): boolean {
    return this.#wheel.isTaken(slotMs);
  }

  /** Throws HostError when the files cannot grow; nothing is added then. */
  add(entry: TimerEntry): void {
    const slot = this.#wheel.slot(entry.slotMs);
    const position = this.#log.append(entry, slot?.lastPos ?? -1);
    this.#wheel.put({
      timeMs: entry.slotMs,
      firstPos: slot?.firstPos ?? position,
      lastPos: position,
      num: (slot?.num ?? 0) + weightOf(entry),
    });
  }

  /** Hands added units to the machine. Throws HostError; then they still wait, and may be handed over again. */
  writeOut(): void {
    this.#log.writeOut();
  }

  /** Earliest slot in use, wall ms. */
  next(): number | undefined {
    return this.#wheel.next();
  }

  slot(slotMs: number): TimerSlot | undefined {
    return this.#wheel.slot(slotMs);
  }

  unitAt(position: number): TimerUnit | undefined {
    return this.#log.at(position);
  }

  /** The last unit of the log. */
  lastUnit(): { readonly position: number; readonly unit: TimerUnit } | undefined {
    return this.#log.end > this.#log.start ? this.#log.before(this.#log.end) : undefined;
  }

  unitBefore(position: number): { readonly position: number; readonly unit: TimerUnit } | undefined {
    return position > this.#log.start ? this.#log.before(position) : undefined;
  }

  /** Units from this position on, in the order they were added; for as long as nothing is added or removed. Throws HostError. */
  units(from: number): Generator<{ readonly position: number; readonly unit: TimerUnit }> {
    return this.#log.units(from);
  }

  /** Takes the last unit back, for start: what it leads to is not there. Throws HostError. */
  dropLast(): void {
    const last = this.lastUnit();
    if (last === undefined) return;
    const { position, unit } = last;
    const slot = this.#wheel.slot(unit.slotMs);
    if (slot?.lastPos === position) {
      if (unit.prevPos < 0) this.#wheel.clear(unit.slotMs);
      else this.#wheel.put({ ...slot, lastPos: unit.prevPos, num: slot.num - weightOf(unit) });
    }
    this.#log.dropLast(position);
  }

  /** After the last `dropLast`: what lies behind the log's end does not come back. Throws HostError. */
  trim(): void {
    this.#log.trimSync();
  }

  /** The slot is being emptied, and not `next` any more; on disk it stays until it is cleared. */
  take(slotMs: number): void {
    this.#wheel.take(slotMs);
  }

  /** All of the slot is delivered, durably. */
  clear(slotMs: number): void {
    this.#wheel.clear(slotMs);
  }

  /** Removes log files whose messages lie before `physicalOffset` of the CommitLog. */
  removeBefore(physicalOffset: number): void {
    try {
      this.#log.removeBefore(physicalOffset);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#logger.warn({ err: error }, "an old file of timerlog cannot be removed; trying again");
    }
  }

  /** Makes all that was added and cleared durable, and then says so; one at a time. `done(false)`: it is to be tried again. */
  save(progress: TimerProgress, wallMs: number, done: (saved: boolean) => void): void {
    if (this.#saving || this.#failed || this.#closed) {
      done(false);
      return;
    }
    try {
      this.#log.writeOut();
      this.#leaving = this.#wheel.changes();
    } catch (error) {
      this.#notSaved(error as HostError);
      done(false);
      return;
    }
    this.#saving = true;
    const logPosition = this.#log.end;
    const resets = this.#resets;
    const isOver = (): boolean => this.#closed || this.#resets !== resets;
    const finish = (error: HostError | undefined): void => {
      this.#saving = false;
      if (error !== undefined) this.#notSaved(error);
      done(error === undefined);
    };
    const syncFailed = (error: HostError): void => {
      this.#failed = true;
      this.#stay();
      this.#saving = false;
      this.#logger.error(
        { err: error },
        "timers cannot be synced: their progress is not saved until the broker is started again, which repeats deliveries",
      );
      done(false);
    };
    this.#log.sync((error) => {
      if (isOver()) return finish(undefined);
      if (error !== undefined) return syncFailed(error);
      try {
        this.#wheel.write(this.#leaving);
        this.#leaving = [];
      } catch (failure) {
        this.#stay();
        return finish(failure as HostError);
      }
      this.#wheel.sync((failure) => {
        if (isOver()) return finish(undefined);
        if (failure !== undefined) return syncFailed(failure);
        this.#checkFile.save(this.#check(progress, logPosition, wallMs), (problem) => {
          if (problem !== undefined || !this.#isMarked || isOver()) return finish(problem);
          this.#files.syncFolder(this.#configFolder, (unsynced) => {
            if (unsynced !== undefined || isOver()) return finish(unsynced);
            this.#unmark();
            finish(undefined);
          });
        });
      });
    });
  }

  /** As `save`, blocking, for stop. Throws HostError. */
  saveSync(progress: TimerProgress, wallMs: number): void {
    if (this.#failed) return;
    // What a save under way has taken, it may not write any more.
    this.#stay();
    this.#log.writeOut();
    this.#log.syncSync();
    this.#wheel.write(this.#wheel.changes());
    this.#wheel.syncSync();
    this.#checkFile.saveSync(this.#check(progress, this.#log.end, wallMs));
    if (!this.#isMarked) return;
    this.#files.syncFolderSync(this.#configFolder);
    this.#unmark();
  }

  close(): void {
    this.#closed = true;
    this.#wheel.close();
    this.#log.close();
    this.#checkFile.close();
  }

  /** What was taken is not written: it changes again. */
  #stay(): void {
    this.#wheel.unwritten(this.#leaving);
    this.#leaving = [];
  }

  /** What was built again is saved. A mark that stays makes it be built once more. */
  #unmark(): void {
    try {
      this.#files.unlinkSync(this.#markPath);
      this.#isMarked = false;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#logger.warn({ err: error }, "the mark of a rebuild of timers cannot be removed; trying again");
    }
  }

  #check({ readTimeMs, queueOffset }: TimerProgress, logPosition: number, wallMs: number): TimerCheck {
    this.#counter++;
    const stateVersion = this.#stateVersion;
    return {
      readTimeMs,
      logPosition,
      queueOffset,
      stateVersion,
      timestampMs: wallMs,
      counter: this.#counter,
    };
  }

  #notSaved(error: HostError): void {
    this.#logger.error({ err: error }, "the state of timers cannot be saved; trying again");
  }

  /** Why the files cannot be gone on with; `undefined` when they can. */
  #load(check: TimerCheck | undefined): string | undefined {
    const from = check?.logPosition ?? 0;
    const logProblem = this.#log.load(from);
    if (logProblem !== undefined) return `timerlog: ${logProblem}`;
    const wheelProblem = this.#wheel.load(check?.readTimeMs ?? 0, this.#log);
    if (wheelProblem !== undefined) return `timerwheel: ${wheelProblem}`;
    if (check === undefined) return this.#log.isEmpty ? undefined : "timercheck is missing, or torn";
    if (this.#log.isEmpty && check.queueOffset > 0) return "timerlog is missing";
    // Added after the check was made: none of them counts as delivered, whatever the clock was then.
    for (const { position, unit } of this.#log.units(from)) {
      const slot = this.#wheel.slot(unit.slotMs);
      if (slot !== undefined && slot.lastPos >= position) continue;
      if (slot === undefined && !this.#wheel.hasRoom(unit.slotMs))
        return "timerwheel: two turns share a slot";
      this.#wheel.put({
        timeMs: unit.slotMs,
        firstPos: slot?.firstPos ?? position,
        lastPos: position,
        num: (slot?.num ?? 0) + weightOf(unit),
      });
    }
    return undefined;
  }
}

/** What a unit adds to the number of its slot. */
function weightOf({ magic }: { readonly magic: number }): number {
  return (magic & TimerMagic.DELETE) === 0 ? 1 : -1;
}
