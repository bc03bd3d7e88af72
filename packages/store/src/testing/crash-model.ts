/**
 * What a machine crash leaves of a disk, at any point of a list of operations. Writes that no sync has covered
 * survive in any part, torn at 512 bytes; so do lengths and names that were not synced, each by itself and in any
 * order. A failed sync leaves pages that count as clean: later syncs skip them until they are written again.
 *
 * Contents are never changed in place once an image may show them, so that thousands of images share what they
 * have in common.
 */
import type { DiskImage, DiskOperation } from "./fake-disk.ts";

const SECTOR = 512;
const PAGE = 4096;

interface PendingWrite {
  readonly kind: "write";
  readonly index: number;
  readonly at: number;
  readonly bytes: Buffer;
  /** Counts as clean although it is not on disk. */
  stuck: boolean;
}

interface PendingTruncate {
  readonly kind: "truncate";
  readonly index: number;
  readonly length: number;
}

/** The length that a write gave its file: it may survive the bytes, or be lost with them. */
interface PendingExtend {
  readonly kind: "extend";
  readonly index: number;
  readonly length: number;
}

interface Content {
  durable: Buffer;
  pending: (PendingWrite | PendingTruncate | PendingExtend)[];
  /** In the page cache. */
  length: number;
}

interface PendingName {
  readonly index: number;
  readonly folder: string;
  apply(names: Map<string, number>, folders: Set<string>): void;
}

/** Decides what survives: a number in [0, 1) per question; below `keep` it does. */
export interface CrashChoice {
  readonly keepData: number;
  readonly keepNames: number;
  /** What a file holds where its length survived and its bytes did not; default 0. */
  readonly stale?: number;
  random(): number;
}

export const LOSE_ALL: CrashChoice = { keepData: 0, keepNames: 0, random: () => 0.5 };
export const KEEP_ALL: CrashChoice = { keepData: 1, keepNames: 1, random: () => 0.5 };

/** A small seeded generator, the same everywhere. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));

export class CrashModel {
  readonly #contents = new Map<number, Content>();
  readonly #names = new Map<string, number>();
  readonly #folders = new Set<string>(["/"]);
  #pendingNames: PendingName[] = [];
  #index = 0;

  /** Starts with an image whose inodes are numbered as FakeDisk numbers them. */
  constructor(image?: DiskImage) {
    if (image === undefined) return;
    let id = 1;
    for (const [path, bytes] of image.files) {
      this.#contents.set(id, { durable: bytes, pending: [], length: bytes.length });
      this.#names.set(path, id);
      id += 1;
    }
    for (const folder of image.folders) this.#folders.add(folder);
  }

  /** Takes in the next operation. */
  apply(operation: DiskOperation): void {
    const index = this.#index++;
    switch (operation.kind) {
      case "create": {
        const { path, inode } = operation;
        this.#contents.set(inode, { durable: Buffer.alloc(0), pending: [], length: 0 });
        this.#name(index, folderOf(path), (names) => names.set(path, inode));
        break;
      }
      case "folder": {
        const { path } = operation;
        this.#name(index, folderOf(path), (_names, folders) => folders.add(path));
        break;
      }
      case "rename": {
        const { from, to } = operation;
        this.#name(index, folderOf(from), (names) => {
          const inode = names.get(from);
          if (inode === undefined) return;
          names.delete(from);
          names.set(to, inode);
        });
        break;
      }
      case "unlink":
        this.#name(index, folderOf(operation.path), (names) => names.delete(operation.path));
        break;
      case "removeFolder":
        this.#name(index, folderOf(operation.path), (_names, folders) => folders.delete(operation.path));
        break;
      case "write":
        this.#write(index, this.#content(operation.inode), operation.at, operation.bytes);
        break;
      case "truncate": {
        const content = this.#content(operation.inode);
        content.pending.push({ kind: "truncate", index, length: operation.length });
        content.length = operation.length;
        break;
      }
      case "sync":
        sync(this.#content(operation.inode), operation.from);
        break;
      case "syncFailed":
        for (const pending of this.#content(operation.inode).pending) {
          if (pending.kind === "write" && pending.index < operation.from) pending.stuck = true;
        }
        break;
      case "syncFolder":
        this.#pendingNames = this.#pendingNames.filter((pending) => {
          if (pending.folder !== operation.path || pending.index >= operation.from) return true;
          pending.apply(this.#names, this.#folders);
          return false;
        });
        break;
    }
  }

  /** The disk after a crash now. */
  crash(choice: CrashChoice): DiskImage {
    const names = new Map(this.#names);
    const folders = new Set(this.#folders);
    for (const pending of this.#pendingNames) {
      if (choice.random() < choice.keepNames) pending.apply(names, folders);
    }
    for (const folder of folders) if (!isReachable(folder, folders)) folders.delete(folder);
    const files = new Map<string, Buffer>();
    for (const [path, inode] of names) {
      if (folders.has(folderOf(path))) files.set(path, crashed(this.#content(inode), choice));
    }
    return { files, folders };
  }

  #name(index: number, folder: string, apply: PendingName["apply"]): void {
    this.#pendingNames.push({ index, folder, apply });
  }

  #content(inode: number): Content {
    const content = this.#contents.get(inode);
    if (content === undefined) throw new Error(`inode ${inode} is not known`);
    return content;
  }

  #write(index: number, content: Content, at: number, bytes: Buffer): void {
    const end = at + bytes.length;
    if (end > content.length) {
      content.length = end;
      content.pending.push({ kind: "extend", index, length: end });
    }
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + PAGE - ((at + from) % PAGE));
      const part = bytes.subarray(from, to);
      content.pending.push({ kind: "write", index, at: at + from, bytes: part, stuck: false });
      from = to;
    }
  }
}

/** A folder whose parent is gone is gone, too. */
function isReachable(folder: string, folders: ReadonlySet<string>): boolean {
  for (let path = folder; path !== "/"; path = folderOf(path)) if (!folders.has(path)) return false;
  return true;
}

function sync(content: Content, from: number): void {
  const dirty = new Set<number>();
  for (const pending of content.pending) {
    if (pending.kind === "write" && pending.index < from && !pending.stuck) {
      dirty.add(Math.floor(pending.at / PAGE));
    }
  }
  const result = new Changed(content.durable);
  content.pending = content.pending.filter((pending) => {
    if (pending.index >= from) return true;
    if (pending.kind === "truncate") result.resize(pending.length);
    else if (pending.kind === "extend") result.extend(pending.length, 0);
    else if (dirty.has(Math.floor(pending.at / PAGE))) result.write(pending.at, pending.bytes);
    else return true;
    return false;
  });
  content.durable = result.bytes;
}

function crashed({ durable, pending }: Content, choice: CrashChoice): Buffer {
  const result = new Changed(durable);
  for (const change of pending) {
    if (change.kind === "truncate") {
      if (choice.random() < choice.keepData) result.resize(change.length);
      continue;
    }
    if (change.kind === "extend") {
      if (choice.random() < choice.keepData) result.extend(change.length, choice.stale ?? 0);
      continue;
    }
    for (let from = 0; from < change.bytes.length; ) {
      const at = change.at + from;
      const to = Math.min(change.bytes.length, from + SECTOR - (at % SECTOR));
      if (choice.random() < choice.keepData) result.write(at, change.bytes.subarray(from, to));
      from = to;
    }
  }
  return result.bytes;
}

/** Bytes that are copied before their first change. */
class Changed {
  bytes: Buffer;
  #own = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  resize(length: number): void {
    if (length === this.bytes.length) return;
    const result = Buffer.alloc(length);
    this.bytes.copy(result, 0, 0, Math.min(length, this.bytes.length));
    this.bytes = result;
    this.#own = true;
  }

  extend(length: number, filling: number): void {
    const before = this.bytes.length;
    if (length <= before) return;
    this.resize(length);
    this.bytes.fill(filling, before);
  }

  write(at: number, bytes: Buffer): void {
    if (at + bytes.length > this.bytes.length) this.resize(at + bytes.length);
    else if (!this.#own) {
      this.bytes = Buffer.from(this.bytes);
      this.#own = true;
    }
    bytes.copy(this.bytes, at);
  }
}
