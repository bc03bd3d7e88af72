/**
 * Finds messages by key (RocketMQ: DefaultMessageStore.queryMessage): walks the IndexFiles from the newest back,
 * along the chain of the key's slot, and reads the record of every item that could be meant. RocketMQ answers with
 * whatever has the same hash; here topic, key and time of the record itself decide. A file or record that cannot be
 * read does not end the query, but the result says that something may be missing.
 */
import type { HostError } from "@orbitmq/host";
import { readInt64 } from "@orbitmq/wire";
import { readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { KeyQuery, KeyQueryResult } from "../message-store.ts";
import { ColdAdmission } from "../reading/cold-admission.ts";
import type { RecordRead } from "../reading/stored-record.ts";
import type { IndexFile } from "./index-file.ts";
import { hashOfKey, hasKey, type IndexType } from "./index-keys.ts";
import { ITEM_BYTES, itemPosition, slotPosition } from "./index-layout.ts";
import type { IndexService } from "./index-service.ts";

/** Queries that walk at the same time. */
const QUERIES_MAX = 4;
/** Items one query looks at; a tag that every message carries makes chains as long as the log. */
const ITEMS_MAX = 4_000_000;
/** Bytes of records one query returns, except that the first may be larger. */
const BYTES_MAX = 8 * 1024 * 1024;
/** Items read together, since chains go back. */
const BLOCK_ITEMS = 512;
/** Items looked at per turn of the event loop. */
const ITEMS_PER_TURN = 20_000;

/** Reads a record below the readable limit. */
export type ReadRecord = (position: number, done: RecordRead) => void;

export class IndexQuery {
  readonly index: IndexService;
  readonly read: ReadRecord;
  readonly #admission = new ColdAdmission(QUERIES_MAX);

  constructor(index: IndexService, read: ReadRecord) {
    this.index = index;
    this.read = read;
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
  readonly #block = Buffer.allocUnsafe(BLOCK_ITEMS * ITEM_BYTES);
  /** Items [blockStart, blockEnd) of `file` are in the block. */
  #blockStart = 0;
  #blockEnd = 0;
  #file: IndexFile | undefined;
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
    this.#files = parts.index.files.filter(
      ({ header }) => header.beginTimestamp <= query.endMs && header.endTimestamp >= query.beginMs,
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
        this.#file = file;
        this.#blockEnd = 0;
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
    const slot = this.#hash % file.sizes.slots;
    const known = file.open?.slots.peek(slot);
    if (known !== undefined) {
      this.#item = known;
      return true;
    }
    const bytes = Buffer.allocUnsafe(4);
    this.#read(file, bytes, slotPosition(slot), () => {
      this.#item = bytes.readInt32BE(0);
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
      } else if (record !== undefined && this.#isMeant(record)) {
        this.#bytes += record.length;
        if (this.#found.length > 0 && this.#bytes > BYTES_MAX) {
          this.#looked = ITEMS_MAX;
        } else this.#found.push({ position, record });
      }
      this.go();
    });
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
    const start = Math.max(1, item + 1 - BLOCK_ITEMS);
    const bytes = this.#block.subarray(0, (item + 1 - start) * ITEM_BYTES);
    this.#blockEnd = 0;
    this.#read(file, bytes, itemPosition(file.sizes, start), () => {
      this.#blockStart = start;
      this.#blockEnd = item + 1;
    });
  }

  /** Reads from the file, then goes on; what cannot be read ends the file: it may just have been deleted. */
  #read(file: IndexFile, into: Buffer, position: number, then: () => void): void {
    const { index } = this.#parts;
    const answer = (error: HostError | undefined, count: number): void => {
      if (error === undefined && count === into.length) then();
      else {
        if (index.files.includes(file)) {
          this.#complete = false;
          index.logger.error(
            { err: error, file: file.path },
            "an IndexFile cannot be read; a query by key goes on without it",
          );
        }
        this.#file = undefined;
      }
      this.go();
    };
    try {
      const opened = file.open?.file ?? index.cache.get(file.path);
      opened.read("cold", into, position, answer);
    } catch (error) {
      answer(error as HostError, 0);
    }
  }

  #finish(): void {
    this.#found.sort((a, b) => a.position - b.position);
    this.#done(
      this.#found.map(({ record }) => record),
      this.#complete,
    );
  }
}
