/**
 * The disk and page cache of one simulated machine: a tree of names over inodes, a capacity, and the faults
 * it has been told to inject. It knows no processes and no time: who calls it when is decided elsewhere.
 */
import { HostError } from "../../host-error.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { DiskFaults } from "./disk-faults.ts";
import { PageMemory } from "./page-memory.ts";
import { type FolderEntry, NameJournal, SimFolder } from "./sim-folder.ts";
import { SECTOR_BYTES, SimInode } from "./sim-inode.ts";

/** What became of a machine crash. */
export interface DiskCrashReport {
  readonly filesChanged: number;
  readonly namesUndone: number;
}

/** The same few paths are asked for again and again. */
const splitPaths = new Map<string, readonly string[]>();
const SPLIT_PATHS_MAX = 4_096;

export function splitPath(path: string): readonly string[] {
  let parts = splitPaths.get(path);
  if (parts !== undefined) return parts;
  if (!path.startsWith("/")) throw new HostError("EINVAL", `${path}: not an absolute path`);
  parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (splitPaths.size >= SPLIT_PATHS_MAX) splitPaths.clear();
  splitPaths.set(path, parts);
  return parts;
}

export class SimDisk {
  readonly root: SimFolder;
  readonly names = new NameJournal();
  readonly capacityBytes: number;
  /** Space taken by somebody else; set it to make the disk full. */
  ballastBytes = 0;
  /** Multiplies the duration of every operation. */
  slowFactor = 1;
  /** Multiplies the duration of every sync besides. */
  syncSlowFactor = 1;
  readonly faults = new DiskFaults((name, path) => this.onFault(name, path));
  /** Told whenever an injected fault took effect. */
  onFault: (name: string, path: string) => void = () => {};
  readonly #random: SeededRandom;
  readonly #head = new Uint8Array(4);
  readonly #memory = new PageMemory();
  /** Path → what `durablyNamed` found, and when. */
  readonly #named = new Map<string, { version: number; inode: SimInode | undefined }>();
  /** Path → what it names, as of `entriesVersion` of the names. */
  readonly #entries = new Map<string, FolderEntry>();
  #entriesVersion = -1;
  #inodes = new Set<SimInode>();
  #ids = 1;
  #usedBytes = 0;
  /** Blocks that files gave back; their contents may show up in files that grow. */
  #freed: Uint8Array[] = [];

  constructor(random: SeededRandom, capacityBytes: number) {
    this.#random = random;
    this.capacityBytes = capacityBytes;
    this.root = new SimFolder(0);
  }

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.#usedBytes - this.ballastBytes);
  }

  entry(path: string): FolderEntry | undefined {
    if (this.#entriesVersion !== this.names.version) {
      this.#entriesVersion = this.names.version;
      this.#entries.clear();
    }
    let entry = this.#entries.get(path);
    if (entry === undefined) {
      entry = this.#find(path);
      if (entry !== undefined) this.#entries.set(path, entry);
    }
    return entry;
  }

  #find(path: string): FolderEntry | undefined {
    let entry: FolderEntry | undefined = this.root;
    for (const part of splitPath(path)) {
      if (!(entry instanceof SimFolder)) return undefined;
      entry = entry.entries.get(part);
    }
    return entry;
  }

  /**
   * Whether these bytes of the file, and its name, would be there after any machine crash now. The length may
   * depend on the first four bytes, as processes see them.
   */
  survives(path: string, position: number, length: number | ((head: Uint8Array) => number)): boolean {
    const inode = this.#durablyNamed(path);
    if (inode === undefined) return false;
    if (typeof length === "number") return inode.survives(position, length);
    inode.read(this.#head, position);
    return inode.survives(position, length(this.#head));
  }

  /** The file at `path` if no crash could take its name or put another there. */
  #durablyNamed(path: string): SimInode | undefined {
    let named = this.#named.get(path);
    if (named === undefined) {
      named = { version: -1, inode: undefined };
      this.#named.set(path, named);
    }
    if (named.version !== this.names.version) {
      named.version = this.names.version;
      named.inode = this.#findDurablyNamed(path);
    }
    return named.inode;
  }

  #findDurablyNamed(path: string): SimInode | undefined {
    let entry: FolderEntry | undefined = this.root;
    for (const part of splitPath(path)) {
      if (!(entry instanceof SimFolder)) return undefined;
      const named = entry.entries.get(part);
      if (named !== entry.durable.get(part)) return undefined;
      entry = named;
    }
    return entry instanceof SimInode ? entry : undefined;
  }

  folder(path: string): SimFolder {
    const entry = this.entry(path);
    if (entry === undefined) throw new HostError("ENOENT", `${path}: no such folder`);
    if (!(entry instanceof SimFolder)) throw new HostError("ENOTDIR", `${path}: not a folder`);
    return entry;
  }

  /** The folder a path lies in, and its last part. */
  parent(path: string): { folder: SimFolder; name: string } {
    const parts = splitPath(path);
    const name = parts.at(-1);
    if (name === undefined) throw new HostError("EINVAL", `${path}: has no parent`);
    const isPlain = path.endsWith(name);
    const folderPath = isPlain ? path.slice(0, -name.length - 1) : `/${parts.slice(0, -1).join("/")}`;
    return { folder: this.folder(folderPath || "/"), name };
  }

  makeFolder(path: string): void {
    let folder = this.root;
    for (const name of splitPath(path)) {
      const entry = folder.entries.get(name);
      if (entry instanceof SimInode) throw new HostError("ENOTDIR", `${path}: ${name} is a file`);
      if (entry !== undefined) {
        folder = entry;
        continue;
      }
      const made = new SimFolder(this.#ids++);
      this.names.perform([{ folder, name, entry: made }]);
      folder = made;
    }
  }

  createFile(folder: SimFolder, name: string): SimInode {
    const inode = new SimInode(this.#ids++, this.#memory);
    this.#inodes.add(inode);
    this.names.perform([{ folder, name, entry: inode }]);
    return inode;
  }

  rename(from: string, to: string): void {
    const source = this.parent(from);
    const target = this.parent(to);
    const entry = source.folder.entries.get(source.name);
    if (entry === undefined) throw new HostError("ENOENT", `${from}: no such file or folder`);
    const replaced = target.folder.entries.get(target.name);
    if (replaced === entry) return;
    if (replaced instanceof SimFolder) throw new HostError("EISDIR", `${to}: is a folder`);
    this.names.perform([
      { folder: source.folder, name: source.name, entry: undefined },
      { folder: target.folder, name: target.name, entry },
    ]);
    if (replaced !== undefined) this.releaseIfUnused(replaced);
  }

  unlink(path: string): void {
    const entry = this.entry(path);
    if (entry === undefined) return;
    if (entry instanceof SimFolder) throw new HostError("EISDIR", `${path}: is a folder`);
    const { folder, name } = this.parent(path);
    this.names.perform([{ folder, name, entry: undefined }]);
    this.releaseIfUnused(entry);
  }

  removeFolder(path: string): void {
    const { folder, name } = this.parent(path);
    const entry = this.folder(path);
    if (entry.entries.size > 0) throw new HostError("ENOTEMPTY", `${path}: not empty`);
    this.names.perform([{ folder, name, entry: undefined }]);
  }

  /** Writes into the page cache; throws ENOSPC, possibly after having written a part. */
  write(inode: SimInode, path: string, bytes: Uint8Array, position: number): void {
    const needed = inode.bytesToAllocate(position, bytes.length);
    if (needed > 0) {
      if (needed > this.freeBytes || this.faults.hasNoSpaceFor(path)) {
        this.#writePart(inode, bytes, position, this.freeBytes);
        this.onFault("disk-full", path);
        throw new HostError("ENOSPC", `${path}: no space left on the device`);
      }
      this.#usedBytes += needed;
    }
    inode.write(bytes, position);
  }

  /** What a write that fails with EIO leaves behind. */
  writeTorn(inode: SimInode, bytes: Uint8Array, position: number): void {
    this.#writePart(inode, bytes, position, this.freeBytes);
  }

  /** Gives the space back once no name and no handle refers to the file. */
  releaseIfUnused(inode: SimInode): void {
    if (inode.links > 0 || inode.handles > 0 || !this.#inodes.has(inode)) return;
    this.#usedBytes -= inode.allocatedBytes;
    this.#inodes.delete(inode);
    this.#remember(inode);
  }

  /** Power loss: un-synced writes and names survive in part. Nothing is open any more. */
  crash(): DiskCrashReport {
    const random = this.#random;
    // Each crash has a temper of its own, so that "everything lost" and "everything kept" occur too.
    const loseChance = random.pick([0, 0.1, 0.5, 0.9, 1]);
    const policy = {
      loseChance,
      keepChance: random.float() * (1 - loseChance),
      staleChance: random.pick([0, 0.5, 1]),
      stale: () => this.#stale(),
    };
    const namesUndone = this.names.crash(this.root, random, random.float());
    const reachable = new Set<SimInode>();
    collect(this.root, reachable);
    let filesChanged = 0;
    for (const inode of reachable) if (inode.crash(random, policy)) filesChanged++;
    for (const inode of this.#inodes) if (!reachable.has(inode)) this.#remember(inode);
    this.#inodes = reachable;
    this.#usedBytes = 0;
    for (const inode of reachable) this.#usedBytes += inode.allocatedBytes;
    this.faults.disarm();
    return { filesChanged, namesUndone };
  }

  /** The paths of all files, in order of name. */
  paths(): string[] {
    const paths: string[] = [];
    collectPaths(this.root, "", paths);
    return paths.sort();
  }

  /**
   * Rot: turns one bit on disk and in the cache, at `at` or somewhere where something was ever written. Returns
   * what turns it back (unless it was written over meanwhile), undefined when the file has no such place.
   */
  flipBit(path: string, at?: number): (() => void) | undefined {
    const inode = this.entry(path);
    if (!(inode instanceof SimInode)) return undefined;
    const position = at ?? inode.settledPosition(this.#random);
    if (position === undefined || position >= inode.sizeBytes) return undefined;
    const mask = 1 << this.#random.int(8);
    const flipped = inode.flip(position, mask);
    this.onFault("bit-flip", `${path} at ${position}`);
    return () => {
      if (inode.byteAt(position) === flipped) inode.flip(position, mask);
    };
  }

  /** Rot: the file ends earlier than it did. False when it is empty. */
  cutShort(path: string): boolean {
    const inode = this.entry(path);
    if (!(inode instanceof SimInode) || inode.sizeBytes === 0 || inode.hasUnsynced) return false;
    inode.truncate(this.#random.int(inode.sizeBytes));
    inode.syncSucceeded(inode.beginSync());
    this.onFault("cut-short", path);
    return true;
  }

  /** Drops cached pages that wrongly count as clean: they read back as what is on disk. */
  evictClean(): number {
    let evicted = 0;
    for (const inode of this.#inodes) if (inode.evictClean()) evicted++;
    return evicted;
  }

  #writePart(inode: SimInode, bytes: Uint8Array, position: number, budgetBytes: number): void {
    const length = this.#random.int(bytes.length + 1);
    const needed = inode.bytesToAllocate(position, length);
    if (needed > budgetBytes) return;
    this.#usedBytes += needed;
    inode.write(bytes.subarray(0, length), position);
  }

  #remember(inode: SimInode): void {
    const sector = inode.sampleSector(this.#random);
    if (sector === undefined) return;
    this.#freed.push(sector);
    if (this.#freed.length > 64) this.#freed.shift();
  }

  #stale(): Uint8Array {
    if (this.#freed.length > 0 && this.#random.chance(0.5)) return this.#random.pick(this.#freed);
    const inodes = [...this.#inodes];
    const other = inodes.length > 0 ? this.#random.pick(inodes).sampleSector(this.#random) : undefined;
    return other ?? this.#random.bytes(SECTOR_BYTES);
  }
}

function collectPaths(folder: SimFolder, path: string, into: string[]): void {
  for (const [name, entry] of folder.entries) {
    if (entry instanceof SimFolder) collectPaths(entry, `${path}/${name}`, into);
    else into.push(`${path}/${name}`);
  }
}

function collect(folder: SimFolder, into: Set<SimInode>): void {
  for (const entry of folder.entries.values()) {
    if (entry instanceof SimFolder) collect(entry, into);
    else {
      entry.links = 1;
      entry.handles = 0;
      into.add(entry);
    }
  }
}
