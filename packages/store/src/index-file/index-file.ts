/**
 * One IndexFile (RocketMQ: IndexFile). While it is not full, or not wholly on disk, it holds the slots it needs and
 * the items that are not on disk; afterwards only its header.
 *
 *   slotsSynced ≤ synced ≤ header.count ≤ sizes.items
 *
 * On disk, items come first: a slot never names an item that is not on disk, and the header never counts one whose
 * slot is not. So a crash leaves slots that are behind the items, and the items say how the slots were:
 * `redoSlots`.
 */
import { assert, type OpenFile } from "@orbitmq/host";
import { plainCrc32, readInt64 } from "@orbitmq/wire";
import type { OpenFileCache } from "../open-file-cache.ts";
import { BLOCK_ITEMS, type BlockCheck, blockOfItem, type IndexChecksums } from "./index-checksums.ts";
import { headStart, IndexItems } from "./index-items.ts";
import {
  type IndexHeader,
  type IndexSizes,
  ITEM_BYTES,
  indexName,
  itemPosition,
  SLOT_BYTES,
  slotPosition,
} from "./index-layout.ts";
import type { IndexTail } from "./index-state-file.ts";
import { PAGE_SLOTS, SlotTable } from "./slot-table.ts";

const SECONDS_MAX = 0x7fffffff;
/** Items read at a time when slots are made anew. */
const REDO_ITEMS = 32_768;

/** What is needed to fill a file; a file that is full and on disk has let go of it. */
export interface OpenPart {
  readonly slots: SlotTable;
  readonly items: IndexItems;
  /** `undefined` until the file is made. */
  file: OpenFile | undefined;
  /** Its name is on disk. */
  named: boolean;
}

/** What all IndexFiles of a store have in common. */
export interface IndexPlace {
  readonly folder: string;
  readonly sizes: IndexSizes;
  readonly sums: IndexChecksums;
}

export class IndexFile {
  readonly nameMs: number;
  readonly name: string;
  readonly path: string;
  readonly sizes: IndexSizes;
  readonly sums: IndexChecksums;
  readonly header: IndexHeader;
  /** Somebody else has written it: what has no checksum is believed. */
  readonly isForeign: boolean;
  /** Items below are on disk. */
  synced: number;
  /** Slots on disk know all items below, and the header counts them. */
  slotsSynced: number;
  open: OpenPart | undefined;

  private constructor(
    { folder, sizes, sums }: IndexPlace,
    nameMs: number,
    header: IndexHeader,
    isForeign: boolean,
  ) {
    this.nameMs = nameMs;
    this.isForeign = isForeign;
    this.name = indexName(nameMs);
    this.path = `${folder}/${this.name}`;
    this.sizes = sizes;
    this.sums = sums;
    this.header = header;
    this.synced = header.count;
    this.slotsSynced = header.count;
  }

  /** A file that is not on disk yet. */
  static create(place: IndexPlace, nameMs: number): IndexFile {
    const header = {
      beginTimestamp: 0,
      endTimestamp: 0,
      beginPhyOffset: 0,
      endPhyOffset: 0,
      usedSlots: 0,
      count: 1,
    };
    const file = new IndexFile(place, nameMs, header, false);
    const slots = new SlotTable(place.sizes.slots, undefined);
    const items = new IndexItems(1, Buffer.alloc(ITEM_BYTES));
    file.open = { slots, items, file: undefined, named: false };
    return file;
  }

  /** A file that is on disk, with all that `header` counts. */
  static known(place: IndexPlace, nameMs: number, header: IndexHeader, isForeign: boolean): IndexFile {
    return new IndexFile(place, nameMs, header, isForeign);
  }

  /** Whether items are what was written, when this is what their checksum says. */
  trusts(check: BlockCheck): boolean {
    return check === "same" || (check === "unknown" && this.isForeign);
  }

  /** As `trusts`, for slots: pages that were never written have no checksum, and are zeros. */
  trustsSlots(check: BlockCheck, bytes: Buffer): boolean {
    return this.trusts(check) || (check === "unknown" && isBlank(bytes));
  }

  get isFull(): boolean {
    return this.header.count >= this.sizes.items;
  }

  /**
   * Makes a known file one that can be appended to; `undefined` when its newest items are not what was written, or
   * nobody can tell. `tail`: what the state says of them. Blocking.
   */
  reopen(file: OpenFile, tail?: IndexTail): OpenPart | undefined {
    const { count } = this.header;
    const head = this.#head(file, count);
    if (!this.isForeign && count > BLOCK_ITEMS && !this.sums.isKnown(this.name)) return undefined;
    if (tail === undefined) {
      if (!this.trusts(this.sums.checkItems(this.name, blockOfItem(count - 1), head))) return undefined;
    } else if (tail.items * ITEM_BYTES !== head.length || tail.crc !== plainCrc32(head)) return undefined;
    // Slots nobody has changed since are in no page that was read: they stay what they are now, whatever is added or cut.
    let right: Buffer | undefined;
    const read = (into: Buffer, slot: number): void => {
      into.fill(0, file.readSync(into, slotPosition(slot)));
      if (this.trustsSlots(this.sums.checkSlots(this.name, slot / PAGE_SLOTS, into), into)) return;
      right ??= this.#slotsBelow(Math.min(count, this.header.count));
      right.copy(into, 0, slot * SLOT_BYTES);
    };
    const slots = new SlotTable(this.sizes.slots, { count, read });
    this.open = { slots, items: new IndexItems(count, head), file, named: true };
    return this.open;
  }

  /** The slots as items below `count` make them. Blocking. */
  #slotsBelow(count: number): Buffer {
    const slots = Buffer.alloc(this.sizes.slots * SLOT_BYTES);
    for (let low = 1; low < count; ) {
      const high = Math.min(count, low - (low % REDO_ITEMS) + REDO_ITEMS);
      const read = new ItemReader(this, low, high);
      for (; low < high; low += 1) {
        slots.writeInt32BE(low, ((read.hashAt(low) >>> 0) % this.sizes.slots) * SLOT_BYTES);
      }
    }
    return slots;
  }

  /** What a state says of the newest items below `count`; `undefined` when their checksums do, as of a full file. */
  tailAt(count: number): IndexTail | undefined {
    const start = headStart(count);
    if (this.open === undefined || count === 1 || start < this.open.items.start) return undefined;
    const bytes = this.open.items.bytes(start, count);
    return { items: count - start, crc: plainCrc32(bytes) };
  }

  #head(file: OpenFile, count: number): Buffer {
    const start = headStart(count);
    const head = Buffer.alloc((count - start) * ITEM_BYTES);
    file.readSync(head, itemPosition(this.sizes, start));
    return head;
  }

  /** Adds an item; the file must be open and not full. */
  put(hash: number, position: number, timestamp: number): void {
    const { header, open } = this;
    assert(open !== undefined && header.count < this.sizes.items, "the IndexFile takes another item");
    assert(position >= header.endPhyOffset, "items follow the log");
    const { count } = header;
    if (count === 1) {
      header.beginTimestamp = timestamp;
      header.beginPhyOffset = position;
    }
    const seconds = Math.floor((timestamp - header.beginTimestamp) / 1000);
    const before = open.slots.set(hash % this.sizes.slots, count);
    open.items.append(hash, position, Math.max(0, Math.min(seconds, SECONDS_MAX)), before);
    if (before === 0) header.usedSlots += 1;
    header.count = count + 1;
    header.endPhyOffset = position;
    if (timestamp > header.endTimestamp) header.endTimestamp = timestamp;
  }

  /** One past the newest item whose record lies below `position`, not looking below `synced`. */
  countBelow(position: number): number {
    const { items } = this.open!;
    let low = this.synced;
    let high = this.header.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (items.positionAt(middle) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The header as it is when it counts items below `count` only; at least `synced`. */
  headerAt(count: number): IndexHeader {
    const { header, open } = this;
    if (count === header.count || open === undefined) return { ...header };
    const { items } = open;
    let { usedSlots } = header;
    for (let item = count; item < header.count; item += 1) if (items.beforeAt(item) === 0) usedSlots -= 1;
    if (count === 1) return { ...header, usedSlots, count, endPhyOffset: 0, endTimestamp: 0 };
    // Only seconds are kept of an item's time: the whole second counts.
    const at = new ItemReader(this, count - 1, count);
    const stored = header.beginTimestamp + at.secondsAt(count - 1) * 1000 + 999;
    const endTimestamp = Math.min(header.endTimestamp, stored);
    return { ...header, usedSlots, count, endPhyOffset: at.positionAt(count - 1), endTimestamp };
  }

  /**
   * Forgets the items whose records lie at or behind `position`. Blocking: they may have to be read. `false` when they
   * are not what was written: the file is of no use any more.
   */
  cut(position: number): boolean {
    const { header, open, sizes } = this;
    assert(open !== undefined, "the IndexFile is open");
    for (let high = header.count; high > 1; ) {
      const low = Math.max(1, high - REDO_ITEMS);
      const read = new ItemReader(this, low, high);
      if (!read.isIntact) return false;
      while (high > low && read.positionAt(high - 1) >= position) {
        high -= 1;
        const slot = read.hashAt(high) % sizes.slots;
        const before = read.beforeAt(high);
        // A cut that a crash has stopped may have come further with the slots than with the items.
        if (open.slots.get(slot) === high) open.slots.set(slot, before);
      }
      if (high === header.count) return true;
      const { usedSlots, endPhyOffset, endTimestamp } = this.#headerCutTo(high, read, low);
      header.count = high;
      header.usedSlots = usedSlots;
      header.endPhyOffset = endPhyOffset;
      header.endTimestamp = endTimestamp;
      this.synced = Math.min(this.synced, high);
      // On disk slots may name items that are gone, and nothing else leads to those before them: all are made anew
      // if a crash comes before they are written.
      this.slotsSynced = 1;
      open.items.cut(high, () => (high === 1 ? Buffer.alloc(ITEM_BYTES) : this.#head(open.file!, high)));
      if (high > low) return true;
    }
    return true;
  }

  /** Brings the slots up to the items below `synced`, whatever state between `from` and there they are in. Blocking. `false` when the items cannot be what was written. */
  redoSlots(from: number): boolean {
    const { sizes, header, open } = this;
    assert(open !== undefined, "the IndexFile is open");
    let last = -1;
    for (let low = from; low < this.synced; low += REDO_ITEMS) {
      const high = Math.min(this.synced, low + REDO_ITEMS);
      const read = new ItemReader(this, low, high);
      if (!read.isIntact) return false;
      for (let item = low; item < high; item += 1) {
        const position = read.positionAt(item);
        const hash = read.hashAt(item);
        if (hash < 0 || position < last || position > header.endPhyOffset || read.beforeAt(item) >= item) {
          return false;
        }
        last = position;
        open.slots.set(hash % sizes.slots, item);
      }
    }
    return true;
  }

  /** How many of the newest items belong to the record at `position`. Blocking. */
  itemsAt(position: number, file: OpenFile): number {
    let found = 0;
    const bytes = Buffer.alloc(ITEM_BYTES);
    for (let item = this.header.count - 1; item > 0; item -= 1) {
      file.readSync(bytes, itemPosition(this.sizes, item));
      if (readInt64(bytes, 4) !== position) return found;
      found += 1;
    }
    return found;
  }

  /** As `itemsAt`, wherever the items are. Blocking. */
  newestOf(position: number, cache: OpenFileCache): number {
    const { header, open } = this;
    if (open === undefined) return this.itemsAt(position, cache.get(this.path));
    let low = header.count;
    const read = new ItemReader(this, Math.max(1, low - REDO_ITEMS), low);
    while (low > 1 && low > header.count - REDO_ITEMS && read.positionAt(low - 1) === position) low -= 1;
    return header.count - low;
  }

  #headerCutTo(count: number, read: ItemReader, low: number): IndexHeader {
    const { header } = this;
    let { usedSlots } = header;
    for (let item = count; item < header.count; item += 1) if (read.beforeAt(item) === 0) usedSlots -= 1;
    if (count === 1) return { ...header, usedSlots, count, endPhyOffset: 0, endTimestamp: 0 };
    const newest = count > low ? read : new ItemReader(this, count - 1, count);
    const stored = header.beginTimestamp + newest.secondsAt(count - 1) * 1000 + 999;
    return {
      ...header,
      usedSlots,
      count,
      endPhyOffset: newest.positionAt(count - 1),
      endTimestamp: Math.min(header.endTimestamp, stored),
    };
  }
}

/** Items [low, high) of a file, wherever they are. Blocking. */
class ItemReader {
  /** Whole blocks that were read are what was written, as far as that is known. */
  readonly isIntact: boolean;
  readonly #items: IndexItems;
  readonly #low: number;
  readonly #bytes: Buffer;

  constructor(file: IndexFile, low: number, high: number) {
    const { open, sizes, path, name, sums } = file;
    assert(open !== undefined, "the IndexFile is open");
    this.#items = open.items;
    // In memory begin whole blocks: what is read of the others are whole ones, too.
    this.#low = low - (low % BLOCK_ITEMS);
    const end = Math.min(Math.ceil(high / BLOCK_ITEMS) * BLOCK_ITEMS, this.#items.start);
    this.#bytes = Buffer.alloc(Math.max(0, end - this.#low) * ITEM_BYTES);
    this.isIntact = true;
    if (this.#bytes.length === 0) return;
    assert(open.file !== undefined, `${path} is on disk`);
    open.file.readSync(this.#bytes, itemPosition(sizes, this.#low));
    this.isIntact = file.trusts(sums.checkItems(name, blockOfItem(low), this.#bytes));
  }

  hashAt(item: number): number {
    return item >= this.#items.start ? this.#items.hashAt(item) : this.#bytes.readInt32BE(this.#at(item));
  }

  positionAt(item: number): number {
    if (item >= this.#items.start) return this.#items.positionAt(item);
    return readInt64(this.#bytes, this.#at(item) + 4);
  }

  secondsAt(item: number): number {
    if (item >= this.#items.start) return this.#items.secondsAt(item);
    return this.#bytes.readInt32BE(this.#at(item) + 12);
  }

  beforeAt(item: number): number {
    if (item >= this.#items.start) return this.#items.beforeAt(item);
    return this.#bytes.readInt32BE(this.#at(item) + 16);
  }

  #at(item: number): number {
    return (item - this.#low) * ITEM_BYTES;
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
