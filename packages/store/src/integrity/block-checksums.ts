/**
 * Checksums over the blocks of a derived file (ConsumeQueue, IndexFile), kept in a file of ours beside it, in a
 * folder of our own: RocketMQ's formats have none, and a flipped tags code would otherwise hide a message.
 *
 *   file:  magic:u32 version:u32 blockBytes:u32 crc:u32 entry…      (big-endian; crc over the 12 bytes before it)
 *   entry: length:u32 crc:u32        of block 0, 1, …; length 0: not known
 *
 * An entry says what the block's first `length` bytes were when it was computed, from memory, never from what the
 * disk returned unchecked. It needs no trust: one that was lost, or is older than its block, does not match, and what
 * does not match is compared with the CommitLog. The worst that a wrong one costs is that reading. Whether an entry
 * has to be on disk before somebody counts on it is theirs to say (`sync`).
 */
import { assert, type Files, HostError, type Lane, type OpenFile } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import type { OpenFileCache } from "../open-file-cache.ts";
import { StoreError } from "../store-error.ts";
import { folderOf } from "../store-paths.ts";

const MAGIC = 0x4f4d5143;
/** Raised when older versions would misread the files. */
export const CHECKSUMS_VERSION = 1;
const HEADER_BYTES = 16;
export const ENTRY_BYTES = 8;

/** What is known of some blocks, from `first` on. */
export interface BlockEntries {
  /** Whether the first `bytes.length` bytes of `block` are known, and are these. `unknown`: nothing is known of exactly so many. */
  check(block: number, bytes: Uint8Array): "same" | "different" | "unknown";
}

class Entries implements BlockEntries {
  readonly #first: number;
  readonly #bytes: Buffer;

  constructor(first: number, bytes: Buffer) {
    this.#first = first;
    this.#bytes = bytes;
  }

  check(block: number, bytes: Uint8Array): "same" | "different" | "unknown" {
    const at = (block - this.#first) * ENTRY_BYTES;
    if (at + ENTRY_BYTES > this.#bytes.length) return "unknown";
    if (bytes.length === 0 || this.#bytes.readUInt32BE(at) !== bytes.length) return "unknown";
    return this.#bytes.readUInt32BE(at + 4) === plainCrc32(bytes) ? "same" : "different";
  }
}

const NOTHING_KNOWN: BlockEntries = { check: () => "unknown" };

export class BlockChecksums {
  readonly blockBytes: number;
  readonly #files: Files;
  readonly #cache: OpenFileCache;

  constructor(files: Files, cache: OpenFileCache, blockBytes: number) {
    this.#files = files;
    this.#cache = cache;
    this.blockBytes = blockBytes;
  }

  /** Notes that the first `length` bytes of `block` have this plain CRC-32; length 0 forgets it. Throws HostError. */
  put(path: string, block: number, length: number, crc: number): void {
    assert(length >= 0 && length <= this.blockBytes, "a checksum is over one block");
    const entry = Buffer.allocUnsafe(ENTRY_BYTES);
    entry.writeUInt32BE(length, 0);
    entry.writeUInt32BE(crc >>> 0, 4);
    this.#writable(path).writeSync(entry, HEADER_BYTES + block * ENTRY_BYTES);
  }

  /** As `put`, for blocks that follow each other; `true` when the file had to be made anew. */
  putRun(path: string, first: number, blocks: readonly { length: number; crc: number }[]): boolean {
    const isMade = this.#open(path) === undefined;
    const entries = Buffer.allocUnsafe(blocks.length * ENTRY_BYTES);
    blocks.forEach(({ length, crc }, index) => {
      assert(length >= 0 && length <= this.blockBytes, "a checksum is over one block");
      entries.writeUInt32BE(length, index * ENTRY_BYTES);
      entries.writeUInt32BE(crc >>> 0, index * ENTRY_BYTES + 4);
    });
    this.#writable(path).writeSync(entries, HEADER_BYTES + first * ENTRY_BYTES);
    return isMade;
  }

  /** Brings what was put to disk; not the file's name. */
  sync(path: string, done: (error?: HostError) => void): void {
    try {
      this.#cache.get(path).fdatasync("other", done);
    } catch (error) {
      done(error as HostError);
    }
  }

  /** As `sync`, blocking. Throws HostError. */
  syncSync(path: string): void {
    this.#cache.get(path).fdatasyncSync();
  }

  /** Whether there is a file that can be read. */
  isKnown(path: string): boolean {
    return this.#open(path) !== undefined;
  }

  /** What is known of the blocks [first, first + count). A file that is missing, damaged or of another block size knows nothing. */
  read(lane: Lane, path: string, first: number, count: number, done: (entries: BlockEntries) => void): void {
    const file = this.#open(path);
    if (file === undefined) {
      done(NOTHING_KNOWN);
      return;
    }
    const bytes = Buffer.allocUnsafe(count * ENTRY_BYTES);
    file.read(lane, bytes, HEADER_BYTES + first * ENTRY_BYTES, (error, read) => {
      done(error === undefined ? new Entries(first, bytes.subarray(0, read)) : NOTHING_KNOWN);
    });
  }

  /** As `read`, blocking. */
  readSync(path: string, first: number, count: number): BlockEntries {
    const file = this.#open(path);
    if (file === undefined) return NOTHING_KNOWN;
    const bytes = Buffer.allocUnsafe(count * ENTRY_BYTES);
    return new Entries(first, bytes.subarray(0, file.readSync(bytes, HEADER_BYTES + first * ENTRY_BYTES)));
  }

  /** Its data file has gone. */
  remove(path: string): void {
    this.#cache.close(path);
    this.#files.unlinkSync(path);
  }

  /** The file when it is there and as it should be. */
  #open(path: string): OpenFile | undefined {
    try {
      const known = this.#cache.opened(path);
      if (known !== undefined) return known;
      const file = this.#cache.get(path);
      if (checkHeader(path, headOf(file), this.blockBytes)) return file;
      this.#cache.close(path);
    } catch (error) {
      // Nothing is known then, and everything is compared with the log.
      if (error instanceof HostError || error instanceof StoreError) return undefined;
      throw error;
    }
    return undefined;
  }

  #writable(path: string): OpenFile {
    const known = this.#open(path);
    if (known !== undefined) return known;
    this.#files.makeFolderSync(folderOf(path));
    const file = this.#files.openSync(path, { create: true });
    try {
      // What is there may be anything but a newer version's: that one is never written to.
      checkHeader(path, headOf(file), this.blockBytes);
      file.truncateSync(0);
      file.writeSync(header(this.blockBytes), 0);
    } catch (error) {
      file.closeSync();
      throw error;
    }
    this.#cache.put(path, file);
    return file;
  }
}

function headOf(file: OpenFile): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  return head.subarray(0, file.readSync(head, 0));
}

function header(blockBytes: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(CHECKSUMS_VERSION, 4);
  head.writeUInt32BE(blockBytes, 8);
  head.writeUInt32BE(plainCrc32(head.subarray(0, 12)), 12);
  return head;
}

/** Whether the file can be used; `false` when it is to be made anew. Throws StoreError VERSION. */
export function checkHeader(path: string, head: Buffer, blockBytes: number): boolean {
  if (head.length < HEADER_BYTES || head.readUInt32BE(0) !== MAGIC) return false;
  if (head.readUInt32BE(12) !== plainCrc32(head.subarray(0, 12))) return false;
  const version = head.readUInt32BE(4);
  if (version > CHECKSUMS_VERSION) {
    throw new StoreError(
      "VERSION",
      `${path} has format ${version}, this version knows ${CHECKSUMS_VERSION}: start a newer OrbitMQ`,
    );
  }
  return head.readUInt32BE(8) === blockBytes;
}
