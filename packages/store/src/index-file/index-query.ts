/**
 * Finds messages by key (RocketMQ: DefaultMessageStore.queryMessage): walks the IndexFiles from the newest back,
 * along the chain of the key's slot, and reads the record of every item that could be meant. RocketMQ answers with
 * whatever has the same hash; here topic, key and time of the record itself decide. A file or record that cannot be
 * read does not end the query, but the result says that something may be missing.
 *
 *   an IndexFile → a block is not what was written → the file is put right (index-mend.ts), and looked at once more
 *                → that fails → the part of the log that the file is about is read instead
 */
import type { HostError } from "@orbitmq/host";
import { RecordField, readInt64 } from "@orbitmq/wire";
import { readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { KeyQuery, KeyQueryResult } from "../message-store.ts";
import { ColdAdmission } from "../reading/cold-admission.ts";
import type { RecordRead } from "../reading/stored-record.ts";
import { BLOCK_ITEMS, blockOfItem, type KnownBlocks } from "./index-checksums.ts";
import type { IndexFile } from "./index-file.ts";
import { hashOfKey, hasKey, type IndexType, isIndexed } from "./index-keys.ts";
import { ITEM_BYTES, itemPosition, SLOT_BYTES, slotPosition } from "./index-layout.ts";
import type { IndexLog } from "./index-log.ts";
import { IndexMend } from "./index-mend.ts";
import type { IndexService } from "./index-service.ts";
import { PAGE_SLOTS } from "./slot-table.ts";

/** Queries that walk at the same time. */
const QUERIES_MAX = 4;
/** Items one query looks at; a tag that every message carries makes chains as long as the log. */
const ITEMS_MAX = 4_000_000;
/** Bytes of records one query returns, except that the first may be larger. */
const BYTES_MAX = 8 * 1024 * 1024;
/** Blocks of items read together, since chains go back. */
const BLOCKS = 2;
/** Blocks whose checksums are read together. */
const KNOWN_BLOCKS = 512;
/** Items tell whole seconds: so far a header's times may be wrong without disagreeing with them. */
const HEADER_SLACK_MS = 1000;
/** Bytes of the log looked through per turn of the event loop. */
const LOG_BYTES = 256 * 1024;
/** Items looked at per turn of the event loop. */
const ITEMS_PER_TURN = 20_000;

/** Reads a record below the readable limit. */
export type ReadRecord = (position: number, done: RecordRead) => void;

export class IndexQuery {
  readonly index: IndexService;
  readonly read: ReadRecord;
  readonly log: IndexLog;
  readonly mend: IndexMend;
  readonly #admission = new ColdAdmission(QUERIES_MAX);

  constructor(index: IndexService, read: ReadRecord, log: IndexLog) {
    this.index = index;
    this.read = read;
    this.log = log;
    this.mend = new IndexMend(index, log);
  }

  find(query: KeyQuery, done: (result: KeyQueryResult) => void): void {
    if (!this.index.enabled || query.messagesMax <= 0 || query.beginMs > query.endMs) {
      done(this.#result([], true));
      return;
    }
    this.#admission.enter(() => {
      new Walk(this, query, (records, complete) => {
        this.#admission.leave();
        done(this.#result(records, complete));
      }).go();
    });
  }

  #result(slices: readonly Uint8Array[], complete: boolean): KeyQueryResult {
    const { timestamp, phyOffset } = this.index.lastUpdate;
    return {
      slices,
      complete,
      messageCount: slices.length,
      byteCount: slices.reduce((sum, slice) => sum + slice.length, 0),
      indexLastUpdateTimestamp: timestamp,
      indexLastUpdatePhyoffset: phyOffset,
      // Records are copies of their own.
      release: () => undefined,
    };
  }
}

class Walk {
  readonly #parts: IndexQuery;
  readonly #query: KeyQuery;
  readonly #indexType: IndexType;
  readonly #hash: number;
  readonly #done: (records: Uint8Array[], complete: boolean) => void;
  readonly #files: IndexFile[];
  readonly #seen = new Set<number>();
  readonly #found: { readonly position: number; readonly record: Uint8Array }[] = [];
  /** What the log of one file has, the newest last. */
  readonly #fromLog: { readonly position: number; readonly record: Uint8Array }[] = [];
  readonly #block = Buffer.allocUnsafe(BLOCKS * BLOCK_ITEMS * ITEM_BYTES);
  /** Items [blockStart, blockEnd) of `file` are in the block. */
  #blockStart = 0;
  #blockEnd = 0;
  /** Checksums of blocks of `file`, from `knownFrom` on. */
  #known: KnownBlocks | undefined;
  #knownFrom = 0;
  #file: IndexFile | undefined;
  /** The file was put right for this query. */
  #mended: IndexFile | undefined;
  #item = 0;
  #bytes = 0;
  #looked = 0;
  #complete = true;
  #isRunning = false;
  #again = false;

  constructor(parts: IndexQuery, query: KeyQuery, done: (records: Uint8Array[], complete: boolean) => void) {
    this.#parts = parts;
    this.#query = query;
    this.#indexType = query.indexType ?? "K";
    this.#hash = hashOfKey(query.topic, query.key, this.#indexType);
    this.#done = done;
    const { stalledAt } = parts.index;
    if (stalledAt !== undefined && stalledAt < parts.log.readable()) this.#complete = false;
    if (parts.index.unindexedTo > 0) this.#complete = false;
    this.#files = parts.index.files.filter(
      ({ header }) =>
        header.beginTimestamp - HEADER_SLACK_MS <= query.endMs &&
        header.endTimestamp + HEADER_SLACK_MS >= query.beginMs,
    );
  }

  /** Goes on until something has to be waited for; called again, from within too, when it has come. */
  go(): void {
    this.#again = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#again) {
      this.#again = false;
      this.#step();
    }
    this.#isRunning = false;
  }

  #step(): void {
    while (this.#found.length < this.#query.messagesMax && this.#looked < ITEMS_MAX) {
      const file = this.#file ?? this.#files.pop();
      if (file === undefined) break;
      if (this.#file === undefined) {
        if (!this.#enter(file)) return;
      }
      if (this.#item <= 0 || this.#item >= file.header.count) {
        this.#file = undefined;
        continue;
      }
      if (!this.#hasItem(file, this.#item)) {
        this.#load(file, this.#item);
        return;
      }
      this.#looked += 1;
      if (this.#looked === ITEMS_MAX) this.#complete = false;
      const candidate = this.#look(file);
      if (candidate >= 0) {
        this.#check(candidate);
        return;
      }
      if (this.#looked % ITEMS_PER_TURN === 0) {
        this.#parts.index.host.timers.afterTurn(() => this.go());
        return;
      }
    }
    this.#finish();
  }

  /** Finds the newest item of the key's slot; `false` when that has to be waited for. */
  #enter(file: IndexFile): boolean {
    this.#file = file;
    this.#blockEnd = 0;
    this.#known = undefined;
    const { sums, name, sizes, open } = file;
    const slot = this.#hash % sizes.slots;
    const known = open?.slots.peek(slot);
    if (known !== undefined) {
      this.#item = known;
      return true;
    }
    const page = Math.floor(slot / PAGE_SLOTS);
    const first = page * PAGE_SLOTS;
    const bytes = Buffer.allocUnsafe(Math.min(PAGE_SLOTS, sizes.slots - first) * SLOT_BYTES);
    this.#read(file, bytes, slotPosition(first), () => {
      sums.slots("cold", name, page, 1, (entries) => {
        if (file.trustsSlots(entries.check(0, bytes), bytes)) {
          this.#item = bytes.readInt32BE((slot - first) * SLOT_BYTES);
          this.go();
        } else if (file.open === undefined) this.#distrust(file);
        else {
          // Appending needs them, too.
          this.#item = file.open.slots.get(slot);
          this.go();
        }
      });
    });
    return false;
  }

  /** Looks at the current item and goes on to the one before it; returns the position of its record when that could be meant, else -1. */
  #look(file: IndexFile): number {
    const item = this.#item;
    const items = file.open?.items;
    let hash: number;
    let position: number;
    let seconds: number;
    let before: number;
    if (items !== undefined && item >= items.start) {
      hash = items.hashAt(item);
      position = items.positionAt(item);
      seconds = items.secondsAt(item);
      before = items.beforeAt(item);
    } else {
      const at = (item - this.#blockStart) * ITEM_BYTES;
      hash = this.#block.readInt32BE(at);
      position = readInt64(this.#block, at + 4);
      seconds = this.#block.readInt32BE(at + 12);
      before = this.#block.readInt32BE(at + 16);
    }
    // Java counts a file's first item from the end of the file before.
    const from = item === 1 ? file.header.beginTimestamp : file.header.beginTimestamp + seconds * 1000;
    // A second of slack: in the end the record's own time decides.
    this.#item = before < item && from + 2000 > this.#query.beginMs ? before : 0;
    if (hash !== this.#hash || from - 1000 > this.#query.endMs || from + 2000 < this.#query.beginMs)
      return -1;
    if (this.#seen.has(position)) return -1;
    this.#seen.add(position);
    return position;
  }

  #check(position: number): void {
    this.#parts.read(position, (record, reason, isGone) => {
      if (record === undefined && !isGone) {
        this.#complete = false;
        const { logger } = this.#parts.index;
        logger.error({ position, reason }, "a record cannot be read; a query by key goes on without it");
      } else if (record !== undefined && this.#isMeant(record)) this.#add(position, record);
      this.go();
    });
  }

  #add(position: number, record: Uint8Array): void {
    this.#bytes += record.length;
    if (this.#found.length > 0 && this.#bytes > BYTES_MAX) this.#looked = ITEMS_MAX;
    else this.#found.push({ position, record });
  }

  #isMeant(record: Uint8Array): boolean {
    const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
    const { topic, properties, storeTimestamp } = readDispatchFields(bytes, 0, []);
    const { key, beginMs, endMs } = this.#query;
    if (topic !== this.#query.topic || storeTimestamp < beginMs || storeTimestamp > endMs) return false;
    return hasKey(properties, key, this.#indexType);
  }

  #hasItem(file: IndexFile, item: number): boolean {
    if (file.open !== undefined && item >= file.open.items.start) return true;
    return item >= this.#blockStart && item < this.#blockEnd;
  }

  #load(file: IndexFile, item: number): void {
    const last = blockOfItem(item);
    const block = Math.max(0, last + 1 - BLOCKS);
    const start = block * BLOCK_ITEMS;
    const end = Math.min((last + 1) * BLOCK_ITEMS, file.open?.items.start ?? file.header.count);
    const bytes = this.#block.subarray(0, (end - start) * ITEM_BYTES);
    this.#blockEnd = 0;
    this.#read(file, bytes, itemPosition(file.sizes, start), () =>
      this.#checksums(file, block, last, (known) => {
        for (let at = block; at <= last; at += 1) {
          const each = bytes.subarray(
            (at - block) * BLOCK_ITEMS * ITEM_BYTES,
            (at + 1 - block) * BLOCK_ITEMS * ITEM_BYTES,
          );
          if (file.trusts(known.check(at - this.#knownFrom, each))) continue;
          this.#distrust(file);
          return;
        }
        this.#blockStart = start;
        this.#blockEnd = end;
        this.go();
      }),
    );
  }

  /** What is known of the blocks [block, last]; chains go back, so those before are read with them. */
  #checksums(file: IndexFile, block: number, last: number, then: (known: KnownBlocks) => void): void {
    if (this.#known !== undefined && block >= this.#knownFrom) {
      then(this.#known);
      return;
    }
    const from = Math.max(0, last + 1 - KNOWN_BLOCKS);
    file.sums.items("cold", file.name, from, last + 1 - from, (known) => {
      this.#known = known;
      this.#knownFrom = from;
      then(known);
    });
  }

  /** Reads from the file; what cannot be read is as good as damaged, unless the file has just been deleted. */
  #read(file: IndexFile, into: Buffer, position: number, then: () => void): void {
    const answer = (error: HostError | undefined, count: number): void => {
      if (error === undefined && count === into.length) then();
      else this.#distrust(file, error);
    };
    try {
      const opened = file.open?.file ?? this.#parts.index.cache.get(file.path);
      opened.read("cold", into, position, answer);
    } catch (error) {
      answer(error as HostError, 0);
    }
  }

  /** The file is not what was written: once it is put right it is looked at again, from its newest item. */
  #distrust(file: IndexFile, error?: HostError): void {
    const { index, mend } = this.#parts;
    this.#file = undefined;
    if (!index.files.includes(file)) {
      this.go();
      return;
    }
    if (error !== undefined)
      index.logger.error({ err: error, file: file.path }, "an IndexFile cannot be read");
    if (this.#mended === file) {
      this.#readLog(file, file.header.beginPhyOffset);
      return;
    }
    this.#mended = file;
    mend.mend(file, (isMended) => {
      if (!isMended) this.#readLog(file, file.header.beginPhyOffset);
      else {
        this.#files.push(file);
        this.go();
      }
    });
  }

  /** Looks through the records that the file is about, from `position` on. */
  #readLog(file: IndexFile, position: number): void {
    const { index, log } = this.#parts;
    const from = Math.max(position, log.start());
    if (from > file.header.endPhyOffset || !index.files.includes(file)) {
      this.#takeFromLog();
      this.go();
      return;
    }
    log.read(from, log.readable(), LOG_BYTES, (error, chunk) => {
      if (chunk === undefined || chunk.end === chunk.start) {
        const next = error === undefined ? undefined : log.passOver(from);
        if (next !== undefined) {
          index.host.timers.afterTurn(() => this.#readLog(file, next));
          return;
        }
        this.#complete = false;
        index.logger.error({ err: error, position: from }, "a query by key cannot go on in the CommitLog");
        this.#takeFromLog();
        this.go();
        return;
      }
      const bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.length);
      for (let at = 0; bytes.length - at > 8; at += bytes.readInt32BE(at))
        this.#takeIfMeant(bytes, at, chunk.start + at);
      const { end } = chunk;
      chunk.release();
      index.host.timers.afterTurn(() => this.#readLog(file, end));
    });
  }

  /** The newest of what the log had, as far as there is room. */
  #takeFromLog(): void {
    for (let each = this.#fromLog.pop(); each !== undefined; each = this.#fromLog.pop()) {
      if (this.#found.length >= this.#query.messagesMax) break;
      this.#add(each.position, each.record);
    }
    this.#fromLog.length = 0;
  }

  #takeIfMeant(bytes: Buffer, at: number, position: number): void {
    if (this.#seen.has(position)) return;
    const sysFlag = bytes.readInt32BE(at + RecordField.SYS_FLAG);
    const record = bytes.subarray(at, at + bytes.readInt32BE(at));
    if (!isIndexed(sysFlag) || !this.#isMeant(record)) return;
    this.#seen.add(position);
    this.#fromLog.push({ position, record: Uint8Array.from(record) });
    if (this.#fromLog.length > this.#query.messagesMax) this.#fromLog.shift();
  }

  #finish(): void {
    this.#found.sort((a, b) => a.position - b.position);
    this.#done(
      this.#found.map(({ record }) => record),
      this.#complete,
    );
  }
}
