/**
 * What a machine crash leaves of a disk, at any point of a list of operations. Writes that no sync has covered
 * survive in any part, torn at 512 bytes; so do lengths and names that were not synced. A failed sync leaves
 * pages that count as clean: later syncs skip them until they are written again.
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

interface PendingLength {
  readonly kind: "length";
  readonly index: number;
  readonly length: number;
}

interface Content {
  durable: Buffer;
  pending: (PendingWrite | PendingLength)[];
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
      this.#contents.set(id, { durable: Buffer.from(bytes), pending: [] });
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
        this.#contents.set(inode, { durable: Buffer.alloc(0), pending: [] });
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
      case "write":
        this.#write(index, operation.inode, operation.at, operation.bytes);
        break;
      case "truncate":
        this.#content(operation.inode).pending.push({ kind: "length", index, length: operation.length });
        break;
      case "sync":
        this.#sync(this.#content(operation.inode), operation.from);
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

  #write(index: number, inode: number, at: number, bytes: Buffer): void {
    const { pending } = this.#content(inode);
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + PAGE - ((at + from) % PAGE));
      pending.push({ kind: "write", index, at: at + from, bytes: bytes.subarray(from, to), stuck: false });
      from = to;
    }
  }

  #sync(content: Content, from: number): void {
    const dirty = new Set<number>();
    for (const pending of content.pending) {
      if (pending.kind === "write" && pending.index < from && !pending.stuck) {
        dirty.add(Math.floor(pending.at / PAGE));
      }
    }
    content.pending = content.pending.filter((pending) => {
      if (pending.index >= from) return true;
      if (pending.kind === "length") content.durable = resized(content.durable, pending.length);
      else if (dirty.has(Math.floor(pending.at / PAGE)))
        content.durable = written(content.durable, pending.at, pending.bytes);
      else return true;
      return false;
    });
  }
}

function resized(bytes: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  bytes.copy(result, 0, 0, Math.min(length, bytes.length));
  return result;
}

function written(into: Buffer, at: number, bytes: Buffer): Buffer {
  const result = at + bytes.length > into.length ? resized(into, at + bytes.length) : into;
  bytes.copy(result, at);
  return result;
}

function crashed({ durable, pending }: Content, choice: CrashChoice): Buffer {
  let bytes: Buffer = Buffer.from(durable);
  for (const change of pending) {
    if (change.kind === "length") {
      if (choice.random() < choice.keepData) bytes = resized(bytes, change.length);
      continue;
    }
    for (let from = 0; from < change.bytes.length; ) {
      const at = change.at + from;
      const to = Math.min(change.bytes.length, from + SECTOR - (at % SECTOR));
      if (choice.random() < choice.keepData) bytes = written(bytes, at, change.bytes.subarray(from, to));
      from = to;
    }
  }
  return bytes;
}
