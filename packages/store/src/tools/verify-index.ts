/**
 * Checks IndexFiles against the log while that is walked: items lie in the order of the log, so each key of each record
 * is compared with the next item, each item's predecessor and finally each slot with what the items before make it.
 */

import { readInt64 } from "@orbitmq/wire";
import type { DispatchFields } from "../dispatch/dispatch-fields.ts";
import { IndexKeys, isIndexed } from "../index-file/index-keys.ts";
import {
  decodeHeader,
  HEADER_BYTES,
  type IndexHeader,
  type IndexSizes,
  ITEM_BYTES,
  indexFileBytes,
  itemPosition,
  parseIndexName,
  SLOT_BYTES,
  slotPosition,
} from "../index-file/index-layout.ts";
import { type IndexState, IndexStateFile } from "../index-file/index-state-file.ts";
import { STORE_DEFAULTS } from "../store-options.ts";
import type { StoreView } from "./store-view.ts";
import type { Finding } from "./verify-store.ts";

interface CheckedFile {
  readonly path: string;
  readonly header: IndexHeader;
  /** Items below are known to be on disk, and so are their slots when `hasSlots`. */
  readonly count: number;
  readonly hasSlots: boolean;
}

const ITEMS_READ = 4096;
const SLOTS_READ = 16_384;
/** Wrong items of one file after which its others say nothing new. */
const WRONG_MAX = 20;

export class IndexCheck {
  readonly #view: StoreView;
  readonly #found: (finding: Finding) => void;
  readonly #sizes: IndexSizes;
  readonly #files: CheckedFile[];
  /** Records from here on need not be in the files. */
  readonly #indexedTo: number;
  readonly #keys = new IndexKeys();
  readonly #bytes = Buffer.alloc(ITEMS_READ * ITEM_BYTES);
  #bytesFrom = -1;
  #slots: Int32Array | undefined;
  #file = 0;
  #item = 1;
  #wrong = 0;
  /** Places of the log without a readable record. */
  readonly #damaged = new Set<number>();

  constructor(view: StoreView, found: (finding: Finding) => void) {
    this.#view = view;
    this.#found = found;
    const state = new IndexStateFile(view.files, view.paths.indexState).load();
    const isOurs = state !== undefined && state.storeId === view.mark?.nonce;
    const { maxHashSlotNum: slots, maxIndexNum: items } = STORE_DEFAULTS;
    this.#sizes = isOurs ? state.sizes : { slots, items };
    this.#files = this.#list(isOurs ? state : undefined);
    const last = this.#files.at(-1)?.header.endPhyOffset ?? 0;
    this.#indexedTo = Math.min(view.limit, isOurs ? state.indexedTo : last);
  }

  /** The next record of the log that could be read. */
  record({ topic, properties, sysFlag }: DispatchFields, position: number): void {
    const first = this.#files[0];
    if (first === undefined || position < first.header.beginPhyOffset || position >= this.#indexedTo) return;
    if (!isIndexed(sysFlag)) return;
    const count = this.#keys.collect(topic, properties);
    // The oldest file may begin with the last keys of its first record.
    const isFirst = this.#file === 0 && this.#item === 1 && position === first.header.beginPhyOffset;
    const from = isFirst ? Math.max(0, count - this.#countAt(first, position)) : 0;
    for (let index = from; index < count; index += 1) this.#expect(this.#keys.hashes[index]!, position);
  }

  /** A place of the log holds no record that could be read. */
  damaged(position: number): void {
    this.#damaged.add(position);
  }

  /** The log ends. */
  end(): void {
    while (this.#file < this.#files.length) this.#endFile();
  }

  #list(state: IndexState | undefined): CheckedFile[] {
    const { files, paths } = this.#view;
    if (files.statSync(paths.index)?.isFolder !== true) return [];
    const found: CheckedFile[] = [];
    for (const name of files.listSync(paths.index)) {
      const nameMs = parseIndexName(name);
      if (nameMs === undefined) continue;
      if (state !== undefined && (nameMs < state.firstMs || nameMs > state.newestMs)) continue;
      const path = `${paths.index}/${name}`;
      if (files.statSync(path)?.sizeBytes !== indexFileBytes(this.#sizes)) {
        this.#report(path, 0, "it has another length than an IndexFile of this store");
        continue;
      }
      const head = Buffer.alloc(HEADER_BYTES);
      this.#view.open(path).readSync(head, 0);
      const isNewest = nameMs === state?.newestMs;
      const header = isNewest ? state!.header : decodeHeader(head, this.#sizes);
      if (header === undefined) {
        this.#report(path, 0, "its header cannot be right");
        continue;
      }
      const hasSlots = !isNewest || state!.slotsItems === header.count;
      if (header.count > 1) found.push({ path, header, count: header.count, hasSlots });
    }
    return found.sort((a, b) => a.header.beginPhyOffset - b.header.beginPhyOffset);
  }

  #expect(hash: number, position: number): void {
    for (;;) {
      const file = this.#files[this.#file];
      if (file === undefined) return;
      if (this.#item >= file.count) {
        this.#endFile();
        continue;
      }
      const at = this.#read(file);
      const own = readInt64(this.#bytes, at + 4);
      // Items of records that are gone, or can no longer be read.
      if (own !== position && (this.#damaged.has(own) || (own >= 0 && own < this.#view.minOffset))) {
        this.#chain(file, at);
        continue;
      }
      const isSame = this.#bytes.readInt32BE(at) === hash && own === position;
      if (!isSame) this.#wrongItem(file, `item ${this.#item} is not a key of the record at ${position}`);
      this.#chain(file, at);
      return;
    }
  }

  /** How many of the file's first items belong to the record at `position`. */
  #countAt(file: CheckedFile, position: number): number {
    const at = this.#read(file);
    let count = 0;
    while (count + 1 < file.count && at + (count + 1) * ITEM_BYTES <= this.#bytes.length) {
      if (readInt64(this.#bytes, at + count * ITEM_BYTES + 4) !== position) break;
      count += 1;
    }
    return count;
  }

  /** Compares the item's predecessor and goes on behind it. */
  #chain(file: CheckedFile, at: number): void {
    this.#slots ??= new Int32Array(this.#sizes.slots);
    const slot = Math.max(0, this.#bytes.readInt32BE(at)) % this.#sizes.slots;
    const before = this.#bytes.readInt32BE(at + 16);
    if (before !== this.#slots[slot]) {
      this.#wrongItem(file, `item ${this.#item} follows ${before}, not ${this.#slots[slot]}`);
    }
    this.#slots[slot] = this.#item;
    this.#item += 1;
  }

  /** Index in `#bytes` of the next item. */
  #read(file: CheckedFile): number {
    const from = this.#item - ((this.#item - 1) % ITEMS_READ);
    if (from !== this.#bytesFrom) {
      const count = this.#view.open(file.path).readSync(this.#bytes, itemPosition(this.#sizes, from));
      this.#bytes.fill(0, count);
      this.#bytesFrom = from;
    }
    return (this.#item - from) * ITEM_BYTES;
  }

  #endFile(): void {
    const file = this.#files[this.#file]!;
    const rest = this.#item < file.count ? readInt64(this.#bytes, this.#read(file) + 4) : 0;
    if (this.#item < file.count && this.#wrong === 0 && rest < this.#indexedTo) {
      this.#wrongItem(file, `items from ${this.#item} to ${file.count} belong to no record`);
    }
    if (this.#item >= file.count && file.hasSlots && this.#slots !== undefined)
      this.#compareSlots(file, this.#slots);
    this.#file += 1;
    this.#item = 1;
    this.#wrong = 0;
    this.#bytesFrom = -1;
    this.#slots = undefined;
  }

  #compareSlots(file: CheckedFile, slots: Int32Array): void {
    const bytes = Buffer.alloc(Math.min(SLOTS_READ, slots.length) * SLOT_BYTES);
    for (let from = 0; from < slots.length; from += SLOTS_READ) {
      const part = bytes.subarray(0, Math.min(SLOTS_READ, slots.length - from) * SLOT_BYTES);
      part.fill(0, this.#view.open(file.path).readSync(part, slotPosition(from)));
      for (let at = 0; at < part.length; at += SLOT_BYTES) {
        const slot = from + at / SLOT_BYTES;
        const stored = part.readInt32BE(at);
        if (stored === slots[slot]) continue;
        this.#wrong += 1;
        const reason = `slot ${slot} leads to ${stored}, not ${slots[slot]}`;
        if (this.#wrong <= WRONG_MAX) this.#report(file.path, slotPosition(slot), reason);
      }
    }
  }

  #wrongItem(file: CheckedFile, reason: string): void {
    this.#wrong += 1;
    if (this.#wrong <= WRONG_MAX) this.#report(file.path, itemPosition(this.#sizes, this.#item), reason);
  }

  #report(file: string, byte: number, reason: string): void {
    this.#found({ kind: "index", file, byte, reason });
  }
}
