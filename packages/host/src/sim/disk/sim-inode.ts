/**
 * One simulated file: what processes see (the page cache) and, kept apart, every write that is not yet on
 * disk. Writes are remembered page by page as what they overwrote, newest last, so a successful sync only
 * forgets them and a machine crash can take any sector back to any version since the last sync.
 *
 * A page is *dirty* when the next sync will write it. A failed sync marks its pages clean without having
 * written them: their writes stay remembered (a crash can still take them), later syncs skip them, and only
 * a new write to the same page brings them back, as Linux does.
 */
import type { SeededRandom } from "../seeded-random.ts";
import type { PageMemory } from "./page-memory.ts";

export const PAGE_BYTES = 4096;
export const SECTOR_BYTES = 512;
const PLACES_TRIED = 32;

interface PageWrite {
  /** Within the page. */
  readonly at: number;
  readonly overwritten: Uint8Array;
}

interface Page {
  readonly bytes: Uint8Array;
  /** Writes not known to be on disk, oldest first. */
  writes: PageWrite[];
  /** Writes forgotten so far: `forgotten + writes.length` counts every write ever. */
  forgotten: number;
  dirty: boolean;
  /** Whether the disk has a block for it; a block that was never written may hold anything. */
  allocated: boolean;
}

/** What one fdatasync covers: the state at the moment it was asked for. */
export interface SyncMark {
  readonly sizeBytes: number;
  readonly sizeChanges: number;
  readonly pages: readonly { readonly page: Page; readonly count: number }[];
}

/** How a machine crash treats what was not synced. */
export interface CrashPolicy {
  /** Chance that a sector returns to what was last synced. */
  readonly loseChance: number;
  /** Chance that it keeps the newest version; otherwise any version is possible. */
  readonly keepChance: number;
  /** Chance that a lost sector of a never-written block holds old bytes instead of zeros. */
  readonly staleChance: number;
  /** 512 bytes of something that was on this disk before. */
  stale(): Uint8Array;
}

export class SimInode {
  readonly id: number;
  readonly #pages = new Map<number, Page>();
  #dirty: Page[] = [];
  #sizeBytes = 0;
  #durableSizeBytes = 0;
  /** Sizes since the last sync, oldest first, and how many were forgotten before them. */
  #sizes: number[] = [];
  #sizesForgotten = 0;
  modifiedMs = 0;
  /** Names and open handles that refer to it; its space is free when both are zero. */
  links = 0;
  handles = 0;

  readonly #memory: PageMemory;

  constructor(id: number, memory: PageMemory) {
    this.id = id;
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get allocatedBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  /** Whether a crash now could change anything. */
  get hasUnsynced(): boolean {
    if (this.#sizes.length > 0) return true;
    for (const page of this.#pages.values()) if (page.writes.length > 0) return true;
    return false;
  }

  /** Whether these bytes would be the same after any machine crash now. */
  survives(position: number, length: number): boolean {
    const end = position + length;
    if (end > this.#durableSizeBytes || this.#sizes.some((size) => size < end)) return false;
    for (let at = position; at < end; ) {
      const index = Math.floor(at / PAGE_BYTES);
      const pageEnd = Math.min(end, (index + 1) * PAGE_BYTES);
      const page = this.#pages.get(index);
      if (page !== undefined && !pageSurvives(page, at - index * PAGE_BYTES, pageEnd - index * PAGE_BYTES)) {
        return false;
      }
      at = pageEnd;
    }
    return true;
  }

  /** Bytes of new blocks that writing `length` bytes at `position` needs. */
  bytesToAllocate(position: number, length: number): number {
    if (length === 0) return 0;
    const last = Math.floor((position + length - 1) / PAGE_BYTES);
    let missing = 0;
    for (let index = Math.floor(position / PAGE_BYTES); index <= last; index++) {
      if (!this.#pages.has(index)) missing++;
    }
    return missing * PAGE_BYTES;
  }

  write(bytes: Uint8Array, position: number): void {
    let done = 0;
    while (done < bytes.length) {
      const index = Math.floor((position + done) / PAGE_BYTES);
      const at = position + done - index * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - at, bytes.length - done);
      const page = this.#pageForWrite(index);
      page.writes.push({ at, overwritten: this.#memory.copy(page.bytes, at, at + length) });
      page.bytes.set(done === 0 && length === bytes.length ? bytes : bytes.subarray(done, done + length), at);
      done += length;
    }
    if (position + bytes.length > this.#sizeBytes) this.#setSize(position + bytes.length);
  }

  /** Returns how many bytes there were. */
  read(into: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(into.length, this.#sizeBytes - position));
    let done = 0;
    while (done < length) {
      const index = Math.floor((position + done) / PAGE_BYTES);
      const at = position + done - index * PAGE_BYTES;
      const part = Math.min(PAGE_BYTES - at, length - done);
      const page = this.#pages.get(index);
      if (page === undefined) into.fill(0, done, done + part);
      else into.set(page.bytes.subarray(at, at + part), done);
      done += part;
    }
    return length;
  }

  truncate(lengthBytes: number): void {
    if (lengthBytes < this.#sizeBytes) {
      for (const [index, page] of this.#pages) {
        const from = Math.max(0, lengthBytes - index * PAGE_BYTES);
        if (from < PAGE_BYTES) this.#blank(page, from);
      }
    }
    if (lengthBytes !== this.#sizeBytes) this.#setSize(lengthBytes);
  }

  beginSync(): SyncMark {
    const pages = this.#dirty.map((page) => ({ page, count: page.forgotten + page.writes.length }));
    return { sizeBytes: this.#sizeBytes, sizeChanges: this.#sizesForgotten + this.#sizes.length, pages };
  }

  /** Everything `mark` covers is on disk. */
  syncSucceeded(mark: SyncMark): void {
    const sizes = mark.sizeChanges - this.#sizesForgotten;
    if (sizes > 0) {
      this.#durableSizeBytes = this.#sizes[sizes - 1] as number;
      this.#sizes.splice(0, sizes);
      this.#sizesForgotten = mark.sizeChanges;
    }
    for (const { page, count } of mark.pages) {
      const synced = count - page.forgotten;
      if (synced <= 0) continue;
      page.writes = synced === page.writes.length ? [] : page.writes.slice(synced);
      page.forgotten = count;
      page.allocated = true;
      if (page.writes.length === 0) page.dirty = false;
    }
    this.#dirty = this.#dirty.filter((page) => page.dirty);
  }

  /** Nothing new is on disk for sure, and yet the pages count as clean unless written to since. */
  syncFailed(mark: SyncMark): void {
    for (const { page, count } of mark.pages) {
      if (page.forgotten + page.writes.length === count) page.dirty = false;
    }
    this.#dirty = this.#dirty.filter((page) => page.dirty);
  }

  /** Memory pressure: pages that count as clean are dropped and read back from disk. True if any changed. */
  evictClean(): boolean {
    let changed = false;
    for (const page of this.#pages.values()) {
      if (page.dirty || page.writes.length === 0) continue;
      for (let i = page.writes.length - 1; i >= 0; i--)
        undo(page, page.writes[i] as PageWrite, 0, PAGE_BYTES);
      page.forgotten += page.writes.length;
      page.writes = [];
      changed = true;
    }
    return changed;
  }

  /** The machine lost power: any subset of what was not synced survives. True if something was lost. */
  crash(random: SeededRandom, policy: CrashPolicy): boolean {
    let lost = false;
    for (const page of this.#pages.values()) {
      if (page.writes.length > 0 && crashPage(page, random, policy)) lost = true;
      page.forgotten += page.writes.length;
      page.writes = [];
      page.dirty = false;
      page.allocated = true;
    }
    this.#dirty = [];
    if (this.#sizes.length > 0) {
      const newest = this.#sizeBytes;
      const choice = random.float();
      if (choice < policy.loseChance) this.#sizeBytes = this.#durableSizeBytes;
      else if (choice >= policy.loseChance + policy.keepChance) this.#sizeBytes = random.pick(this.#sizes);
      if (this.#sizeBytes !== newest) lost = true;
      this.#sizesForgotten += this.#sizes.length;
      this.#sizes = [];
    }
    this.#durableSizeBytes = this.#sizeBytes;
    for (const [index, page] of this.#pages) {
      const from = Math.max(0, this.#sizeBytes - index * PAGE_BYTES);
      if (from === 0) this.#pages.delete(index);
      else if (from < PAGE_BYTES) page.bytes.fill(0, from);
    }
    return lost;
  }

  /** A random place whose byte is no zero and on disk for sure. */
  settledPosition(random: SeededRandom): number | undefined {
    const settled: number[] = [];
    for (const [index, page] of this.#pages) if (page.writes.length === 0) settled.push(index);
    if (settled.length === 0) return undefined;
    for (let attempt = 0; attempt < PLACES_TRIED; attempt++) {
      const position = random.pick(settled) * PAGE_BYTES + random.int(PAGE_BYTES);
      if (position < this.#sizeBytes && this.byteAt(position) !== 0) return position;
    }
    return undefined;
  }

  byteAt(position: number): number {
    const index = Math.floor(position / PAGE_BYTES);
    return this.#pages.get(index)?.bytes[position - index * PAGE_BYTES] ?? 0;
  }

  /** Turns bits of one byte, on disk and in the cache alike; returns what it is now. */
  flip(position: number, mask: number): number {
    const index = Math.floor(position / PAGE_BYTES);
    const page = this.#pages.get(index);
    if (page === undefined) return 0;
    const at = position - index * PAGE_BYTES;
    page.bytes[at] = (page.bytes[at] as number) ^ mask;
    for (const { at: from, overwritten } of page.writes) {
      const within = at - from;
      if (within >= 0 && within < overwritten.length) {
        overwritten[within] = (overwritten[within] as number) ^ mask;
      }
    }
    return page.bytes[at];
  }

  /** A random sector of its content, for the stale bytes of other files. */
  sampleSector(random: SeededRandom): Uint8Array | undefined {
    if (this.#pages.size === 0) return undefined;
    let skip = random.int(this.#pages.size);
    for (const page of this.#pages.values()) {
      if (skip-- > 0) continue;
      const at = random.int(PAGE_BYTES / SECTOR_BYTES) * SECTOR_BYTES;
      return page.bytes.slice(at, at + SECTOR_BYTES);
    }
    return undefined;
  }

  #setSize(lengthBytes: number): void {
    this.#sizeBytes = lengthBytes;
    this.#sizes.push(lengthBytes);
  }

  #pageForWrite(index: number): Page {
    let page = this.#pages.get(index);
    if (page === undefined) {
      const bytes = this.#memory.blank(PAGE_BYTES);
      page = { bytes, writes: [], forgotten: 0, dirty: false, allocated: false };
      this.#pages.set(index, page);
    }
    if (!page.dirty) {
      page.dirty = true;
      this.#dirty.push(page);
    }
    return page;
  }

  #blank(page: Page, from: number): void {
    page.writes.push({ at: from, overwritten: this.#memory.copy(page.bytes, from, PAGE_BYTES) });
    page.bytes.fill(0, from);
    if (!page.dirty) {
      page.dirty = true;
      this.#dirty.push(page);
    }
  }
}

/** Puts back what `write` overwrote within [from, to) of the page. */
function undo(page: Page, write: PageWrite, from: number, to: number): boolean {
  const start = Math.max(from, write.at);
  const end = Math.min(to, write.at + write.overwritten.length);
  if (start >= end) return false;
  page.bytes.set(write.overwritten.subarray(start - write.at, end - write.at), start);
  return true;
}

/** Whether no version since the last sync differs from the newest within [from, to) of the page. */
function pageSurvives(page: Page, from: number, to: number): boolean {
  for (const write of page.writes) {
    const start = Math.max(from, write.at);
    const end = Math.min(to, write.at + write.overwritten.length);
    for (let i = start; i < end; i++) if (write.overwritten[i - write.at] !== page.bytes[i]) return false;
  }
  return true;
}

function crashPage(page: Page, random: SeededRandom, policy: CrashPolicy): boolean {
  // What a failed sync left behind was most likely never written.
  const loseChance = page.dirty ? policy.loseChance : Math.max(policy.loseChance, 0.85);
  let lost = false;
  for (let sector = 0; sector < PAGE_BYTES; sector += SECTOR_BYTES) {
    const choice = random.float();
    let keep = page.writes.length;
    if (choice < loseChance) keep = 0;
    else if (choice >= loseChance + policy.keepChance) keep = random.int(page.writes.length + 1);
    let undone = false;
    for (let i = page.writes.length - 1; i >= keep; i--) {
      if (undo(page, page.writes[i] as PageWrite, sector, sector + SECTOR_BYTES)) undone = true;
    }
    if (!undone) continue;
    lost = true;
    if (keep === 0 && !page.allocated && random.chance(policy.staleChance)) {
      page.bytes.set(policy.stale(), sector);
    }
  }
  return lost;
}
