/**
 * How far the IndexFiles on disk are known to be complete (`orbitmq-index`, ours): what a Java broker's files do not
 * say, so that after a crash the index goes on where it was instead of being thrown away. It lies beside the index
 * folder, not in it: Java takes every file in there for an IndexFile. Missing, torn or of another store it only
 * costs a rebuild.
 *
 * Two slots in turn (state/two-slot-file.ts):
 *
 *   slot: magic:u32 version:u32 sequence:i64 storeId:u32 files:u32 slots:u32 items:u32 firstName:i64 newestName:i64
 *         newestItems:u32 slotsItems:u32 usedSlots:u32 reserved:u32 beginTimestamp:i64 endTimestamp:i64
 *         beginPhyOffset:i64 endPhyOffset:i64 indexedTo:i64 tailItems:u32 tailCrc:u32 foreignFrom:i64 foreignTo:i64
 *         unindexedTo:i64 …zeros… crc:u32                                       (512 bytes, big-endian)
 */
import { assert, type Files, type HostError } from "@orbitmq/host";
import { readInt64, writeInt64 } from "@orbitmq/wire";
import { SLOT_BYTES, TwoSlotFile } from "../state/two-slot-file.ts";
import type { IndexHeader, IndexSizes } from "./index-layout.ts";

/** Items in the block that is being filled, up to the newest, and their plain CRC-32. */
export interface IndexTail {
  readonly items: number;
  readonly crc: number;
}

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
  /** Of the newest file, as far as `header` counts; what its checksums say is of another moment. `undefined`: they know all. */
  readonly tail: IndexTail | undefined;
  /** Files named from `fromMs` to `toMs` were written by somebody else: where they have no checksums they are believed. */
  readonly foreign: ForeignNames | undefined;
  /** Some records below are not in the files: they could not be read when their turn came. 0: all are. */
  readonly unindexedTo: number;
}

export interface ForeignNames {
  readonly fromMs: number;
  readonly toMs: number;
}

const MAGIC = 0x4f4d5149;
export const INDEX_STATE_VERSION = 1;

export class IndexStateFile {
  readonly #files: Files;
  readonly #path: string;
  readonly #slots: TwoSlotFile;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
    this.#slots = new TwoSlotFile(files, path, { magic: MAGIC, version: INDEX_STATE_VERSION });
  }

  /** The newest whole state; `undefined` when there is none. Throws StoreError VERSION when a newer version has written it. */
  load(): IndexState | undefined {
    const loaded = this.#slots.load();
    return loaded === undefined ? undefined : decode(loaded.slot);
  }

  /** Opens the file for saving; created with its full length when missing. The folder is not synced here. */
  open(): void {
    this.#slots.open();
  }

  /** Nothing the file says counts any more. */
  remove(): void {
    this.close();
    this.#files.unlinkSync(this.#path);
  }

  /** Saves without blocking, one at a time. */
  save(state: IndexState, done: (error: HostError | undefined) => void): void {
    this.#slots.save(encode(state), done);
  }

  /** As `save`, blocking. Throws HostError. */
  saveSync(state: IndexState): void {
    this.#slots.saveSync(encode(state));
  }

  close(): void {
    this.#slots.close();
  }
}

function encode({
  storeId,
  sizes,
  files,
  firstMs,
  newestMs,
  header,
  slotsItems,
  indexedTo,
  tail,
  foreign,
  unindexedTo,
}: IndexState): Buffer {
  assert(slotsItems <= header.count, "no slot is known of items that are not");
  assert(
    files === 0 || header.count === 1 || header.endPhyOffset <= indexedTo,
    "what is in the files is indexed",
  );
  const slot = Buffer.alloc(SLOT_BYTES);
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
  slot.writeUInt32BE(tail?.items ?? 0, 104);
  slot.writeUInt32BE(tail?.crc ?? 0, 108);
  writeInt64(slot, foreign?.fromMs ?? 0, 112);
  writeInt64(slot, foreign?.toMs ?? 0, 120);
  writeInt64(slot, unindexedTo, 128);
  return slot;
}

function decode(slot: Buffer): IndexState {
  const tail = { items: slot.readUInt32BE(104), crc: slot.readUInt32BE(108) };
  const foreign = { fromMs: readInt64(slot, 112), toMs: readInt64(slot, 120) };
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
    tail: tail.items === 0 ? undefined : tail,
    foreign: foreign.toMs === 0 ? undefined : foreign,
    unindexedTo: readInt64(slot, 128),
  };
}
