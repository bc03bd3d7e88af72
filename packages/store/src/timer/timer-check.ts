/**
 * `timercheck` (RocketMQ: TimerCheckpoint): how far timers are delivered and taken from their queue. 4096 bytes as
 * Java's, of which 56 are used:
 *
 *   lastReadTimeMs:i64 lastTimerLogFlushPos:i64 lastTimerQueueOffset:i64 masterTimerQueueOffset:i64
 *   stateVersion:i64 timestamp:i64 counter:i64
 *
 * It is replaced whole, the one before kept as `.bak`: an older one repeats deliveries and loses none. It has no checksum,
 * and a bit that flips in a time would have what is due until then taken for delivered: what we wrote is noted
 * (state-checksums.ts), as of other files of state.
 */
import { type Files, HostError, type Logger, type OpenFile } from "@orbitmq/host";
import { readInt64, writeInt64 } from "@orbitmq/wire";
import { StateChecksums } from "../state/state-checksums.ts";

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
  readonly #logger: Logger;
  readonly #sums: StateChecksums;
  /** Counts blocking saves: one that was begun before does not take its place any more. */
  #overtaken = 0;
  #saving = false;
  #closed = false;

  /** `checksums` names the file they are kept in. */
  constructor(files: Files, path: string, checksums: string, logger: Logger) {
    this.#files = files;
    this.#path = path;
    this.#logger = logger;
    this.#sums = new StateChecksums(files, checksums);
  }

  /**
   * The file, else the one before; `undefined` when there is neither, or none that can be read. Blocking, for start.
   * Throws StoreError VERSION when a newer version has written the checksums.
   */
  load(): TimerCheck | undefined {
    this.#sums.load();
    return this.#read(this.#path) ?? this.#read(`${this.#path}.bak`);
  }

  /** Without blocking; one at a time. */
  save(check: TimerCheck, saved: (error: HostError | undefined) => void): void {
    const done = (error: HostError | undefined): void => {
      this.#saving = false;
      if (this.#closed) this.#sums.close();
      saved(error);
    };
    this.#saving = true;
    const bytes = fileOf(check);
    let file: OpenFile | undefined;
    try {
      file = this.#write(bytes);
    } catch (error) {
      done(error as HostError);
      return;
    }
    const written = file;
    const overtakenBefore = this.#overtaken;
    written.fdatasync("other", (error) => {
      written.closeSync();
      if (error !== undefined || this.#overtaken !== overtakenBefore) return done(error);
      this.#sums.note(this.#temporary, bytes, (unnoted) => {
        if (unnoted !== undefined) this.#notNoted(unnoted);
        if (this.#overtaken !== overtakenBefore) return done(undefined);
        try {
          this.#moveIntoPlace();
        } catch (failure) {
          done(failure as HostError);
          return;
        }
        done(undefined);
      });
    });
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(check: TimerCheck): void {
    this.#overtaken++;
    const bytes = fileOf(check);
    const file = this.#write(bytes);
    try {
      file.fdatasyncSync();
    } finally {
      file.closeSync();
    }
    this.#noteSync(this.#temporary, bytes);
    this.#moveIntoPlace();
  }

  close(): void {
    this.#closed = true;
    if (!this.#saving) this.#sums.close();
  }

  get #temporary(): string {
    return `${this.#path}.tmp`;
  }

  #read(path: string): TimerCheck | undefined {
    const bytes = this.#files.readWholeSync(path);
    if (bytes === undefined) return undefined;
    const check = this.#sums.check(path, bytes);
    if (check === "different") {
      this.#logger.error({ file: path }, "it is not what was written, although nobody has changed it since");
      return undefined;
    }
    // What somebody else has written is ours to watch over from now on.
    if (check === "unknown") this.#noteSync(path, bytes);
    return decodeTimerCheck(bytes);
  }

  #noteSync(path: string, bytes: Uint8Array): void {
    try {
      this.#sums.noteSync(path, bytes);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#notNoted(error);
    }
  }

  /** A check without a checksum is better than none. */
  #notNoted(error: HostError): void {
    this.#logger.warn({ file: this.#path, err: error }, "the checksum of a state file cannot be written");
  }

  #write(bytes: Buffer): OpenFile {
    const file = this.#files.openSync(this.#temporary, { create: true });
    try {
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
    this.#files.renameSync(this.#temporary, this.#path);
  }
}

function fileOf(check: TimerCheck): Buffer {
  const bytes = Buffer.alloc(FILE_BYTES);
  encodeTimerCheck(check).copy(bytes);
  return bytes;
}
