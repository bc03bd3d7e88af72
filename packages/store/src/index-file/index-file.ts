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
import { readInt64 } from "@orbitmq/wire";
import { IndexItems } from "./index-items.ts";
import {
  type IndexHeader,
  type IndexSizes,
  ITEM_BYTES,
  indexName,
  itemPosition,
  slotPosition,
} from "./index-layout.ts";
import { SlotTable } from "./slot-table.ts";

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

export class IndexFile {
  readonly nameMs: number;
  readonly path: string;
  readonly sizes: IndexSizes;
  readonly header: IndexHeader;
  /** Items below are on disk. */
  synced: number;
  /** Slots on disk know all items below, and the header counts them. */
  slotsSynced: number;
  open: OpenPart | undefined;

  private constructor(folder: string, nameMs: number, sizes: IndexSizes, header: IndexHeader) {
    this.nameMs = nameMs;
    this.path = `${folder}/${indexName(nameMs)}`;
    this.sizes = sizes;
    this.header = header;
    this.synced = header.count;
    this.slotsSynced = header.count;
  }

  /** A file that is not on disk yet. */
  static create(folder: string, nameMs: number, sizes: IndexSizes): IndexFile {
    const file = new IndexFile(folder, nameMs, sizes, {
      beginTimestamp: 0,
      endTimestamp: 0,
      beginPhyOffset: 0,
      endPhyOffset: 0,
      usedSlots: 0,
      count: 1,
    });
    const slots = new SlotTable(sizes.slots, undefined);
    file.open = { slots, items: new IndexItems(1), file: undefined, named: false };
    return file;
  }

  /** A file that is on disk, with all that `header` counts. */
  static known(folder: string, nameMs: number, sizes: IndexSizes, header: IndexHeader): IndexFile {
    return new IndexFile(folder, nameMs, sizes, header);
  }

  get isFull(): boolean {
    return this.header.count >= this.sizes.items;
  }

  /** Makes a known file one that can be appended to. */
  reopen(file: OpenFile): OpenPart {
    const { count } = this.header;
    const read = (into: Buffer, slot: number): void => {
      into.fill(0, file.readSync(into, slotPosition(slot)));
    };
    const slots = new SlotTable(this.sizes.slots, { count, read });
    this.open = { slots, items: new IndexItems(this.header.count), file, named: true };
    return this.open;
  }

  /** Adds an item; the file must be open and not full. */
  put(hash: number, position: number, timestamp: number): void {
    const { header, open } = this;
    assert(open !== undefined && header.count < this.sizes.items, "the IndexFile takes another item");
    assert(position >= header.endPhyOffset, "items follow the log");
    const slot = hash % this.sizes.slots;
    const before = open.slots.get(slot);
    if (header.count === 1) {
      header.beginTimestamp = timestamp;
      header.beginPhyOffset = position;
    }
    const seconds = Math.floor((timestamp - header.beginTimestamp) / 1000);
    open.items.append(hash, position, Math.max(0, Math.min(seconds, SECONDS_MAX)), before);
    open.slots.set(slot, header.count);
    if (before === 0) header.usedSlots += 1;
    header.count += 1;
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

  /** Forgets the items whose records lie at or behind `position`. Blocking: they may have to be read. */
  cut(position: number): void {
    const { header, open, sizes } = this;
    assert(open !== undefined, "the IndexFile is open");
    for (let high = header.count; high > 1; ) {
      const low = Math.max(1, high - REDO_ITEMS);
      const read = new ItemReader(this, low, high);
      while (high > low && read.positionAt(high - 1) >= position) {
        high -= 1;
        const slot = read.hashAt(high) % sizes.slots;
        const before = read.beforeAt(high);
        // A cut that a crash has stopped may have come further with the slots than with the items.
        if (open.slots.get(slot) === high) open.slots.set(slot, before);
      }
      if (high === header.count) return;
      const { usedSlots, endPhyOffset, endTimestamp } = this.#headerCutTo(high, read, low);
      header.count = high;
      header.usedSlots = usedSlots;
      header.endPhyOffset = endPhyOffset;
      header.endTimestamp = endTimestamp;
      this.synced = Math.min(this.synced, high);
      this.slotsSynced = Math.min(this.slotsSynced, high);
      open.items.cut(high);
      if (high > low) return;
    }
  }

  /** Brings the slots up to the items below `synced`, whatever state between `from` and there they are in. Blocking. `false` when the items cannot be what was written. */
  redoSlots(from: number): boolean {
    const { sizes, header, open } = this;
    assert(open !== undefined, "the IndexFile is open");
    let last = -1;
    for (let low = from; low < this.synced; low += REDO_ITEMS) {
      const high = Math.min(this.synced, low + REDO_ITEMS);
      const read = new ItemReader(this, low, high);
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
  readonly #items: IndexItems;
  readonly #low: number;
  readonly #bytes: Buffer;

  constructor({ open, sizes, path }: IndexFile, low: number, high: number) {
    assert(open !== undefined, "the IndexFile is open");
    this.#items = open.items;
    this.#low = low;
    const onDisk = Math.max(0, Math.min(high, this.#items.start) - low);
    this.#bytes = Buffer.alloc(onDisk * ITEM_BYTES);
    if (onDisk === 0) return;
    assert(open.file !== undefined, `${path} is on disk`);
    open.file.readSync(this.#bytes, itemPosition(sizes, low));
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
