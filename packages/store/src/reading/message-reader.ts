/**
 * Reads messages of a queue (RocketMQ: DefaultMessageStore.getMessage). What lies in the hot tail is found at
 * once and without a copy; older messages take the way over ConsumeQueue file and CommitLog blocks, in steps
 * that go on when the disk has answered.
 *
 * A record that came from disk is checked before it leaves, and a queue unit before it is believed. A record that
 * is not what its queue unit says is never served, and skipped only when an operator has said so: until then the
 * queue stands still there, and the log says where, file and offset.
 */
import type { Host, HostError } from "@orbitmq/host";
import { queueOffset } from "@orbitmq/host";
import type { HotTail } from "../commit-log/hot-tail.ts";
import type { Slab, SlabPool } from "../commit-log/slab.ts";
import { BLANK_UNIT_SIZE, type ConsumeQueue, UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import { FileUnits, type QueueUnits, type UnitRun } from "../consume-queue/queue-units.ts";
import type { Damages } from "../integrity/damages.ts";
import type { SkipList } from "../integrity/skip-list.ts";
import type { SkipWatch } from "../integrity/skip-watch.ts";
import type { GetRequest, GetResult, GetStatus } from "../message-store.ts";
import type { ResolvedStoreOptions } from "../store-options.ts";
import { ColdAdmission } from "./cold-admission.ts";
import type { ColdBlocks } from "./cold-blocks.ts";
import { StoredMessages } from "./get-result.ts";
import { type Expected, isPromised, whatIsWrong } from "./record-check.ts";
import type { UnitSettling } from "./unit-settling.ts";

/** How many of a queue's next blocks are looked at for one that is not in memory: this one, and the one after it. */
const BLOCKS_AHEAD = 2;
/** So near the end of the units in memory the ones behind them are read. */
const UNITS_LEFT = 1_000;
/** Catch-up pulls that hold memory at the same time. */
const COLD_READS_MAX = 16;

export interface ReaderParts {
  readonly tail: HotTail;
  readonly cold: ColdBlocks;
  readonly units: QueueUnits;
  /** End of the log: what "behind" is measured from. */
  readonly logEnd: () => number;
  /** First offset still stored. */
  readonly logStart: () => number;
  readonly settling: UnitSettling;
  readonly damages: Damages;
  readonly skips: SkipList;
  readonly skipWatch: SkipWatch;
}

export class MessageReader {
  readonly parts: ReaderParts;
  readonly options: ResolvedStoreOptions;
  readonly admission = new ColdAdmission(COLD_READS_MAX);
  /** Counts truncations; a read that one has overtaken starts again. */
  generation = 0;
  readonly #host: Pick<Host, "process">;

  constructor(host: Pick<Host, "process">, options: ResolvedStoreOptions, parts: ReaderParts) {
    this.options = options;
    this.parts = parts;
    this.#host = host;
  }

  /** Bytes from the log's end that count as in memory. */
  get memoryBytes(): number {
    return this.#host.process.totalMemoryBytes * (this.options.accessMessageInMemoryMaxRatio / 100);
  }

  /** Records from here on count as in memory by RocketMQ's measure. */
  get memoryFrom(): number {
    return this.parts.logEnd() - this.memoryBytes;
  }

  /** Whether a record counts as in memory by RocketMQ's measure. */
  countsAsInMemory(physicalOffset: number): boolean {
    return physicalOffset >= this.memoryFrom;
  }

  get(queue: ConsumeQueue | undefined, request: GetRequest, done: (result: GetResult) => void): void {
    const { offset } = request;
    if (queue === undefined) {
      done(new StoredMessages("NO_MATCHED_LOGIC_QUEUE", 0, 0, 0));
      return;
    }
    const { minOffset, end } = queue;
    let refused: GetStatus | undefined;
    let next = offset;
    if (end === 0) {
      refused = "NO_MESSAGE_IN_QUEUE";
      next = 0;
    } else if (offset < minOffset) {
      refused = "OFFSET_TOO_SMALL";
      next = minOffset;
    } else if (offset === end) {
      refused = "OFFSET_OVERFLOW_ONE";
    } else if (offset > end) {
      refused = "OFFSET_OVERFLOW_BADLY";
      next = end;
    }
    if (refused !== undefined) {
      done(new StoredMessages(refused, next, minOffset, end));
      return;
    }
    new GetRun(this, queue, request, done).step();
  }

  /** A message cannot be served for `reason`: it is said, and told whether consumers may go past it. */
  mayPass(queue: ConsumeQueue, offset: number, position: number, size: number, reason: string): boolean {
    const { damages, skips, skipWatch, cold, units } = this.parts;
    damages.corruptRecord(queue, offset, position, reason);
    // What the disk gives may be right the next time.
    if (position >= 0) cold.forget(position, Math.max(1, size));
    units.forget(queue);
    const entry = skips.find(position);
    if (entry !== undefined) damages.skipped(queue, offset, entry);
    else skipWatch.held(queue, position);
    return entry !== undefined;
  }
}

/** One read under way. */
class GetRun {
  readonly #reader: MessageReader;
  readonly #queue: ConsumeQueue;
  readonly #request: GetRequest;
  readonly #done: (result: GetResult) => void;
  readonly #end: number;
  readonly #generation: number;
  readonly #result: StoredMessages;
  #next: number;
  #lastPosition = 0;
  #status: GetStatus = "NO_MATCHED_MESSAGE";
  #admitted = false;
  /** Units read from the queue's file, kept while they are worked through: others may read elsewhere meanwhile. */
  #units: UnitRun | undefined;
  /** The block of the record before, within one `step`: most records lie in the same as their neighbours. */
  #block: Slab | undefined;
  readonly #memoryFrom: number;
  #expected: Expected | undefined;
  /** It ends at a message that cannot be served. */
  #isHeld = false;

  constructor(
    reader: MessageReader,
    queue: ConsumeQueue,
    request: GetRequest,
    done: (result: GetResult) => void,
  ) {
    this.#reader = reader;
    this.#queue = queue;
    this.#request = request;
    this.#done = done;
    this.#end = queue.end;
    this.#generation = reader.generation;
    this.#memoryFrom = reader.memoryFrom;
    this.#next = request.offset;
    this.#result = new StoredMessages("NO_MATCHED_MESSAGE", request.offset, queue.minOffset, queue.end);
  }

  step(): void {
    this.#block = undefined;
    const { units } = this.#reader.parts;
    const { maxFilterMessageSize } = this.#reader.options;
    const scanMax = Math.max(maxFilterMessageSize, this.#request.messagesMax * UNIT_BYTES) / UNIT_BYTES;
    const stopAt = Math.min(this.#end, this.#request.offset + Math.ceil(scanMax));
    while (this.#next < stopAt) {
      const run = this.#units ?? units.inMemory(this.#queue, this.#next);
      if (run === undefined) {
        this.#loadUnits();
        return;
      }
      this.#units = run === this.#queue ? undefined : run;
      const runEnd = Math.min(run.end, stopAt);
      while (this.#next < runEnd) {
        this.#takeRow(run, runEnd);
        if (this.#next === runEnd) break;
        const taken = this.#take(run, this.#next);
        if (taken === "again") continue;
        if (taken === "later") return;
        if (taken === "stop") {
          this.#finish(run);
          return;
        }
        this.#next += 1;
      }
      if (this.#next >= run.end) this.#units = undefined;
    }
    this.#finish(undefined);
  }

  /** Adds what lies in the block of the record before and needs no second look: nearly all of a backlog. */
  #takeRow(run: UnitRun, runEnd: number): void {
    const block = this.#block;
    const { matches, stopBefore, matchesRecord } = this.#request;
    if (block === undefined || !(run instanceof FileUnits)) return;
    if (matches !== undefined || stopBefore !== undefined || matchesRecord !== undefined) return;
    const { pool } = this.#reader.parts.cold;
    if (pool.pinnedBytes > this.#reader.options.pinnedBytesMax) return;
    const promise = this.#promise();
    const result = this.#result;
    const { start, end, view } = block;
    let offset = this.#next;
    for (; offset < runEnd && run.isUsable(offset); offset += 1) {
      const position = run.physicalOffsetAt(offset);
      const size = run.sizeAt(offset);
      if (position < start || size <= 0 || position + size > end) break;
      if (result.messageCount > 0 && this.#isFull(position, size)) break;
      if (!isPromised(view, position - start, size, position, offset, promise)) break;
      result.addView(pool, block, position, size);
      this.#lastPosition = position;
    }
    if (offset === this.#next) return;
    this.#next = offset;
    this.#status = "FOUND";
  }

  /** Handles the unit at `offset`: `next` when it is done with, `again` when it has become sure, `stop` when the result is complete, `later` when the disk is asked. */
  #take(run: UnitRun, offset: number): "next" | "again" | "stop" | "later" {
    if (run instanceof FileUnits) {
      if (!run.isSure(offset)) return this.#settle(run, offset);
      const lost = run.lostAt(offset);
      if (lost !== undefined) return this.#unreadable(offset, lost.position, 1, lost.reason);
    }
    const size = run.sizeAt(offset);
    if (size === BLANK_UNIT_SIZE) return "next";
    const position = run.physicalOffsetAt(offset);
    const result = this.#result;
    if (result.messageCount > 0 && this.#isFull(position, size)) return "stop";
    this.#lastPosition = position;
    const { matches, stopBefore } = this.#request;
    if (stopBefore?.(offset, run.tagsCodeAt(offset)) === true) return "stop";
    if (matches !== undefined && !matches(run.tagsCodeAt(offset))) return "next";
    if (size <= 0) return this.#unreadable(offset, position, 1, "its queue unit is empty");
    const { tail, cold, logStart } = this.#reader.parts;
    const same = this.#block;
    if (same !== undefined && position >= same.start && position + size <= same.end) {
      return this.#addChecked(same, position, size, offset);
    }
    const slab = tail.find(position);
    if (slab !== undefined && position + size <= slab.end) {
      return this.#add(tail.pool, slab, position, size);
    }
    if (position < logStart()) {
      if (result.messageCount === 0) this.#status = "MESSAGE_WAS_REMOVING";
      return "next";
    }
    if (!this.#admitted) return this.#admit();
    if (position + size > cold.blockEnd(cold.blockStart(position))) {
      return this.#assemble(offset, position, size);
    }
    const block = cold.cached(position, position + size);
    if (block === undefined) {
      cold.load(position, position + size, (error, end) => this.#loaded(error, end, offset, position, size));
      this.#readAhead(run, offset);
      return "later";
    }
    this.#block = block;
    return this.#addChecked(block, position, size, offset);
  }

  /** Adds a record that came from disk when it is the one that its unit promises. */
  #addChecked(block: Slab, position: number, size: number, offset: number): "next" | "stop" {
    const at = position - block.start;
    if (!isPromised(block.view, at, size, position, offset, this.#promise())) {
      const wrong = whatIsWrong(block.bytes, at, size, position, offset, this.#promise());
      if (wrong !== undefined) return this.#unreadable(offset, position, size, wrong);
    }
    return this.#add(this.#reader.parts.cold.pool, block, position, size);
  }

  /** What the records of this queue must say of themselves. */
  #promise(): Expected {
    this.#expected ??= { queueId: this.#queue.queueId, topicBytes: Buffer.from(this.#queue.topic) };
    return this.#expected;
  }

  #settle(run: FileUnits, offset: number): "again" | "later" {
    if (!this.#admitted) return this.#admit();
    let isOver = false;
    let isLater = false;
    this.#block = undefined;
    this.#reader.parts.settling.settle(this.#queue, run, offset, () => {
      isOver = true;
      if (isLater) this.#resume();
    });
    isLater = !isOver;
    return isOver ? "again" : "later";
  }

  #add(pool: SlabPool, slab: Slab, position: number, size: number): "next" {
    if (this.#request.matchesRecord?.(slab.bytes, position - slab.start, size) === false) return "next";
    if (pool.pinnedBytes <= this.#reader.options.pinnedBytesMax) {
      this.#result.addView(pool, slab, position, size);
    } else {
      const at = position - slab.start;
      this.#result.addCopy(Buffer.from(slab.bytes.subarray(at, at + size)));
    }
    this.#status = "FOUND";
    return "next";
  }

  #isFull(position: number, size: number): boolean {
    const { messageCount, byteCount } = this.#result;
    const { messagesMax, bytesMax } = this.#request;
    if (messageCount >= messagesMax || byteCount + size > bytesMax) return true;
    const { options } = this.#reader;
    if (position >= this.#memoryFrom) {
      return (
        byteCount + size > options.maxTransferBytesOnMessageInMemory ||
        messageCount >= options.maxTransferCountOnMessageInMemory
      );
    }
    return (
      byteCount + size > options.maxTransferBytesOnMessageInDisk ||
      messageCount >= options.maxTransferCountOnMessageInDisk
    );
  }

  #admit(): "later" {
    this.#reader.admission.enter(() => {
      this.#admitted = true;
      this.#resume();
    });
    return "later";
  }

  #loadUnits(): void {
    if (!this.#admitted) {
      this.#admit();
      return;
    }
    this.#reader.parts.units.load(this.#queue, this.#next, (error) => {
      if (error !== undefined && this.#next < this.#queue.minOffset) {
        // Its file went with the messages: those found before it are an answer, else the queue's new start is.
        if (this.#result.messageCount > 0) this.#finish(undefined);
        else this.#restart();
      } else if (error !== undefined && this.#generation === this.#reader.generation) {
        this.#settled(this.#unreadable(this.#next, -1, 0, `its queue unit cannot be read: ${error.message}`));
      } else this.#resume();
    });
  }

  #assemble(offset: number, position: number, size: number): "later" {
    this.#reader.parts.cold.assemble(position, size, (error, bytes) => {
      const isRemoved = position < this.#reader.parts.logStart();
      if (isRemoved || this.#generation !== this.#reader.generation) return this.#resume();
      const wrong = error?.message ?? whatIsWrong(bytes, 0, size, position, offset, this.#promise());
      if (wrong !== undefined) return this.#settled(this.#unreadable(offset, position, size, wrong));
      if (this.#request.matchesRecord?.(bytes, 0, size) !== false) {
        this.#result.addCopy(bytes);
        this.#status = "FOUND";
      }
      this.#next += 1;
      this.step();
    });
    return "later";
  }

  #loaded(error: HostError | undefined, end: number, offset: number, position: number, size: number): void {
    const isRemoved = position < this.#reader.parts.logStart();
    const isWhole = error === undefined && end >= position + size;
    // A block that was brought and is not there was forgotten for a neighbour's sake: it is asked for again.
    if (isWhole || isRemoved || this.#generation !== this.#reader.generation) this.#resume();
    else
      this.#settled(this.#unreadable(offset, position, 1, error?.message ?? "the CommitLog ends before it"));
  }

  /** A message cannot be served: the queue ends here for now, or goes on behind it. */
  #unreadable(offset: number, position: number, size: number, reason: string): "next" | "stop" {
    this.#block = undefined;
    if (this.#reader.mayPass(this.#queue, offset, position, size, reason)) return "next";
    if (this.#result.messageCount === 0) this.#status = "OFFSET_FOUND_NULL";
    this.#isHeld = true;
    this.#result.heldAt = position;
    return "stop";
  }

  /** Goes on with what `#unreadable` has said about the unit at `#next`. */
  #settled(what: "next" | "stop"): void {
    if (what === "stop") {
      this.#finish(undefined);
      return;
    }
    this.#next += 1;
    this.step();
  }

  /** Goes on after the disk has answered, or starts again when a truncation came between. */
  #resume(): void {
    if (this.#generation === this.#reader.generation) {
      this.step();
      return;
    }
    this.#restart();
  }

  #restart(): void {
    this.#result.release();
    this.#leave();
    this.#reader.get(this.#queue, this.#request, this.#done);
  }

  #finish(run: UnitRun | undefined): void {
    const result = this.#result;
    const { logEnd } = this.#reader.parts;
    result.status = this.#status;
    result.nextBeginOffset = queueOffset(this.#next);
    result.suggestPullingFromSlave = logEnd() - this.#lastPosition > this.#reader.memoryBytes;
    if (this.#admitted && run !== undefined && !this.#isHeld) this.#readAhead(run, this.#next);
    this.#leave();
    this.#done(result);
  }

  /**
   * Has the next block read that this queue needs from `offset` on and that is neither in memory nor asked for. Once
   * there is none, the next look is due where the reader comes into another block.
   */
  #readAhead(run: UnitRun, offset: number): void {
    const { tail, cold, units } = this.#reader.parts;
    const { matches } = this.#request;
    const end = Math.min(run.end, this.#end);
    if (offset >= end || !(run instanceof FileUnits)) return;
    if (end - offset < UNITS_LEFT) units.readAhead(this.#queue, run);
    const from = run.physicalOffsetAt(offset);
    if (from < run.aheadAt) return;
    for (let at = offset, blocks = 0; at < end && blocks < BLOCKS_AHEAD; blocks += 1) {
      while (matches !== undefined && at < end && !matches(run.tagsCodeAt(at))) at += 1;
      if (at === end) return;
      const position = run.physicalOffsetAt(at);
      if (position >= tail.start || cold.readAhead(position)) return;
      const next = cold.blockEnd(cold.blockStart(position));
      at = firstBehind(run, at + 1, end, next);
    }
    if (matches === undefined) run.aheadAt = cold.blockEnd(cold.blockStart(from));
  }

  #leave(): void {
    if (this.#admitted) this.#reader.admission.leave();
    this.#admitted = false;
  }
}

/** First offset in [low, high) whose record lies at or behind `position`; `high` when there is none. */
function firstBehind(run: UnitRun, low: number, high: number, position: number): number {
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (run.physicalOffsetAt(middle) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
