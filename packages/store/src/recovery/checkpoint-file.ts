/**
 * RocketMQ's checkpoint, kept for the Java broker that may open the store after us, and read when it had the
 * store before us (RocketMQ: StoreCheckpoint). A file of 4096 bytes of which 40 are used:
 *
 *   physicMsgTimestamp:i64 logicsMsgTimestamp:i64 indexMsgTimestamp:i64 masterFlushedOffset:i64
 *   confirmPhyOffset:i64
 *
 * Timestamps are wall milliseconds: every record stored by then is on disk, in the log and in the queues.
 */
import type { Files, HostError, OpenFile } from "@orbitmq/host";
import { readInt64, writeInt64 } from "@orbitmq/wire";

const FILE_BYTES = 4096;
export const CHECKPOINT_FIELDS_BYTES = 40;
/** Java trusts its timestamps only up to this long before. */
const SLACK_MS = 3_000;

export class CheckpointFile {
  readonly #files: Files;
  readonly #path: string;
  readonly fields = Buffer.alloc(CHECKPOINT_FIELDS_BYTES);
  #file: OpenFile | undefined;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  get physicMsgTimestamp(): number {
    return readInt64(this.fields, 0);
  }

  get logicsMsgTimestamp(): number {
    return readInt64(this.fields, 8);
  }

  /** Full IndexFiles whose last message was stored by then are surely on disk. */
  get indexMsgTimestamp(): number {
    return readInt64(this.fields, 16);
  }

  /** Records stored by then are surely in log and queues; 0 when nothing is sure. */
  get safeTimestamp(): number {
    return Math.max(0, Math.min(this.physicMsgTimestamp, this.logicsMsgTimestamp) - SLACK_MS);
  }

  /** Records stored by then are surely in the log. */
  get safeLogTimestamp(): number {
    return Math.max(0, this.physicMsgTimestamp - SLACK_MS);
  }

  /** Reads the fields; a missing or short file leaves zeros. */
  load(): void {
    const bytes = this.#files.readWholeSync(this.#path);
    if (bytes !== undefined && bytes.length >= CHECKPOINT_FIELDS_BYTES) {
      this.fields.set(bytes.subarray(0, CHECKPOINT_FIELDS_BYTES));
    }
  }

  open(): void {
    const file = this.#files.openSync(this.#path, { create: true });
    if (file.sizeSync() < FILE_BYTES) file.truncateSync(FILE_BYTES);
    this.#file = file;
  }

  /** An IndexFile is full and on disk whose last message was stored at `timestampMs`. */
  setIndex(timestampMs: number): void {
    writeInt64(this.fields, timestampMs, 16);
  }

  /** Every record stored by `timestampMs` is durable, in log and queues. Index and HA fields keep what they had. */
  set(timestampMs: number): void {
    writeInt64(this.fields, timestampMs, 0);
    writeInt64(this.fields, timestampMs, 8);
  }

  save(done: (error: HostError | undefined) => void): void {
    const file = this.#file!;
    try {
      file.writeSync(Uint8Array.from(this.fields), 0);
    } catch (error) {
      done(error as HostError);
      return;
    }
    file.fdatasync("other", done);
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(): void {
    const file = this.#file!;
    file.writeSync(this.fields, 0);
    file.fdatasyncSync();
  }

  close(): void {
    this.#file?.closeSync();
    this.#file = undefined;
  }
}
