/**
 * The slots of one IndexFile in memory, in pages that are read when they are first needed: five million slots are
 * 20 MB, and an idle broker needs none of them: the machine gives memory to what is touched only. They are one array,
 * because keys hit them at random, and every step on the way to one is a miss of the processor's cache. Which pages
 * have changed is remembered until they are known to be on disk.
 */
import { assert } from "@orbitmq/host";
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
  readonly #all: Int32Array;
  /** 1: the page is as the file has it, or newer. */
  readonly #loaded: Uint8Array;
  readonly #changed: Uint8Array;
  #changedPages = 0;
  /** `undefined` while the file has no slots: absent pages are zeros. */
  readonly #stored: StoredSlots | undefined;

  constructor(slots: number, stored: StoredSlots | undefined) {
    this.slots = slots;
    this.#stored = stored;
    this.#all = new Int32Array(slots);
    this.#changed = new Uint8Array(Math.ceil(slots / PAGE_SLOTS));
    this.#loaded = new Uint8Array(this.#changed.length).fill(stored === undefined ? 1 : 0);
  }

  /** How many pages the file does not hold as they are. */
  get changedPages(): number {
    return this.#changedPages;
  }

  get(slot: number): number {
    if (this.#loaded[slot >>> 10] === 0) this.#load(slot >>> 10);
    return this.#all[slot]!;
  }

  /** As `get`, unless the page would have to be read. */
  peek(slot: number): number | undefined {
    return this.#loaded[slot >>> 10] === 0 ? undefined : this.#all[slot];
  }

  /** Brings slots that will be set soon into the processor's cache, all at once. */
  touch(hashes: Int32Array, from: number, to: number): number {
    const { slots } = this;
    const all = this.#all;
    let sum = 0;
    for (let index = from; index < to; index += 1) sum ^= all[hashes[index]! % slots]!;
    return sum;
  }

  /** Returns what the slot was. */
  set(slot: number, item: number): number {
    const index = slot >>> 10;
    if (this.#loaded[index] === 0) this.#load(index);
    const before = this.#all[slot]!;
    this.#all[slot] = item;
    if (this.#changed[index] === 0) {
      this.#changed[index] = 1;
      this.#changedPages += 1;
    }
    return before;
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
    while (end < this.#changed.length && end - page < pagesMax && this.#changed[end] === 1) end += 1;
    const slots = Math.min(this.slots, end * PAGE_SLOTS) - page * PAGE_SLOTS;
    const bytes = Buffer.allocUnsafeSlow(slots * SLOT_BYTES);
    const items = new Int32Array(bytes.buffer, bytes.byteOffset, slots);
    items.set(this.#all.subarray(page * PAGE_SLOTS, page * PAGE_SLOTS + slots));
    for (let index = page, at = 0; index < end; index += 1, at += PAGE_SLOTS) {
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

  #load(index: number): void {
    assert(this.#stored !== undefined, "there are slots to be read");
    const first = index - (index % READ_PAGES);
    const last = Math.min(first + READ_PAGES, this.#loaded.length);
    const start = first * PAGE_SLOTS;
    const slots = Math.min(this.slots, last * PAGE_SLOTS) - start;
    const bytes = Buffer.alloc(slots * SLOT_BYTES);
    this.#stored.read(bytes, start);
    bytes.swap32();
    const items = new Int32Array(bytes.buffer, bytes.byteOffset, slots);
    const { count } = this.#stored;
    for (let page = first; page < last; page += 1) {
      if (this.#loaded[page] === 1) continue;
      this.#loaded[page] = 1;
      const end = Math.min(slots, (page + 1) * PAGE_SLOTS - start);
      for (let slot = page * PAGE_SLOTS - start; slot < end; slot += 1) {
        const item = items[slot]!;
        this.#all[start + slot] = item < 0 || item >= count ? 0 : item;
      }
    }
  }
}
