/**
 * `timercheck` (RocketMQ: TimerCheckpoint): how far timers are delivered and taken from their queue. 4096 bytes as
 * Java's, of which 56 are used:
 *
 *   lastReadTimeMs:i64 lastTimerLogFlushPos:i64 lastTimerQueueOffset:i64 masterTimerQueueOffset:i64
 *   stateVersion:i64 timestamp:i64 counter:i64
 *
 * It is replaced whole, the one before kept as `.bak`: an older one repeats deliveries and loses none.
 */
import type { Files, HostError, OpenFile } from "@orbitmq/host";
import { readInt64, writeInt64 } from "@orbitmq/wire";

export const TIMER_CHECK_BYTES = 56;
const FILE_BYTES = 4096;

export interface TimerCheck {
  /** Wall ms: every slot before is delivered, durably. */
  readonly readTimeMs: number;
  /** Units of the log that lie below are on disk, and so are their slots. */
  readonly logPosition: number;
  /** Messages of the timer's queue below are in the log. */
  readonly queueOffset: number;
  readonly stateVersion: number;
  /** Wall ms of the change, and how many there were. */
  readonly timestampMs: number;
  readonly counter: number;
}

export function encodeTimerCheck(check: TimerCheck): Buffer {
  const bytes = Buffer.alloc(TIMER_CHECK_BYTES);
  const { readTimeMs, logPosition, queueOffset, stateVersion, timestampMs, counter } = check;
  // The one who writes is the master.
  const fields = [readTimeMs, logPosition, queueOffset, queueOffset, stateVersion, timestampMs, counter];
  fields.forEach((value, index) => {
    writeInt64(bytes, value, 8 * index);
  });
  return bytes;
}

/** `undefined` when these are no such fields. */
export function decodeTimerCheck(bytes: Uint8Array): TimerCheck | undefined {
  if (bytes.length < TIMER_CHECK_BYTES) return undefined;
  const values = Array.from({ length: 7 }, (_, index) => readInt64(bytes, 8 * index));
  if (values.some((value) => value < 0 || !Number.isSafeInteger(value))) return undefined;
  const [readTimeMs, logPosition, own, master, stateVersion, timestampMs, counter] = values as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { readTimeMs, logPosition, queueOffset: Math.min(own, master), stateVersion, timestampMs, counter };
}

export class TimerCheckFile {
  readonly #files: Files;
  readonly #path: string;
  /** Counts blocking saves: one that was begun before does not take its place any more. */
  #overtaken = 0;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** The file, else the one before; `undefined` when there is neither, or none that can be read. */
  load(): TimerCheck | undefined {
    return this.#read(this.#path) ?? this.#read(`${this.#path}.bak`);
  }

  /** Without blocking; one at a time. */
  save(check: TimerCheck, done: (error: HostError | undefined) => void): void {
    let file: OpenFile | undefined;
    try {
      file = this.#write(check);
    } catch (error) {
      done(error as HostError);
      return;
    }
    const written = file;
    const overtakenBefore = this.#overtaken;
    written.fdatasync("other", (error) => {
      written.closeSync();
      if (error === undefined && this.#overtaken === overtakenBefore) {
        try {
          this.#moveIntoPlace();
        } catch (failure) {
          done(failure as HostError);
          return;
        }
      }
      done(error);
    });
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(check: TimerCheck): void {
    this.#overtaken++;
    const file = this.#write(check);
    try {
      file.fdatasyncSync();
    } finally {
      file.closeSync();
    }
    this.#moveIntoPlace();
  }

  #read(path: string): TimerCheck | undefined {
    const bytes = this.#files.readWholeSync(path);
    return bytes === undefined ? undefined : decodeTimerCheck(bytes);
  }

  #write(check: TimerCheck): OpenFile {
    const file = this.#files.openSync(`${this.#path}.tmp`, { create: true });
    try {
      const bytes = Buffer.alloc(FILE_BYTES);
      encodeTimerCheck(check).copy(bytes);
      file.writeSync(bytes, 0);
      return file;
    } catch (error) {
      file.closeSync();
      throw error;
    }
  }

  #moveIntoPlace(): void {
    if (this.#files.statSync(this.#path) !== undefined)
      this.#files.renameSync(this.#path, `${this.#path}.bak`);
    this.#files.renameSync(`${this.#path}.tmp`, this.#path);
  }
}
