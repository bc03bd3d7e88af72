/**
 * The index of messages by key (RocketMQ: IndexService): notes the keys of what is appended, puts them into the
 * newest IndexFile when dispatch has made the record readable, and begins another file when that one is full.
 * Everything in it can be built again from the CommitLog; only what the state file vouches for is believed.
 *
 *   noted → readable (in memory, found by queries) → on disk (index-flush.ts) → vouched for (index-state-file.ts)
 *
 *   off       messageIndexEnable=false
 *   on → stalled   the files cannot be written and memory is full, or a file was lost while the log was cut
 *   stalled → on   index-catch-up.ts has indexed from the log what came meanwhile
 */
import type { Host, HostError, Logger } from "@orbitmq/host";
import type { EncodedProperties } from "@orbitmq/wire";
import type { OpenFileCache } from "../open-file-cache.ts";
import { folderOf } from "../store-paths.ts";
import { IndexChecksums } from "./index-checksums.ts";
import { IndexFile } from "./index-file.ts";
import { IndexKeys, isIndexed } from "./index-keys.ts";
import { type IndexHeader, type IndexSizes, indexFileBytes } from "./index-layout.ts";
import { type IndexState, IndexStateFile } from "./index-state-file.ts";
import { PendingItems } from "./pending-items.ts";

export interface IndexOptions {
  readonly messageIndexEnable: boolean;
  readonly maxHashSlotNum: number;
  readonly maxIndexNum: number;
  readonly indexStallItems: number;
}

/** Items in memory beyond which appends wait for the disk. */
const UNSYNCED_MAX = 2_000_000;

export class IndexService {
  readonly enabled: boolean;
  readonly host: Pick<Host, "files" | "timers" | "clock">;
  readonly folder: string;
  readonly sizes: IndexSizes;
  readonly sums: IndexChecksums;
  readonly cache: OpenFileCache;
  readonly stateFile: IndexStateFile;
  readonly logger: Logger;
  /** Oldest first. All but the newest are full. */
  readonly files: IndexFile[] = [];
  /** Every record below it is on disk, with all its keys. */
  indexedTo = 0;
  /** Some records below could not be read when their turn came, and are not found by key; 0: all are. */
  unindexedTo = 0;
  storeId = 0;
  /** How often the index was cut: what looks at its files over several turns begins again, or ends. */
  cuts = 0;
  /** Told of blocks of an IndexFile that were not what was written. */
  damaged: (path: string, blocks: number) => void = () => {};
  /** Why the last flush failed; `undefined` when it did not. */
  failure: HostError | undefined;
  readonly #stallItems: number;
  readonly #keys = new IndexKeys();
  readonly #pending = new PendingItems();
  /** Where recovery goes on, and how many keys of that record are already there. */
  #resumeAt = 0;
  #resumeSkips = 0;
  /** Files to be removed once a state that does not name them is on disk; `unnamed`: such a state is being saved. */
  #leaving: IndexFile[] = [];
  #unnamed: IndexFile[] = [];
  #newestMs = 0;
  #stalledAt: number | undefined;
  /** Records from here on are noted as they come although the index is stalled: it will have caught up to there. */
  #joinAt = Number.POSITIVE_INFINITY;
  #stalls = 0;
  /** Told when the index stalls. */
  stalled: () => void = () => {};
  readonly #put = (hash: number, position: number, timestamp: number): void => {
    let file = this.files.at(-1);
    if (file === undefined || file.isFull) file = this.#create(timestamp);
    file.put(hash, position, timestamp);
  };

  readonly #touch = (hashes: Int32Array, from: number, to: number): void => {
    this.files.at(-1)?.open?.slots.touch(hashes, from, to);
  };

  constructor(
    host: Pick<Host, "files" | "timers" | "clock">,
    paths: { readonly index: string; readonly indexState: string; readonly checksums: string },
    options: IndexOptions,
    cache: OpenFileCache,
    logger: Logger,
  ) {
    this.enabled = options.messageIndexEnable;
    this.#stallItems = options.indexStallItems;
    this.host = host;
    this.folder = paths.index;
    this.sizes = { slots: options.maxHashSlotNum, items: options.maxIndexNum };
    this.cache = cache;
    this.logger = logger;
    this.sums = new IndexChecksums(host.files, cache, paths.checksums, this.sizes);
    this.stateFile = new IndexStateFile(host.files, paths.indexState);
  }

  /** Items that are not on disk. */
  get unsyncedItems(): number {
    let count = this.#pending.count;
    // The unfinished files are the newest.
    for (let at = this.files.length - 1; at >= 0; at -= 1) {
      const file = this.files[at]!;
      if (file.open === undefined) break;
      count += file.header.count - file.synced;
    }
    return count;
  }

  /** Whether so much waits for the disk that appends should wait, too. */
  get isBehind(): boolean {
    return this.#stalledAt === undefined && this.unsyncedItems > UNSYNCED_MAX;
  }

  /** Records from here on are not found yet; `undefined` when all are. It moves while the index catches up. */
  get stalledAt(): number | undefined {
    return this.#stalledAt;
  }

  /** What lies behind is noted as it comes while the index catches up to there; Infinity when that has not begun. */
  get joinAt(): number {
    return this.#joinAt;
  }

  /** How often it has stalled. */
  get stalls(): number {
    return this.#stalls;
  }

  /** Files that are not wholly on disk, oldest first. */
  get unfinished(): IndexFile[] {
    return this.files.filter((file) => file.open !== undefined);
  }

  /** What queries tell about how far the index has come. */
  get lastUpdate(): { readonly timestamp: number; readonly phyOffset: number } {
    const header = this.files.at(-1)?.header;
    return { timestamp: header?.endTimestamp ?? 0, phyOffset: header?.endPhyOffset ?? 0 };
  }

  /** Takes over what was found at start; records below `resumeAt` are indexed, and `skips` keys of the one there. */
  adopt(files: readonly IndexFile[], newestMs: number, resumeAt: number, skips: number): void {
    this.files.splice(0, this.files.length, ...files);
    this.#newestMs = newestMs;
    this.#resumeAt = resumeAt;
    this.#resumeSkips = skips;
    this.indexedTo = resumeAt;
  }

  /** Notes the keys of the record [position, end), which was appended. */
  note(
    position: number,
    end: number,
    timestamp: number,
    topic: string,
    properties: string | EncodedProperties,
    sysFlag: number,
  ): void {
    if (!this.enabled || position < this.#resumeAt || !isIndexed(sysFlag)) return;
    if (this.#stalledAt !== undefined && position < this.#joinAt) return;
    const count = this.#keys.collect(topic, properties);
    const { hashes } = this.#keys;
    const first = position === this.#resumeAt ? this.#resumeSkips : 0;
    for (let index = first; index < count; index += 1) {
      this.#pending.add(hashes[index]!, position, end, timestamp);
    }
  }

  /** Everything below `limit` has become readable, and is found from now on. */
  follow(limit: number): void {
    if (this.#pending.count === 0 || this.#stalledAt !== undefined) return;
    this.#pending.ahead(limit, this.#touch);
    this.#pending.take(limit, this.#put);
    if (this.failure === undefined || this.unsyncedItems < this.#stallItems) return;
    this.#pending.clear();
    this.logger.error(
      { err: this.failure, from: limit },
      "the IndexFile cannot be written: messages from here on are found by key when it can be again",
    );
    this.#stall(limit, Number.POSITIVE_INFINITY);
  }

  #stall(from: number, joinAt: number): void {
    this.#stalledAt = from;
    this.#joinAt = joinAt;
    this.#stalls += 1;
    this.stalled();
  }

  /** What of the record at `position` is in the files already, while the index catches up from there. */
  keysAt(position: number): number {
    let count = 0;
    for (let at = this.files.length - 1; at >= 0; at -= 1) {
      const file = this.files[at]!;
      if (file.header.count === 1) continue;
      if (file.header.endPhyOffset !== position) return count;
      const here = file.newestOf(position, this.cache);
      count += here;
      if (here < file.header.count - 1) return count;
    }
    return count;
  }

  /** Indexes a readable record of the log at once, but for its first `skips` keys; while the index catches up. */
  catchUp(
    position: number,
    timestamp: number,
    topic: string,
    properties: string,
    sysFlag: number,
    skips: number,
  ): void {
    if (!isIndexed(sysFlag)) return;
    const count = this.#keys.collect(topic, properties);
    for (let index = skips; index < count; index += 1)
      this.#put(this.#keys.hashes[index]!, position, timestamp);
  }

  /** The index has caught up to `position`, and everything behind `joinAt`, if it is given, is noted as it comes. */
  caughtUpTo(position: number, joinAt?: number): void {
    this.#stalledAt = position;
    if (joinAt !== undefined && this.#joinAt === Number.POSITIVE_INFINITY) this.#joinAt = joinAt;
    if (position < this.#joinAt) return;
    this.#stalledAt = undefined;
    this.#joinAt = Number.POSITIVE_INFINITY;
  }

  /** Records below `to` could not be read, and are passed over. */
  missed(to: number): void {
    this.unindexedTo = Math.max(this.unindexedTo, to);
  }

  /** Cuts everything at or behind `offset` off, in memory; the files to be removed leave with the next saved state. Blocking. */
  cut(offset: number): void {
    if (!this.enabled) {
      // What the files hold from before it was switched off could not be told from what comes now.
      this.stateFile.remove();
      this.host.files.syncFolderSync(folderOf(this.folder));
      return;
    }
    this.cuts += 1;
    this.#pending.cut(offset);
    if (offset <= this.#resumeAt) {
      this.#resumeAt = offset;
      this.#resumeSkips = 0;
    }
    if (this.#stalledAt !== undefined) {
      if (this.#joinAt > offset && this.#joinAt < Number.POSITIVE_INFINITY) this.#joinAt = offset;
      if (offset <= this.#stalledAt) this.caughtUpTo(offset, offset);
    }
    this.indexedTo = Math.min(this.indexedTo, offset);
    this.unindexedTo = Math.min(this.unindexedTo, offset);
    for (;;) {
      const file = this.files.at(-1);
      if (file === undefined || file.header.endPhyOffset < offset) return;
      const isCut = file.header.beginPhyOffset < offset && this.#cutFile(file, offset);
      if (isCut && file.header.count > 1) return;
      if (!isCut && file.header.beginPhyOffset < offset) this.#lost(file, offset);
      file.open?.file?.closeSync();
      this.#leaving.push(file);
      this.files.pop();
    }
  }

  /** `false` when the file's items are not what was written. */
  #cutFile(file: IndexFile, offset: number): boolean {
    if (file.open === undefined) {
      this.cache.close(file.path);
      const opened = this.host.files.openSync(file.path);
      if (file.reopen(opened) === undefined) {
        opened.closeSync();
        return false;
      }
    }
    return file.cut(offset);
  }

  /** The newest file is of no use any more, and the log ends at `end`: what it was about is indexed again. */
  #lost(file: IndexFile, end: number): void {
    const { beginPhyOffset } = file.header;
    this.logger.error(
      { file: file.path, from: beginPhyOffset, to: end },
      "an IndexFile is not what was written; its messages are indexed again",
    );
    this.#pending.clear();
    this.#stall(beginPhyOffset, end);
  }

  /**
   * Lets files go whose last record lies below `minPhysicalOffset`, the log's first; never the newest. They are
   * removed once the state no longer names them, with the next flush. Returns how many.
   */
  deleteBefore(minPhysicalOffset: number): number {
    let count = 0;
    if (this.unindexedTo <= minPhysicalOffset) this.unindexedTo = 0;
    while (this.files.length > 1) {
      const [oldest] = this.files as [IndexFile];
      if (oldest.open !== undefined || oldest.header.endPhyOffset >= minPhysicalOffset) break;
      this.#leaving.push(oldest);
      this.files.shift();
      count += 1;
    }
    return count;
  }

  /** The state with `newest` as its newest file, of which `header` counts what is on disk. */
  stateWith(newest: IndexFile | undefined, header: IndexHeader, indexedTo: number): IndexState {
    this.#unnamed.push(...this.#leaving.splice(0));
    const files = newest === undefined ? 0 : this.files.indexOf(newest) + 1;
    const foreign = this.files.filter((file) => file.isForeign);
    return {
      storeId: this.storeId,
      sizes: this.sizes,
      files,
      firstMs: files === 0 ? 0 : this.files[0]!.nameMs,
      newestMs: newest?.nameMs ?? this.#newestMs,
      header,
      slotsItems: newest === undefined ? header.count : newest.slotsSynced,
      // Items may be on disk that an earlier flush could not vouch for; they follow the log without a gap.
      indexedTo: Math.max(
        Math.min(indexedTo, this.#stalledAt ?? indexedTo),
        files === 0 || header.count === 1 ? 0 : header.endPhyOffset,
      ),
      tail: newest?.tailAt(header.count),
      foreign:
        foreign.length === 0
          ? undefined
          : {
              fromMs: Math.min(...foreign.map((file) => file.nameMs)),
              toMs: Math.max(...foreign.map((file) => file.nameMs)),
            },
      unindexedTo: this.unindexedTo,
    };
  }

  /** A state is on disk: nothing that it does not name is needed any more. */
  stateSaved({ indexedTo }: IndexState): void {
    this.indexedTo = indexedTo;
    for (const { path, name } of this.#unnamed.splice(0)) {
      this.cache.close(path);
      try {
        this.host.files.unlinkSync(path);
        this.sums.remove(name);
      } catch (error) {
        // The next start removes it: no state names it.
        this.logger.warn(
          { err: error, file: path },
          "an IndexFile that is no longer needed cannot be removed",
        );
      }
    }
  }

  /** Makes the file of a new IndexFile, with its full length; its name is not on disk yet. Throws HostError. */
  make(file: IndexFile): void {
    const { files } = this.host;
    this.sums.remove(file.name);
    const made = files.openSync(file.path, { create: true });
    try {
      // What a run before has left under this name would pass for items.
      made.truncateSync(0);
      made.truncateSync(indexFileBytes(this.sizes));
    } catch (error) {
      made.closeSync();
      throw error;
    }
    file.open!.file = made;
  }

  close(): void {
    for (const file of this.files) file.open?.file?.closeSync();
    this.stateFile.close();
  }

  #create(timestamp: number): IndexFile {
    this.#newestMs = Math.max(timestamp, this.#newestMs + 1);
    const file = IndexFile.create(this, this.#newestMs);
    this.files.push(file);
    return file;
  }
}
