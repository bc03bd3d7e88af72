/**
 * The slots of one IndexFile in memory, in pages that are read when they are first needed: five million slots are
 * 20 MB, and an idle broker needs none of them. Which pages have changed is remembered until they are known to be
 * on disk.
 */
import { SLOT_BYTES } from "./index-layout.ts";

export const PAGE_SLOTS = 1024;
/** Pages that are read together. */
const READ_PAGES = 64;

/** Slots that are on disk. */
export interface StoredSlots {
  /** Fills `into` with the slots from number `slot` on. Blocking. */
  read(into: Buffer, slot: number): void;
  /** The items there are; a slot that names another names none. */
  readonly count: number;
}

export class SlotTable {
  readonly slots: number;
  readonly #pages: (Int32Array | undefined)[];
  readonly #changed: Uint8Array;
  #changedPages = 0;
  /** `undefined` while the file has no slots: absent pages are zeros. */
  readonly #stored: StoredSlots | undefined;

  constructor(slots: number, stored: StoredSlots | undefined) {
    this.slots = slots;
    this.#stored = stored;
    this.#pages = new Array(Math.ceil(slots / PAGE_SLOTS));
    this.#changed = new Uint8Array(this.#pages.length);
  }

  /** How many pages the file does not hold as they are. */
  get changedPages(): number {
    return this.#changedPages;
  }

  get(slot: number): number {
    const page = this.#pages[slot >>> 10] ?? this.#load(slot >>> 10);
    return page[slot & (PAGE_SLOTS - 1)]!;
  }

  /** As `get`, unless the page would have to be read. */
  peek(slot: number): number | undefined {
    const page = this.#pages[slot >>> 10];
    if (page !== undefined) return page[slot & (PAGE_SLOTS - 1)];
    return this.#stored === undefined ? 0 : undefined;
  }

  set(slot: number, item: number): void {
    const index = slot >>> 10;
    const page = this.#pages[index] ?? this.#load(index);
    page[slot & (PAGE_SLOTS - 1)] = item;
    if (this.#changed[index] === 0) {
      this.#changed[index] = 1;
      this.#changedPages += 1;
    }
  }

  /**
   * The next run of changed pages from page `from` on, at most `pagesMax`, as they go to the file: for every slot
   * the newest item below `below`, found over `before`. They count as unchanged from now on. `undefined` when
   * there is none.
   */
  takeChanged(
    from: number,
    pagesMax: number,
    below: number,
    before: (item: number) => number,
  ): { readonly page: number; readonly pages: number; readonly bytes: Buffer } | undefined {
    const page = this.#changed.indexOf(1, from);
    if (page < 0) return undefined;
    let end = page;
    while (end < this.#pages.length && end - page < pagesMax && this.#changed[end] === 1) end += 1;
    const slots = Math.min(this.slots, end * PAGE_SLOTS) - page * PAGE_SLOTS;
    const bytes = Buffer.allocUnsafeSlow(slots * SLOT_BYTES);
    const items = new Int32Array(bytes.buffer, bytes.byteOffset, slots);
    for (let index = page, at = 0; index < end; index += 1, at += PAGE_SLOTS) {
      items.set(this.#pages[index]!.subarray(0, slots - at), at);
      let hasNewer = false;
      for (let slot = at, last = Math.min(slots, at + PAGE_SLOTS); slot < last; slot += 1) {
        let item = items[slot]!;
        if (item < below) continue;
        while (item >= below) item = before(item);
        items[slot] = item;
        hasNewer = true;
      }
      if (!hasNewer) {
        this.#changed[index] = 0;
        this.#changedPages -= 1;
      }
    }
    bytes.swap32();
    return { page, pages: end - page, bytes };
  }

  /** Pages that were taken did not reach the disk. */
  putBack(page: number, pages: number): void {
    for (let index = page; index < page + pages; index += 1) {
      if (this.#changed[index] === 1) continue;
      this.#changed[index] = 1;
      this.#changedPages += 1;
    }
  }

  #load(index: number): Int32Array {
    const page = new Int32Array(PAGE_SLOTS);
    this.#pages[index] = page;
    if (this.#stored === undefined) return page;
    const first = index - (index % READ_PAGES);
    const last = Math.min(first + READ_PAGES, this.#pages.length);
    const slots = Math.min(this.slots, last * PAGE_SLOTS) - first * PAGE_SLOTS;
    const bytes = Buffer.alloc(slots * SLOT_BYTES);
    this.#stored.read(bytes, first * PAGE_SLOTS);
    bytes.swap32();
    const items = new Int32Array(bytes.buffer, bytes.byteOffset, slots);
    const { count } = this.#stored;
    for (let slot = 0; slot < slots; slot += 1)
      if (items[slot]! < 0 || items[slot]! >= count) items[slot] = 0;
    for (let each = first; each < last; each += 1) {
      const known = this.#pages[each];
      if (known !== undefined && known !== page) continue;
      const into = known ?? new Int32Array(PAGE_SLOTS);
      into.set(items.subarray((each - first) * PAGE_SLOTS, (each - first + 1) * PAGE_SLOTS));
      this.#pages[each] = into;
    }
    return page;
  }
}
