/**
 * What the last versions of one small file of state looked like when they were written: length, time of change and
 * checksum, in a file of ours. JSON has no checksum, and a flipped digit in it still parses; but the file is also an
 * operator's to edit and a Java broker's to write. Who writes a file changes its time; a disk that rots does not. So:
 *
 *   length and time are those of a version that we wrote   its checksum must match: `different` is damage
 *   they are not                                           somebody else has written the file: `unknown`, believed
 *
 * Two slots in turn (two-slot-file.ts), on disk before the version they are about takes its place:
 *
 *   slot: magic:u32 version:u32 sequence:i64 count:u32 (length:u32 crc:u32 modifiedMs:f64){count} …zeros… crc:u32
 */
import { type Files, HostError } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { folderOf } from "../store-paths.ts";
import { SLOT_BYTES, TwoSlotFile } from "./two-slot-file.ts";

const MAGIC = 0x4f4d5153;
/** Raised when older versions would misread the file. */
export const STATE_CHECKSUMS_VERSION = 1;
const COUNT_AT = 16;
const ENTRIES_AT = 20;
const ENTRY_BYTES = 16;
/** The file, its backup, what is about to take its place, and those that never did. */
const ENTRIES_MAX = 16;

interface Written {
  readonly length: number;
  readonly crc: number;
  readonly modifiedMs: number;
}

export class StateChecksums {
  readonly #files: Files;
  readonly #path: string;
  readonly #slots: TwoSlotFile;
  /** The oldest first. */
  #written: readonly Written[] = [];

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
    this.#slots = new TwoSlotFile(files, path, { magic: MAGIC, version: STATE_CHECKSUMS_VERSION });
  }

  /** What is known; nothing when the file is missing or cannot be read. Throws StoreError VERSION. */
  load(): void {
    try {
      const slot = this.#slots.load()?.slot;
      this.#written = slot === undefined ? [] : decode(slot);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#written = [];
    }
  }

  /** Whether `bytes`, which lie at `path` now, are what we wrote there. Throws HostError. */
  check(path: string, bytes: Uint8Array): "same" | "different" | "unknown" {
    const { length, modifiedMs } = this.#look(path, bytes);
    const candidates = this.#written.filter(
      (each) => each.length === length && each.modifiedMs === modifiedMs,
    );
    if (candidates.length === 0) return "unknown";
    const crc = plainCrc32(bytes);
    return candidates.some((each) => each.crc === crc) ? "same" : "different";
  }

  /** Notes that `bytes` were written to `path`, and will stay so under another name; they must be on disk. */
  note(path: string, bytes: Uint8Array, done: (error: HostError | undefined) => void): void {
    try {
      this.#open();
      this.#add(this.#look(path, bytes));
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      done(error);
      return;
    }
    this.#slots.save(encode(this.#written), done);
  }

  /** As `note`, blocking. Throws HostError. */
  noteSync(path: string, bytes: Uint8Array): void {
    this.#open();
    this.#add(this.#look(path, bytes));
    this.#slots.saveSync(encode(this.#written));
  }

  close(): void {
    this.#slots.close();
  }

  #look(path: string, bytes: Uint8Array): Written {
    return {
      length: bytes.length,
      crc: plainCrc32(bytes),
      modifiedMs: this.#files.statSync(path)?.modifiedMs ?? -1,
    };
  }

  #add(written: Written): void {
    this.#written = [...this.#written, written].slice(-ENTRIES_MAX);
  }

  #open(): void {
    if (this.#slots.isOpen) return;
    const folder = folderOf(this.#path);
    this.#files.makeFolderSync(folder);
    this.#slots.open();
    this.#files.syncFolderSync(folder);
    this.#files.syncFolderSync(folderOf(folder));
  }
}

function encode(written: readonly Written[]): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES);
  slot.writeUInt32BE(written.length, COUNT_AT);
  written.forEach(({ length, crc, modifiedMs }, index) => {
    const at = ENTRIES_AT + index * ENTRY_BYTES;
    slot.writeUInt32BE(length, at);
    slot.writeUInt32BE(crc, at + 4);
    slot.writeDoubleBE(modifiedMs, at + 8);
  });
  return slot;
}

function decode(slot: Buffer): Written[] {
  const count = Math.min(ENTRIES_MAX, slot.readUInt32BE(COUNT_AT));
  return Array.from({ length: count }, (_, index) => {
    const at = ENTRIES_AT + index * ENTRY_BYTES;
    return {
      length: slot.readUInt32BE(at),
      crc: slot.readUInt32BE(at + 4),
      modifiedMs: slot.readDoubleBE(at + 8),
    };
  });
}
