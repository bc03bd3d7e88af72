/**
 * Puts an IndexFile right in which a block is not what was written: items are read in order, what does not match is
 * found again in the CommitLog between its neighbours, and the slots follow from the items. In the background, one
 * file at a time; queries that have met the block wait for it.
 *
 *   items, block by block → blocks of slots (of a file that is full) → synced
 *
 * A block without a checksum is treated alike, unless somebody else has written the file: nobody can tell what it was.
 *
 * It fails when the log no longer has what the block was made of, or does not agree with its neighbours (an older
 * Java broker indexes fewer keys), or the file cannot be written. Queries read the log itself then.
 */
import type { HostError, OpenFile } from "@orbitmq/host";
import { readInt64, writeInt64 } from "@orbitmq/wire";
import { readDispatchFields } from "../dispatch/dispatch-fields.ts";
import { BLOCK_ITEMS, blockAt, type KnownBlocks } from "./index-checksums.ts";
import type { IndexFile } from "./index-file.ts";
import { IndexKeys, isIndexed } from "./index-keys.ts";
import { ITEM_BYTES, itemPosition, SLOT_BYTES, slotPosition } from "./index-layout.ts";
import type { IndexLog } from "./index-log.ts";
import type { IndexService } from "./index-service.ts";
import { PAGE_SLOTS } from "./slot-table.ts";

/** Blocks, or pages, looked at per turn of the event loop. */
const BLOCKS_PER_TURN = 32;
const PAGES_PER_TURN = 64;
const LOG_BYTES = 256 * 1024;
/** Blocks in memory that go to the file, beyond which they do so at once. */
const PENDING_MAX = 4096;

type Mended = (done: boolean) => void;

export class IndexMend {
  readonly #index: IndexService;
  readonly #log: IndexLog;
  /** The first is being mended. */
  readonly #waiting: { readonly file: IndexFile; readonly told: Mended[] }[] = [];

  constructor(index: IndexService, log: IndexLog) {
    this.#index = index;
    this.#log = log;
  }

  /** Puts the file right; `done` is called once, later. */
  mend(file: IndexFile, done: Mended): void {
    const known = this.#waiting.find((each) => each.file === file);
    if (known !== undefined) {
      known.told.push(done);
      return;
    }
    this.#waiting.push({ file, told: [done] });
    if (this.#waiting.length === 1) this.#next();
  }

  #next(): void {
    const first = this.#waiting[0];
    if (first === undefined) return;
    new Mending(this.#index, this.#log, first.file, (isDone) => {
      this.#waiting.shift();
      this.#next();
      for (const told of first.told) told(isDone);
    }).go();
  }
}

class Mending {
  readonly #index: IndexService;
  readonly #log: IndexLog;
  readonly #file: IndexFile;
  readonly #done: Mended;
  readonly #cuts: number;
  readonly #slots: Int32Array;
  readonly #keys = new IndexKeys();
  /** One past the newest item that is looked at: whole blocks of a file that is filled, everything of a full one. */
  readonly #end: number;
  #position: number;
  /** How many of the newest items looked at are of the record at `position`. */
  #ofPosition = 0;
  readonly #pending = new Map<number, Buffer>();
  /** What the item behind the newest pending block has to be, by the log. */
  #expected: { readonly hash: number; readonly position: number } | undefined;
  #changed = 0;
  #hasNoted = false;

  constructor(index: IndexService, log: IndexLog, file: IndexFile, done: Mended) {
    this.#index = index;
    this.#log = log;
    this.#file = file;
    this.#done = done;
    this.#cuts = index.cuts;
    this.#slots = new Int32Array(file.sizes.slots);
    this.#end = file.open?.items.start ?? file.header.count;
    this.#position = file.header.beginPhyOffset;
  }

  go(): void {
    const { path, header } = this.#file;
    this.#index.logger.warn(
      { file: path, from: header.beginPhyOffset, to: header.endPhyOffset },
      "an IndexFile is not what was written, or nobody can tell; it is put right by the CommitLog",
    );
    try {
      this.#ofPosition = this.#inFileBefore();
    } catch (error) {
      this.#failed(error as HostError);
      return;
    }
    this.#readItems(0);
  }

  /** Keys of the first record that lie in the file before. */
  #inFileBefore(): number {
    const { files, cache } = this.#index;
    const before = files[files.indexOf(this.#file) - 1];
    if (before === undefined || before.header.endPhyOffset !== this.#position) return 0;
    return before.itemsAt(this.#position, cache.get(before.path));
  }

  #isCurrent(): boolean {
    return this.#cuts === this.#index.cuts && this.#index.files.includes(this.#file);
  }

  #failed(error?: HostError, reason = error?.message): void {
    if (this.#isCurrent()) {
      this.#index.logger.error(
        { err: error, file: this.#file.path, reason },
        "an IndexFile cannot be put right: queries read the CommitLog instead",
      );
    }
    this.#done(false);
  }

  /** Valid until the event loop turns: full files are in a cache. */
  #opened(): OpenFile {
    return this.#file.open?.file ?? this.#index.cache.get(this.#file.path);
  }

  /** Looks at the items of some blocks from `block` on, later at the rest. */
  #readItems(block: number): void {
    const { sums, name, sizes } = this.#file;
    const from = block * BLOCK_ITEMS;
    if (from >= this.#end) {
      this.#finishItems();
      return;
    }
    const bytes = Buffer.alloc(
      (Math.min(this.#end, from + BLOCKS_PER_TURN * BLOCK_ITEMS) - from) * ITEM_BYTES,
    );
    const count = Math.ceil(bytes.length / ITEM_BYTES / BLOCK_ITEMS);
    this.#read(bytes, itemPosition(sizes, from), () => {
      sums.items("cold", name, block, count, (known) => this.#lookAt(block, 0, bytes, known));
    });
  }

  /** Reads what it can: a place that cannot be read is one that does not match. */
  #read(into: Buffer, position: number, then: () => void): void {
    if (!this.#isCurrent()) {
      this.#done(false);
      return;
    }
    try {
      this.#opened().read("cold", into, position, (error, count) => {
        into.fill(0, error === undefined ? count : 0);
        then();
      });
    } catch (error) {
      this.#failed(error as HostError);
    }
  }

  #lookAt(first: number, index: number, bytes: Buffer, known: KnownBlocks): void {
    if (!this.#isCurrent()) {
      this.#done(false);
      return;
    }
    for (let at = index; ; at += 1) {
      const block = blockAt(bytes, at);
      if (block.length === 0) {
        this.#index.host.timers.afterTurn(() => this.#readItems(first + at));
        return;
      }
      const check = known.check(at, block);
      if (this.#file.trusts(check) && this.#take(first + at, block)) continue;
      if (this.#pending.size >= PENDING_MAX && !this.#wroteItems()) return;
      const before = check === "unknown" ? Buffer.from(block) : undefined;
      const items = new BlockItems(first + at, block, this.#file, this.#position, this.#ofPosition);
      this.#derive(items, this.#position, () => {
        this.#pending.set(first + at, block);
        this.#expected = items.next;
        if (!this.#take(first + at, block)) {
          this.#failed(undefined, "the log does not have what its items were made of");
          return;
        }
        if (before?.equals(block) !== true) this.#changed += 1;
        this.#lookAt(first, at + 1, bytes, known);
      });
      return;
    }
  }

  /** Items as they are go into the slots; `false`, and nothing is changed, when they cannot be right. */
  #take(block: number, bytes: Buffer): boolean {
    const { header } = this.#file;
    const first = block === 0 ? 1 : block * BLOCK_ITEMS;
    const count = bytes.length / ITEM_BYTES;
    let last = this.#position;
    for (let at = first - block * BLOCK_ITEMS; at < count; at += 1) {
      const position = readInt64(bytes, at * ITEM_BYTES + 4);
      if (bytes.readInt32BE(at * ITEM_BYTES) < 0 || position < last || position > header.endPhyOffset)
        return false;
      last = position;
    }
    const expected = this.#pending.has(block) ? undefined : this.#expected;
    const at = (first - block * BLOCK_ITEMS) * ITEM_BYTES;
    if (expected !== undefined && first < this.#end) {
      if (bytes.readInt32BE(at) !== expected.hash || readInt64(bytes, at + 4) !== expected.position)
        return false;
      this.#expected = undefined;
    }
    this.#fold(block, bytes);
    return true;
  }

  #fold(block: number, bytes: Buffer): void {
    const { slots } = this.#file.sizes;
    for (let item = block === 0 ? 1 : block * BLOCK_ITEMS; ; item += 1) {
      const at = (item - block * BLOCK_ITEMS) * ITEM_BYTES;
      if (at >= bytes.length) return;
      const slot = bytes.readInt32BE(at) % slots;
      if (bytes.readInt32BE(at + 16) !== this.#slots[slot]!) {
        bytes.writeInt32BE(this.#slots[slot]!, at + 16);
        if (!this.#pending.has(block)) this.#changed += 1;
        this.#pending.set(block, bytes);
      }
      this.#slots[slot] = item;
      const position = readInt64(bytes, at + 4);
      this.#ofPosition = position === this.#position ? this.#ofPosition + 1 : 1;
      this.#position = position;
    }
  }

  /** Finds the items of a block in the log from `from` on. */
  #derive(items: BlockItems, from: number, then: () => void): void {
    if (from < this.#log.start()) {
      this.#failed(undefined, "the log no longer has what its items were made of");
      return;
    }
    this.#log.read(from, this.#log.readable(), LOG_BYTES, (error, chunk) => {
      if (chunk === undefined || chunk.end === chunk.start) {
        if (error === undefined && items.isFull) then();
        else this.#failed(error, error?.message ?? "the log ends before its items do");
        return;
      }
      const bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.length);
      const isEnough = items.add(bytes, chunk.start, this.#keys);
      const { end } = chunk;
      chunk.release();
      if (!this.#isCurrent()) this.#done(false);
      else if (isEnough) this.#index.host.timers.afterTurn(then);
      else this.#index.host.timers.afterTurn(() => this.#derive(items, end, then));
    });
  }

  #finishItems(): void {
    const { header, open, path } = this.#file;
    if (open === undefined && this.#position !== header.endPhyOffset) {
      this.#failed(undefined, "its last item is not of its last message");
      return;
    }
    if (this.#changed > 0) this.#index.damaged(path, this.#changed);
    if (!this.#wroteItems()) return;
    if (open === undefined) this.#readSlots(0);
    else this.#sync();
  }

  /** What is pending goes to the file; `false` when it cannot. */
  #wroteItems(): boolean {
    const { sums, name, sizes } = this.#file;
    try {
      for (const [block, bytes] of this.#pending) {
        this.#opened().writeSync(bytes, itemPosition(sizes, block * BLOCK_ITEMS));
        sums.wroteItems(name, block, [bytes]);
        this.#hasNoted = true;
      }
    } catch (error) {
      this.#failed(error as HostError);
      return false;
    }
    this.#pending.clear();
    return true;
  }

  /** Compares the slots of some pages with what the items say, later those of the others. */
  #readSlots(page: number): void {
    const { sums, name, sizes } = this.#file;
    if (page >= sums.pages) {
      this.#sync();
      return;
    }
    const first = page * PAGE_SLOTS;
    const count = Math.min(sizes.slots, first + PAGES_PER_TURN * PAGE_SLOTS) - first;
    const bytes = Buffer.alloc(count * SLOT_BYTES);
    this.#read(bytes, slotPosition(first), () => {
      const right = Buffer.alloc(bytes.length);
      for (let slot = 0; slot < count; slot += 1)
        right.writeInt32BE(this.#slots[first + slot]!, slot * SLOT_BYTES);
      if (!this.#isCurrent()) {
        this.#done(false);
        return;
      }
      const isSame = right.equals(bytes);
      try {
        if (!isSame) {
          this.#index.damaged(this.#file.path, 1);
          this.#opened().writeSync(right, slotPosition(first));
          this.#changed += 1;
        }
        if (!isSame || sums.checkSlots(name, page, right) !== "same") {
          sums.wroteSlots(name, page, right);
          this.#hasNoted = true;
        }
      } catch (error) {
        this.#failed(error as HostError);
        return;
      }
      this.#index.host.timers.afterTurn(() => this.#readSlots(page + PAGES_PER_TURN));
    });
  }

  #sync(): void {
    const { sums, name } = this.#file;
    const synced = (error?: HostError): void => {
      if (error === undefined) this.#finished();
      else this.#failed(error);
    };
    try {
      this.#opened().fdatasync("other", (error) => {
        if (error === undefined && this.#hasNoted) sums.sync(name, synced);
        else synced(error);
      });
    } catch (error) {
      this.#failed(error as HostError);
    }
  }

  #finished(): void {
    this.#index.logger.info(
      { file: this.#file.path, blocks: this.#changed },
      "an IndexFile was put right by the CommitLog",
    );
    this.#done(true);
  }
}

/** The items of one block, as the log says they are; what slots they follow is not known here. */
class BlockItems {
  readonly #bytes: Buffer;
  readonly #beginTimestamp: number;
  readonly #from: number;
  #skips: number;
  #at: number;
  /** The item behind the block; `undefined` when the log was not read so far. */
  next: { readonly hash: number; readonly position: number } | undefined;

  /** Items of `block` go into `bytes`; `skips` items of the record at `from` lie before it. */
  constructor(block: number, bytes: Buffer, { header }: IndexFile, from: number, skips: number) {
    this.#bytes = bytes;
    this.#beginTimestamp = header.beginTimestamp;
    this.#from = from;
    this.#skips = skips;
    this.#at = block === 0 ? ITEM_BYTES : 0;
    if (block === 0) bytes.fill(0, 0, ITEM_BYTES);
  }

  get isFull(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Takes whole records from `start` on; `true` when the block is full, and the item behind it known. */
  add(bytes: Buffer, start: number, keys: IndexKeys): boolean {
    for (let at = 0; bytes.length - at > 8; at += bytes.readInt32BE(at)) {
      const { topic, properties, sysFlag, storeTimestamp } = readDispatchFields(bytes, at, []);
      if (!isIndexed(sysFlag)) continue;
      const count = keys.collect(topic, properties);
      const position = start + at;
      for (let index = position === this.#from ? this.#skips : 0; index < count; index += 1) {
        const hash = keys.hashes[index]!;
        if (this.isFull) {
          this.next = { hash, position };
          return true;
        }
        this.#put(hash, position, storeTimestamp);
      }
    }
    return false;
  }

  #put(hash: number, position: number, timestamp: number): void {
    const seconds = Math.floor((timestamp - this.#beginTimestamp) / 1000);
    this.#bytes.writeInt32BE(hash, this.#at);
    writeInt64(this.#bytes, position, this.#at + 4);
    this.#bytes.writeInt32BE(Math.max(0, Math.min(seconds, 0x7fffffff)), this.#at + 12);
    this.#bytes.writeInt32BE(0, this.#at + 16);
    this.#at += ITEM_BYTES;
  }
}
