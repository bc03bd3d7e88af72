/**
 * Our own mark of how far the store has come, so that recovery costs what lies behind it and not the whole log
 * (RocketMQ knows only timestamps, and starts at a file boundary). Everything in it can be derived again; it is
 * believed only while nobody else has written the store since (see recovery-plan.ts).
 *
 * Two slots in turn (state/two-slot-file.ts):
 *
 *   slot: magic:u32 version:u32 sequence:i64 state:u32 nonce:u32 flushedOffset:i64 dispatchedOffset:i64
 *         writeLimit:i64 truncateTo:i64 lastStoreTimestamp:i64 segmentBytes:i64 checkpoint:40 unsealedTo:i64 …zeros…
 *         crc:u32
 *
 * Behind them a note of what was flushed since the newest of them. It is written before anything is acknowledged and
 * never synced: a process that was killed leaves it whole, so that the next one knows a record that has rotted since
 * from one that was torn. It counts only together with the slot it was written after; a crash of the machine may
 * take it, or tear it.
 *
 *   note: magic:u32 nonce:u32 sequence:i64 flushedOffset:i64 lastStoreTimestamp:i64 crc:u32 (36 bytes)
 */
import { assert, type Files, type HostError } from "@orbitmq/host";
import { bodyCrc, readInt64, writeInt64 } from "@orbitmq/wire";
import { SLOT_BYTES, SLOTS_END, TwoSlotFile } from "../state/two-slot-file.ts";

export interface Mark {
  /** `running` from start to stop; `stopped` after an orderly stop. */
  readonly state: "running" | "stopped";
  /** The same number is in the `abort` file of the run that wrote the mark. */
  readonly nonce: number;
  /** All log bytes below it are on disk. */
  readonly flushedOffset: number;
  /** The ConsumeQueue units of all records below it are on disk. */
  readonly dispatchedOffset: number;
  /** No byte of the log at or behind it was ever written. */
  readonly writeLimit: number;
  /** A truncation to this position was decided and may be half done; -1 when none is. */
  readonly truncateTo: number;
  readonly lastStoreTimestamp: number;
  /** `mappedFileSizeCommitLog` of the store. */
  readonly segmentBytes: number;
  /** The checkpoint file's fields as last written by us (40 bytes). */
  readonly checkpoint: Uint8Array;
  /** Records below it may lack `__CRC32#`: they were copied from another broker's log. */
  readonly unsealedTo: number;
}

const MAGIC = 0x4f4d514d;
/** Raised when older versions would misread the file. */
export const MARK_VERSION = 1;
const CHECKPOINT_AT = 72;
const CHECKPOINT_BYTES = 40;
const UNSEALED_AT = CHECKPOINT_AT + CHECKPOINT_BYTES;
const NOTE_MAGIC = 0x4f4d514e;
const NOTE_BYTES = 36;
const NOTE_CRC_AT = NOTE_BYTES - 4;

export class MarkFile {
  readonly #files: Files;
  readonly #path: string;
  readonly #slots: TwoSlotFile;
  readonly #noteBytes = Buffer.alloc(NOTE_BYTES);
  #saving = false;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
    this.#slots = new TwoSlotFile(files, path, {
      magic: MAGIC,
      version: MARK_VERSION,
      moreBytes: NOTE_BYTES,
    });
  }

  get saving(): boolean {
    return this.#saving;
  }

  /**
   * The newest whole mark, `undefined` when there is none. Throws StoreError VERSION when a newer version has
   * written it.
   */
  load(): Mark | undefined {
    const loaded = this.#slots.load();
    return loaded === undefined ? undefined : withNote(decode(loaded.slot), loaded.sequence, loaded.bytes);
  }

  /** Opens the file for saving; created with its full length when missing. The folder is not synced here. */
  open(): void {
    this.#slots.open();
  }

  /** What was read from the page cache is on disk from now on; for a start that may come to nothing. Throws HostError. */
  syncSync(): void {
    const file = this.#files.openSync(this.#path);
    try {
      file.fdatasyncSync();
    } finally {
      file.closeSync();
    }
  }

  /** Notes how far the log is on disk now, into the page cache only. Throws HostError. */
  note(nonce: number, flushedOffset: number, lastStoreTimestamp: number): void {
    const note = this.#noteBytes;
    note.writeUInt32BE(NOTE_MAGIC, 0);
    note.writeUInt32BE(nonce, 4);
    writeInt64(note, this.#slots.newest, 8);
    writeInt64(note, flushedOffset, 16);
    writeInt64(note, lastStoreTimestamp, 24);
    note.writeUInt32BE(bodyCrc(note.subarray(0, NOTE_CRC_AT)), NOTE_CRC_AT);
    this.#slots.file.writeSync(note, SLOTS_END);
  }

  /** Saves without blocking; one at a time (see `saving`). After a failure the older slot still counts. */
  save(mark: Mark, done: (error: HostError | undefined) => void): void {
    assert(!this.#saving, "one save of the mark at a time");
    this.#saving = true;
    this.#slots.save(encode(mark), (error) => {
      this.#saving = false;
      done(error);
    });
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(mark: Mark): void {
    this.#slots.saveSync(encode(mark));
  }

  close(): void {
    this.#slots.close();
  }
}

/** The mark with what was noted after it; a note that cannot be right does not count. */
function withNote(mark: Mark, sequence: number, bytes: Buffer): Mark {
  if (bytes.length < SLOTS_END + NOTE_BYTES) return mark;
  const note = bytes.subarray(SLOTS_END, SLOTS_END + NOTE_BYTES);
  const isWhole =
    note.readUInt32BE(0) === NOTE_MAGIC &&
    note.readUInt32BE(NOTE_CRC_AT) === bodyCrc(note.subarray(0, NOTE_CRC_AT));
  const goesWith = note.readUInt32BE(4) === mark.nonce && readInt64(note, 8) === sequence;
  if (!isWhole || !goesWith || mark.state !== "running" || mark.truncateTo >= 0) return mark;
  const flushedOffset = readInt64(note, 16);
  if (flushedOffset <= mark.flushedOffset || flushedOffset > mark.writeLimit) return mark;
  const lastStoreTimestamp = Math.max(mark.lastStoreTimestamp, readInt64(note, 24));
  return { ...mark, flushedOffset, lastStoreTimestamp };
}

function encode(mark: Mark): Buffer {
  assert(mark.dispatchedOffset <= mark.flushedOffset, "nothing is dispatched that is not flushed");
  assert(mark.flushedOffset <= mark.writeLimit, "nothing is flushed that was not written");
  const slot = Buffer.alloc(SLOT_BYTES);
  slot.writeUInt32BE(mark.state === "running" ? 1 : 2, 16);
  slot.writeUInt32BE(mark.nonce, 20);
  writeInt64(slot, mark.flushedOffset, 24);
  writeInt64(slot, mark.dispatchedOffset, 32);
  writeInt64(slot, mark.writeLimit, 40);
  writeInt64(slot, mark.truncateTo, 48);
  writeInt64(slot, mark.lastStoreTimestamp, 56);
  writeInt64(slot, mark.segmentBytes, 64);
  slot.set(mark.checkpoint.subarray(0, CHECKPOINT_BYTES), CHECKPOINT_AT);
  writeInt64(slot, mark.unsealedTo, UNSEALED_AT);
  return slot;
}

function decode(slot: Buffer): Mark {
  return {
    state: slot.readUInt32BE(16) === 2 ? "stopped" : "running",
    nonce: slot.readUInt32BE(20),
    flushedOffset: readInt64(slot, 24),
    dispatchedOffset: readInt64(slot, 32),
    writeLimit: readInt64(slot, 40),
    truncateTo: readInt64(slot, 48),
    lastStoreTimestamp: readInt64(slot, 56),
    segmentBytes: readInt64(slot, 64),
    checkpoint: Uint8Array.from(slot.subarray(CHECKPOINT_AT, CHECKPOINT_AT + CHECKPOINT_BYTES)),
    unsealedTo: readInt64(slot, UNSEALED_AT),
  };
}
