/**
 * How far the IndexFiles on disk are known to be complete (`orbitmq-index`, ours): what a Java broker's files do not
 * say, so that after a crash the index goes on where it was instead of being thrown away. It lies beside the index
 * folder, not in it: Java takes every file in there for an IndexFile. Missing, torn or of another store it only
 * costs a rebuild.
 *
 * Two slots, 4096 bytes apart, written in turn as in mark-file.ts:
 *
 *   slot: magic:u32 version:u32 sequence:i64 storeId:u32 files:u32 slots:u32 items:u32 firstName:i64 newestName:i64
 *         newestItems:u32 slotsItems:u32 usedSlots:u32 reserved:u32 beginTimestamp:i64 endTimestamp:i64
 *         beginPhyOffset:i64 endPhyOffset:i64 indexedTo:i64 …zeros… crc:u32     (512 bytes, big-endian)
 */
import { assert, type Files, type HostError, type OpenFile } from "@orbitmq/host";
import { bodyCrc, readInt64, writeInt64 } from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";
import type { IndexHeader, IndexSizes } from "./index-layout.ts";

export interface IndexState {
  /** The store's id, as in the mark. */
  readonly storeId: number;
  readonly sizes: IndexSizes;
  /** How many files there are, from the one named `firstMs` to `newestMs`; older and newer ones are leftovers. */
  readonly files: number;
  readonly firstMs: number;
  readonly newestMs: number;
  /** The newest file's header, counting the items that are on disk. The files before it are full. */
  readonly header: IndexHeader;
  /** The newest file's slots on disk know the items below, and perhaps some of the others. */
  readonly slotsItems: number;
  /** Every key of every record below is in the files; of the record there, those that are. */
  readonly indexedTo: number;
}

const MAGIC = 0x4f4d5149;
export const INDEX_STATE_VERSION = 1;
const SLOT_BYTES = 512;
const SLOT_STEP = 4096;
const CRC_AT = SLOT_BYTES - 4;

export class IndexStateFile {
  readonly #files: Files;
  readonly #path: string;
  #file: OpenFile | undefined;
  #sequence = 0;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** The newest whole state; `undefined` when there is none. Throws StoreError VERSION when a newer version has written it. */
  load(): IndexState | undefined {
    const bytes = this.#files.readWholeSync(this.#path);
    if (bytes === undefined) return undefined;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let newest: IndexState | undefined;
    for (const at of [0, SLOT_STEP]) {
      if (view.length < at + SLOT_BYTES) continue;
      const slot = view.subarray(at, at + SLOT_BYTES);
      if (slot.readUInt32BE(0) !== MAGIC || slot.readUInt32BE(CRC_AT) !== bodyCrc(slot.subarray(0, CRC_AT)))
        continue;
      const version = slot.readUInt32BE(4);
      if (version > INDEX_STATE_VERSION) {
        throw new StoreError(
          "VERSION",
          `${this.#path} has format ${version}, this version knows ${INDEX_STATE_VERSION}: start a newer OrbitMQ`,
        );
      }
      const sequence = readInt64(slot, 8);
      if (sequence < this.#sequence) continue;
      this.#sequence = sequence;
      newest = decode(slot);
    }
    return newest;
  }

  /** Opens the file for saving; created with its full length when missing. The folder is not synced here. */
  open(): void {
    if (this.#file !== undefined) return;
    const file = this.#files.openSync(this.#path, { create: true });
    if (file.sizeSync() < SLOT_STEP + SLOT_BYTES) {
      file.writeSync(new Uint8Array(SLOT_STEP + SLOT_BYTES), 0);
      file.fdatasyncSync();
    }
    this.#file = file;
  }

  /** Nothing the file says counts any more. */
  remove(): void {
    this.close();
    this.#files.unlinkSync(this.#path);
  }

  /** Saves without blocking, one at a time. */
  save(state: IndexState, done: (error: HostError | undefined) => void): void {
    const sequence = this.#sequence + 1;
    try {
      this.#write(state, sequence);
    } catch (error) {
      done(error as HostError);
      return;
    }
    this.#file!.fdatasync("other", (error) => {
      if (error === undefined) this.#sequence = Math.max(this.#sequence, sequence);
      done(error);
    });
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(state: IndexState): void {
    this.#write(state, this.#sequence + 1);
    this.#file!.fdatasyncSync();
    this.#sequence += 1;
  }

  close(): void {
    this.#file?.closeSync();
    this.#file = undefined;
  }

  #write(state: IndexState, sequence: number): void {
    assert(this.#file !== undefined, "the index's state file is open");
    this.#file.writeSync(encode(state, sequence), (sequence % 2) * SLOT_STEP);
  }
}

function encode(
  { storeId, sizes, files, firstMs, newestMs, header, slotsItems, indexedTo }: IndexState,
  sequence: number,
): Buffer {
  assert(slotsItems <= header.count, "no slot is known of items that are not");
  assert(
    files === 0 || header.count === 1 || header.endPhyOffset <= indexedTo,
    "what is in the files is indexed",
  );
  const slot = Buffer.alloc(SLOT_BYTES);
  slot.writeUInt32BE(MAGIC, 0);
  slot.writeUInt32BE(INDEX_STATE_VERSION, 4);
  writeInt64(slot, sequence, 8);
  slot.writeUInt32BE(storeId, 16);
  slot.writeUInt32BE(files, 20);
  slot.writeUInt32BE(sizes.slots, 24);
  slot.writeUInt32BE(sizes.items, 28);
  writeInt64(slot, firstMs, 32);
  writeInt64(slot, newestMs, 40);
  slot.writeUInt32BE(header.count, 48);
  slot.writeUInt32BE(slotsItems, 52);
  slot.writeUInt32BE(header.usedSlots, 56);
  writeInt64(slot, header.beginTimestamp, 64);
  writeInt64(slot, header.endTimestamp, 72);
  writeInt64(slot, header.beginPhyOffset, 80);
  writeInt64(slot, header.endPhyOffset, 88);
  writeInt64(slot, indexedTo, 96);
  slot.writeUInt32BE(bodyCrc(slot.subarray(0, CRC_AT)), CRC_AT);
  return slot;
}

function decode(slot: Buffer): IndexState {
  return {
    storeId: slot.readUInt32BE(16),
    files: slot.readUInt32BE(20),
    sizes: { slots: slot.readUInt32BE(24), items: slot.readUInt32BE(28) },
    firstMs: readInt64(slot, 32),
    newestMs: readInt64(slot, 40),
    header: {
      count: slot.readUInt32BE(48),
      usedSlots: slot.readUInt32BE(56),
      beginTimestamp: readInt64(slot, 64),
      endTimestamp: readInt64(slot, 72),
      beginPhyOffset: readInt64(slot, 80),
      endPhyOffset: readInt64(slot, 88),
    },
    slotsItems: slot.readUInt32BE(52),
    indexedTo: readInt64(slot, 96),
  };
}
