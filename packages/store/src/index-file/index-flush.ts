/**
 * Carries items from memory to the IndexFiles, in steps that either the event loop or a blocking caller executes.
 * The order is what a crash relies on: items and their checksums, then the state that vouches for them, then the slots
 * that name them, then the header that counts them. Slots are random writes all over 20 MB, so they follow in large strides
 * only; until then the items stand for them (IndexFile.redoSlots).
 *
 * A step that fails ends the flush; what it was to make durable counts as not written and is written again, with the
 * next round of the queues or, where nothing comes any more, by a timer.
 */
import type { HostError, OpenFile, TimerHandle } from "@orbitmq/host";
import { atOnce, type Slices } from "../slices.ts";
import { BLOCK_ITEMS, blockOfItem } from "./index-checksums.ts";
import type { IndexFile } from "./index-file.ts";
import { encodeHeader, type IndexHeader, ITEM_BYTES, itemPosition, slotPosition } from "./index-layout.ts";
import type { IndexService } from "./index-service.ts";
import type { IndexState } from "./index-state-file.ts";
import { PAGE_SLOTS } from "./slot-table.ts";

/** Items in a file whose slots are not on disk, beyond which slots are written: what a start may have to read. */
const SLOTS_DUE_ITEMS = 1_000_000;
const SLOTS_DUE_MS = 60_000;
/** Between a failure and the next try; twice as long each time. */
const RETRY_MS_MIN = 5_000;
const RETRY_MS_MAX = 60_000;
/** Pages of slots, or chunks of items, written per turn of the event loop. */
const SLOT_PAGES_PER_TURN = 64;
const CHUNKS_PER_TURN = 4;

type Step =
  | { readonly kind: "sync"; readonly file: OpenFile }
  | { readonly kind: "sums"; readonly name: string }
  | { readonly kind: "folder" }
  | { readonly kind: "state"; readonly state: IndexState }
  | { readonly kind: "turn" };

/** `due`: slots when it is time; `all`: everything, as an orderly stop leaves it. */
export type FlushExtent = "due" | "all";

export class IndexFlush {
  readonly #index: IndexService;
  readonly #fileCompleted: (endTimestamp: number) => void;
  #slotsMs: number;
  readonly #flushable: () => number | undefined;
  /** The steps that the event loop is executing. */
  #running: Generator<Step, void> | undefined;
  #retry: TimerHandle | undefined;
  #retryMs = RETRY_MS_MIN;

  /**
   * `fileCompleted` is told the time of the last message in a file that is full and on disk. After a failure
   * `flushable` says how far the index may be flushed by then: `undefined` for not at all.
   */
  constructor(
    index: IndexService,
    fileCompleted: (endTimestamp: number) => void,
    flushable: () => number | undefined,
  ) {
    this.#index = index;
    this.#fileCompleted = fileCompleted;
    this.#flushable = flushable;
    this.#slotsMs = index.host.clock.monotonicMs();
  }

  /** Brings the items of all records below `upTo`, which must be on disk, there as well. One at a time; `done` is called once. */
  run(upTo: number, done: () => void): void {
    const index = this.#index;
    if (!index.enabled || this.#running !== undefined) {
      done();
      return;
    }
    const steps = this.#steps(upTo, "due");
    this.#running = steps;
    const end = (error: HostError | undefined): void => {
      if (this.#running === steps) this.#running = undefined;
      if (error === undefined) this.#succeeded();
      else this.failed(error);
      done();
    };
    const resume = (error?: HostError): void => {
      if (this.#running !== steps) {
        done();
        return;
      }
      if (error !== undefined) {
        steps.return();
        end(error);
        return;
      }
      let next: IteratorResult<Step, void>;
      try {
        next = steps.next();
      } catch (failure) {
        end(failure as HostError);
        return;
      }
      if (next.done === true) end(undefined);
      else this.#execute(next.value, steps, resume);
    };
    resume();
  }

  /**
   * Deletes the IndexFiles whose last message lies below `minPhysicalOffset`, the log's first, except the newest;
   * for retention. They are gone a moment later. Returns how many.
   */
  deleteBefore(minPhysicalOffset: number): number {
    const count = this.#index.deleteBefore(minPhysicalOffset);
    if (count > 0) this.run(this.#index.indexedTo, () => undefined);
    return count;
  }

  /** It was tried and did not succeed: tried again after a while, whether there is more to flush by then or not. */
  failed(error: HostError): void {
    const { failure, logger, host } = this.#index;
    if (failure === undefined) logger.error({ err: error }, "the IndexFile cannot be written; trying again");
    this.#index.failure = error;
    if (this.#retry !== undefined) return;
    this.#retry = host.timers.after(this.#retryMs, this.#tryAgain);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
  }

  readonly #tryAgain = (): void => {
    this.#retry = undefined;
    // An index that has stalled is tried by who catches up.
    if (this.#index.failure === undefined || this.#index.stalledAt !== undefined) return;
    const upTo = this.#flushable();
    if (upTo !== undefined) this.run(upTo, () => undefined);
  };

  #succeeded(): void {
    this.#index.failure = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#retryMs = RETRY_MS_MIN;
  }

  /** Ends what the event loop is executing; what it was to make durable counts as not written. Nothing is tried again. */
  abort(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    const steps = this.#running;
    this.#running = undefined;
    steps?.return();
  }

  /** As `run`, blocking. Throws HostError. */
  runSync(upTo: number, extent: FlushExtent): void {
    atOnce(this.runSlices(upTo, extent));
  }

  /** As `runSync`, a step per slice; nothing else may touch the index between them. */
  *runSlices(upTo: number, extent: FlushExtent): Slices<void> {
    const index = this.#index;
    if (!index.enabled) return;
    this.abort();
    for (const step of this.#steps(upTo, extent)) {
      if (step.kind === "sync") step.file.fdatasyncSync();
      else if (step.kind === "sums") index.sums.syncSync(step.name);
      else if (step.kind === "folder") index.host.files.syncFolderSync(index.folder);
      else if (step.kind === "state") {
        index.stateFile.saveSync(step.state);
        index.stateSaved(step.state);
      }
      if (step.kind === "turn") yield;
    }
    this.#succeeded();
  }

  #execute(step: Step, steps: Generator<Step, void>, resume: (error?: HostError) => void): void {
    const { host, folder, stateFile, sums } = this.#index;
    if (step.kind === "sync") step.file.fdatasync("other", resume);
    else if (step.kind === "sums") sums.sync(step.name, resume);
    else if (step.kind === "folder") host.files.syncFolder(folder, resume);
    else if (step.kind === "turn") host.timers.afterTurn(() => resume());
    else {
      stateFile.save(step.state, (error) => {
        if (error === undefined && this.#running === steps) this.#index.stateSaved(step.state);
        resume(error);
      });
    }
  }

  *#steps(limit: number, extent: FlushExtent): Generator<Step, void> {
    const index = this.#index;
    // Looked at once: the index may catch up further while this is executed.
    const upTo = Math.min(limit, index.stalledAt ?? limit);
    // So are the files: one that is begun meanwhile is the next flush's, and no state may name it before.
    const newest = index.files.at(-1);
    for (const file of index.unfinished) {
      const header = yield* this.#items(file, upTo);
      if (header.count < file.sizes.items) {
        yield { kind: "state", state: index.stateWith(file, header, upTo) };
        const isDue = extent === "all" || this.#slotsAreDue(file);
        if (!isDue || (file.slotsSynced === header.count && file.open!.slots.changedPages === 0)) return;
        yield* this.#slots(file, header.count);
        yield { kind: "state", state: index.stateWith(file, header, upTo) };
        return;
      }
      // The next file may hold more keys of the last record here: the state goes up to that record only.
      yield { kind: "state", state: index.stateWith(file, header, header.endPhyOffset) };
      yield* this.#slots(file, header.count);
      file.open!.file!.closeSync();
      file.open = undefined;
      this.#fileCompleted(header.endTimestamp);
    }
    const header = newest?.header ?? NO_ITEMS;
    yield { kind: "state", state: index.stateWith(newest, header, upTo) };
  }

  /** Items of records below `upTo`; returns the header that counts them. */
  *#items(file: IndexFile, upTo: number): Generator<Step, IndexHeader> {
    const open = file.open!;
    const { items } = open;
    const end = file.countBelow(upTo);
    const header = file.headerAt(end);
    if (open.file === undefined) this.#index.make(file);
    if (!open.named) {
      yield { kind: "folder" };
      open.named = true;
    }
    if (end === file.synced) return header;
    for (let item = file.synced, chunks = 1; item < end; chunks += 1) {
      const bytes = items.bytes(item, end);
      open.file!.writeSync(bytes, itemPosition(file.sizes, item));
      this.#wroteItems(file, item, bytes);
      item += bytes.length / ITEM_BYTES;
      if (chunks % CHUNKS_PER_TURN === 0) yield { kind: "turn" };
    }
    yield { kind: "sync", file: open.file! };
    yield { kind: "sums", name: file.name };
    file.synced = end;
    items.release(end);
    return header;
  }

  #wroteItems({ open, name, sums }: IndexFile, from: number, bytes: Buffer): void {
    const { items } = open!;
    const first = blockOfItem(from);
    const to = from + bytes.length / ITEM_BYTES;
    const blocks: Buffer[] = [];
    for (let start = first * BLOCK_ITEMS; start < to; start += BLOCK_ITEMS) {
      const end = Math.min(to, start + BLOCK_ITEMS);
      blocks.push(
        start < from
          ? items.bytes(start, end)
          : bytes.subarray((start - from) * ITEM_BYTES, (end - from) * ITEM_BYTES),
      );
    }
    sums.wroteItems(name, first, blocks);
  }

  /** Slots as items below `count` make them, then the header. */
  *#slots(file: IndexFile, count: number): Generator<Step, void> {
    const { slots, items, file: opened } = file.open!;
    const taken: { readonly page: number; readonly pages: number }[] = [];
    let written = false;
    try {
      for (let from = 0; ; ) {
        const run = slots.takeChanged(from, SLOT_PAGES_PER_TURN, count, (item) => items.beforeAt(item));
        if (run === undefined) break;
        const { page, pages, bytes } = run;
        taken.push({ page, pages });
        opened!.writeSync(bytes, slotPosition(page * PAGE_SLOTS));
        file.sums.wroteSlots(file.name, page, bytes);
        from = page + pages;
        yield { kind: "turn" };
      }
      yield { kind: "sync", file: opened! };
      if (taken.length > 0) yield { kind: "sums", name: file.name };
      written = true;
    } finally {
      if (!written) for (const { page, pages } of taken) slots.putBack(page, pages);
    }
    const header = file.headerAt(count);
    opened!.writeSync(encodeHeader(header), 0);
    file.sums.wroteHeader(file.name, header);
    yield { kind: "sync", file: opened! };
    file.slotsSynced = count;
    this.#slotsMs = this.#index.host.clock.monotonicMs();
  }

  #slotsAreDue(file: IndexFile): boolean {
    if (file.open!.slots.changedPages === 0) return false;
    if (file.synced - file.slotsSynced >= SLOTS_DUE_ITEMS) return true;
    return this.#index.host.clock.monotonicMs() - this.#slotsMs >= SLOTS_DUE_MS;
  }
}

const NO_ITEMS: IndexHeader = {
  beginTimestamp: 0,
  endTimestamp: 0,
  beginPhyOffset: 0,
  endPhyOffset: 0,
  usedSlots: 0,
  count: 1,
};
