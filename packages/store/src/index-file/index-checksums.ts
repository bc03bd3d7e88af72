/**
 * Checksums of IndexFiles, by blocks (see integrity/block-checksums.ts): the header, every page of 1,024 slots, and
 * every 256 items, item 0 counted among them.
 *
 *   block: 0 the header, then the pages of slots, then the blocks of items
 *
 * They are computed from memory as the blocks go to the file, and are on disk before the state vouches for what they
 * are about (index-flush.ts). What does not match, or has none, is compared with the CommitLog (index-mend.ts); only a
 * file that somebody else has written is believed where nothing is known.
 */
import type { Files, HostError, Lane } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { BlockChecksums, type BlockEntries } from "../integrity/block-checksums.ts";
import type { OpenFileCache } from "../open-file-cache.ts";
import { folderOf } from "../store-paths.ts";
import { encodeHeader, type IndexHeader, type IndexSizes, ITEM_BYTES, SLOT_BYTES } from "./index-layout.ts";
import { PAGE_SLOTS } from "./slot-table.ts";

/** Items under one checksum. */
export const BLOCK_ITEMS = 256;
const PAGE_BYTES = PAGE_SLOTS * SLOT_BYTES;

export function blockOfItem(item: number): number {
  return Math.floor(item / BLOCK_ITEMS);
}

export type BlockCheck = ReturnType<BlockEntries["check"]>;

export class IndexChecksums {
  /** Pages of slots in a file. */
  readonly pages: number;
  readonly #blocks: BlockChecksums;
  readonly #folder: string;
  readonly #files: Files;
  /** Files whose names may not be on disk. */
  readonly #made = new Set<string>();

  constructor(files: Files, cache: OpenFileCache, root: string, sizes: IndexSizes) {
    this.pages = Math.ceil(sizes.slots / PAGE_SLOTS);
    this.#blocks = new BlockChecksums(files, cache, BLOCK_ITEMS * ITEM_BYTES);
    this.#folder = `${root}/index`;
    this.#files = files;
  }

  /** Notes the header of the IndexFile `name`, as it goes to the file. As all that notes, throws HostError, and StoreError VERSION. */
  wroteHeader(name: string, header: Readonly<IndexHeader>): void {
    this.#put(name, 0, [encodeHeader(header)]);
  }

  /** Notes the slots from page `page` on. */
  wroteSlots(name: string, page: number, bytes: Buffer): void {
    const pages: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) pages.push(bytes.subarray(at, at + PAGE_BYTES));
    this.#put(name, 1 + page, pages);
  }

  /** Notes blocks of items, each from its start as far as it goes. */
  wroteItems(name: string, block: number, blocks: readonly Uint8Array[]): void {
    this.#put(name, 1 + this.pages + block, blocks);
  }

  /** Whether the slots from page `page` on are what they were; `different` when one page is not. Blocking. */
  checkSlots(name: string, page: number, bytes: Buffer): BlockCheck {
    const count = Math.ceil(bytes.length / PAGE_BYTES);
    const entries = this.#blocks.readSync(this.#path(name), 1 + page, count);
    let result: BlockCheck = "same";
    for (let index = 0; index < count; index += 1) {
      const part = bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES);
      const check = entries.check(1 + page + index, part);
      if (check === "different") return check;
      if (check === "unknown") result = check;
    }
    return result;
  }

  /** As `checkSlots`, for blocks of items. */
  checkItems(name: string, block: number, bytes: Buffer): BlockCheck {
    const count = Math.ceil(bytes.length / (BLOCK_ITEMS * ITEM_BYTES));
    const known = this.itemsSync(name, block, count);
    let result: BlockCheck = "same";
    for (let index = 0; index < count; index += 1) {
      const check = known.check(index, blockAt(bytes, index));
      if (check === "different") return check;
      if (check === "unknown") result = check;
    }
    return result;
  }

  /** What is known of blocks of items. Blocking. */
  itemsSync(name: string, block: number, count: number): KnownBlocks {
    const first = 1 + this.pages + block;
    return new KnownBlocks(this.#blocks.readSync(this.#path(name), first, count), first);
  }

  /** As `itemsSync`. */
  items(lane: Lane, name: string, block: number, count: number, done: (known: KnownBlocks) => void): void {
    const first = 1 + this.pages + block;
    this.#blocks.read(lane, this.#path(name), first, count, (entries) =>
      done(new KnownBlocks(entries, first)),
    );
  }

  /** What is known of pages of slots. */
  slots(lane: Lane, name: string, page: number, count: number, done: (known: KnownBlocks) => void): void {
    this.#blocks.read(lane, this.#path(name), 1 + page, count, (entries) =>
      done(new KnownBlocks(entries, 1 + page)),
    );
  }

  /** The IndexFile has gone, or a new one begins under its name. Throws HostError. */
  remove(name: string): void {
    this.#blocks.remove(this.#path(name));
  }

  /** Only the IndexFiles in `kept` are there, and are what we have written. Throws HostError. */
  keepOnly(kept: ReadonlySet<string>): void {
    if (this.#files.statSync(this.#folder)?.isFolder !== true) return;
    for (const name of this.#files.listSync(this.#folder)) if (!kept.has(name)) this.remove(name);
  }

  /** Whether anything can be known of the IndexFile. */
  isKnown(name: string): boolean {
    return this.#blocks.isKnown(this.#path(name));
  }

  /** Brings what was noted of the IndexFile to disk. */
  sync(name: string, done: (error?: HostError) => void): void {
    this.#blocks.sync(this.#path(name), (error) => {
      if (error !== undefined || !this.#made.has(name)) done(error);
      else {
        this.#files.syncFolder(this.#folder, (failure) => {
          if (failure !== undefined) done(failure);
          else this.#files.syncFolder(folderOf(this.#folder), (last) => this.#named(name, done, last));
        });
      }
    });
  }

  /** As `sync`, blocking. Throws HostError. */
  syncSync(name: string): void {
    this.#blocks.syncSync(this.#path(name));
    if (!this.#made.has(name)) return;
    this.#files.syncFolderSync(this.#folder);
    this.#files.syncFolderSync(folderOf(this.#folder));
    this.#made.delete(name);
  }

  #named(name: string, done: (error?: HostError) => void, error: HostError | undefined): void {
    if (error === undefined) this.#made.delete(name);
    done(error);
  }

  #put(name: string, first: number, blocks: readonly Uint8Array[]): void {
    const isMade = this.#blocks.putRun(
      this.#path(name),
      first,
      blocks.map((bytes) => ({ length: bytes.length, crc: plainCrc32(bytes) })),
    );
    if (isMade) this.#made.add(name);
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }
}

/** Entries of blocks counted from the first that was asked for. */
export class KnownBlocks {
  readonly #entries: BlockEntries;
  readonly #first: number;

  constructor(entries: BlockEntries, first: number) {
    this.#entries = entries;
    this.#first = first;
  }

  check(index: number, bytes: Uint8Array): BlockCheck {
    return this.#entries.check(this.#first + index, bytes);
  }
}

/** The bytes of the block at `index` among those that begin with `bytes`. */
export function blockAt(bytes: Buffer, index: number): Buffer {
  return bytes.subarray(index * BLOCK_ITEMS * ITEM_BYTES, (index + 1) * BLOCK_ITEMS * ITEM_BYTES);
}
