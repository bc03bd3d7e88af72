/**
 * Keeps the mark file behind the store's positions: soon enough that recovery has little to do, rarely enough
 * that nobody waits for it. A save is due when
 *   - the head has come within half of the step to the write limit (the log must not pass the limit on disk),
 *   - as much as that was flushed since the last save, or
 *   - something was flushed and 5 s have passed.
 * A failed save is repeated after 1 s; until then the old mark counts, which only makes recovery slower.
 * Between saves every flush is noted in the page cache, which costs one small write and no sync.
 */
import { type Host, HostError, type Logger, type TimerHandle } from "@orbitmq/host";
import type { Mark, MarkFile } from "./mark-file.ts";

const INTERVAL_MS = 5_000;
const RETRY_MS = 1_000;

/** The positions a mark is made of, asked for at the moment of a save. */
export interface MarkSource {
  readonly flushedOffset: number;
  readonly dispatchedOffset: number;
  readonly lastStoreTimestamp: number;
  readonly zerosWritten: number;
  readonly checkpointFields: Uint8Array;
  /** The limit is on disk now. */
  limitRaised(limit: number): void;
}

export class MarkKeeper {
  readonly #host: Pick<Host, "timers">;
  readonly #file: MarkFile;
  readonly #source: MarkSource;
  readonly #logger: Logger;
  readonly #segmentBytes: number;
  readonly #limitStep: number;
  #nonce = 0;
  #limit = 0;
  /** Records below it may lack a seal, as the mark on disk says; and as the next one is to say. */
  #unsealedTo = 0;
  #unsealedWanted = 0;
  #savedFlushed = 0;
  #savedDispatched = 0;
  #noted = 0;
  /** The last note could not be written; none until a save has succeeded. */
  #noteFailed = false;
  #asked = false;
  #timer: TimerHandle | undefined;
  #open = false;

  constructor(
    host: Pick<Host, "timers">,
    file: MarkFile,
    source: MarkSource,
    sizes: { readonly segmentBytes: number; readonly limitStep: number },
    logger: Logger,
  ) {
    this.#host = host;
    this.#file = file;
    this.#source = source;
    this.#segmentBytes = sizes.segmentBytes;
    this.#limitStep = sizes.limitStep;
    this.#logger = logger;
  }

  /** Between `begin` and `close`. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** What lies below is on disk in log and queues, and the mark on disk says so: recovery never looks at it. */
  get savedTo(): number {
    return Math.min(this.#savedFlushed, this.#savedDispatched);
  }

  /** What lies below is on disk in the log, and a process that starts after this one was killed knows it. */
  get notedTo(): number {
    return Math.max(this.#savedFlushed, this.#noted);
  }

  /** Writes the first mark of a run, blocking: everything below `flushedOffset` is on disk. Throws HostError. */
  begin(nonce: number, writeLimitMin: number): void {
    this.#nonce = nonce;
    this.#limit = Math.max(writeLimitMin, this.#source.zerosWritten) + this.#limitStep;
    this.#file.saveSync(this.#mark("running", -1));
    this.#saved(this.#limit);
    this.#open = true;
  }

  /** Whether records without a seal may be appended up to `end`; when not, a mark that allows it is on its way to the disk. */
  allowsUnsealed(end: number): boolean {
    if (end <= this.#unsealedTo) return true;
    if (end > this.#unsealedWanted) {
      this.#unsealedWanted = end + this.#limitStep;
      this.save();
    }
    return false;
  }

  /** Looks whether a save is due; cheap, called whenever positions have moved. */
  moved(): void {
    if (!this.#open) return;
    const { zerosWritten, flushedOffset, dispatchedOffset } = this.#source;
    if (flushedOffset > this.#noted && !this.#noteFailed) this.#note(flushedOffset);
    if (
      zerosWritten + this.#limitStep / 2 > this.#limit ||
      flushedOffset - this.#savedFlushed >= this.#limitStep / 2
    ) {
      this.save();
    } else if (flushedOffset > this.#savedFlushed || dispatchedOffset > this.#savedDispatched) {
      this.#timer ??= this.#host.timers.after(INTERVAL_MS, this.#tick);
    }
  }

  /** Saves now, or right after the save in flight. */
  save(): void {
    if (!this.#open) return;
    if (this.#file.saving) {
      this.#asked = true;
      return;
    }
    this.#asked = false;
    this.#cancelTimer();
    const limit = Math.max(this.#limit, this.#source.zerosWritten + this.#limitStep);
    const mark = this.#mark("running", -1, limit);
    this.#file.save(mark, (error) => {
      if (!this.#open) return;
      if (error !== undefined) {
        this.#logger.error({ err: error }, "the store's mark cannot be saved; trying again");
        this.#cancelTimer();
        this.#timer = this.#host.timers.after(RETRY_MS, this.#tick);
        return;
      }
      this.#savedFlushed = mark.flushedOffset;
      this.#savedDispatched = mark.dispatchedOffset;
      this.#limit = limit;
      this.#unsealedTo = mark.unsealedTo;
      this.#noteFailed = false;
      this.#source.limitRaised(limit);
      if (this.#asked) this.save();
      else this.moved();
    });
  }

  /** A mark that announces a truncation, or takes the announcement back (-1); blocking. Throws HostError. */
  saveTruncation(truncateTo: number): void {
    this.#file.saveSync(this.#mark("running", truncateTo));
    this.#saved(this.#limit);
  }

  /** The last mark of an orderly stop, blocking. Throws HostError. */
  saveStopped(): void {
    this.#file.saveSync(this.#mark("stopped", -1));
  }

  close(): void {
    this.#open = false;
    this.#cancelTimer();
  }

  /** Before anything is acknowledged; what a save says meanwhile is no older. */
  #note(flushedOffset: number): void {
    try {
      this.#file.note(this.#nonce, flushedOffset, this.#source.lastStoreTimestamp);
      this.#noted = flushedOffset;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#noteFailed = true;
      this.#logger.warn(
        { err: error },
        "what is on disk cannot be noted until the store's mark is saved again",
      );
    }
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.save();
  };

  #cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #saved(limit: number): void {
    this.#savedFlushed = this.#source.flushedOffset;
    this.#savedDispatched = this.#source.dispatchedOffset;
    this.#noted = this.#savedFlushed;
    this.#source.limitRaised(limit);
  }

  #mark(state: "running" | "stopped", truncateTo: number, writeLimit = this.#limit): Mark {
    const { flushedOffset, dispatchedOffset, lastStoreTimestamp, checkpointFields } = this.#source;
    return {
      state,
      nonce: this.#nonce,
      flushedOffset,
      dispatchedOffset: Math.min(dispatchedOffset, flushedOffset),
      writeLimit: Math.max(writeLimit, flushedOffset),
      truncateTo,
      lastStoreTimestamp,
      segmentBytes: this.#segmentBytes,
      checkpoint: Uint8Array.from(checkpointFields),
      unsealedTo: this.#unsealedWanted,
    };
  }
}
