/**
 * MessageStore on files (RocketMQ: DefaultMessageStore): the store's life, and its doors to the parts in
 * engine.ts.
 *
 *   new → starting → running → stopped
 *   starting → new            the start was refused; it may be tried again
 *   starting → stopped        stopped before it was over
 *   running → failed → stopped   a write or sync of the log failed: reads go on, nothing is written any more
 */
import {
  assert,
  type FileLock,
  type HistogramValue,
  type Host,
  HostError,
  type Logger,
  type PhysicalOffset,
  physicalOffset,
  type QueueOffset,
  queueOffset,
} from "@orbitmq/host";
import { RecordField, type RecordSource, readInt64 } from "@orbitmq/wire";
import type { ChunkRead, TailFollower, TailOptions, TailSubscription } from "./commit-log/log-tail.ts";
import { Engine, type Refusal } from "./engine.ts";
import type {
  AppendResult,
  AppendWaiter,
  ArrivalListener,
  Durability,
  GetRequest,
  GetResult,
  KeyQuery,
  KeyQueryResult,
  MessageStore,
  RemovalGuard,
  RemovalListener,
  StoreStatus,
} from "./message-store.ts";
import { StoredMessages } from "./reading/get-result.ts";
import { type KeyIndexSpan, type LogPlace, lookAtPlace } from "./reading/log-place.ts";
import type { RecordRead } from "./reading/stored-record.ts";
import { searchByTime } from "./reading/time-search.ts";
import { rebuildWhileOpen } from "./recovery/queue-rebuild.ts";
import { truncateLog } from "./recovery/truncation.ts";
import type { DiskUseReport } from "./retention/disk-use.ts";
import type { RemovedRange } from "./retention/queue-survey.ts";
import { retentionRules } from "./retention/retention-policy.ts";
import { deleteTopics } from "./retention/topic-deletion.ts";
import { SlicedWork, type Slices } from "./slices.ts";
import { StoreError } from "./store-error.ts";
import { type Opened, openStore } from "./store-opening.ts";
import {
  type ResolvedStoreOptions,
  type RuntimeStoreOptions,
  resolveStoreOptions,
  type StoreOptions,
} from "./store-options.ts";

/** Log bytes whose queue units are not on disk yet, beyond which appends are refused: queue files cannot be written. */
const QUEUES_BEHIND_BYTES_MAX = 1024 * 1024 * 1024;

/** What work in slices meets when the store is stopped. */
const STOPPED_WORK = new StoreError("STATE", "the store is being stopped");

const STOPPED: Refusal = { reason: "STORE_STOPPED", remark: "the store is not running" };

export class FileMessageStore implements MessageStore {
  readonly options: ResolvedStoreOptions;
  readonly #host: Host;
  readonly #logger: Logger;
  readonly #arrivals: ArrivalListener[] = [];
  readonly #removalListeners: RemovalListener[] = [];
  readonly #removalGuards: RemovalGuard[] = [];
  readonly #failureListeners: ((error: Error) => void)[] = [];
  #engine: Engine;
  #state: "new" | "starting" | "running" | "failed" | "stopped" = "new";
  #failure: StoreError | undefined;
  #lock: FileLock | undefined;
  #isNew = false;
  #stoppedCleanly: boolean | undefined;
  /** A truncation, or a building of queues, under way. */
  #cutting: Promise<void> | undefined;
  #rebuildWanted = false;
  #stopping: Promise<void> | undefined;
  #starting: Promise<unknown> | undefined;
  /** What is done in slices: the opening, later a building of queues. */
  readonly #work: SlicedWork;

  /** Touches nothing before `start`. Throws StoreError ILLEGAL_OPTION. */
  constructor(host: Host, options: StoreOptions, logger: Logger) {
    this.#host = host;
    this.options = resolveStoreOptions(options);
    this.#logger = logger;
    this.#work = new SlicedWork(host.timers);
    this.#engine = this.#newEngine();
  }

  start(): Promise<void> {
    const started = this.#start();
    this.#starting ??= Promise.allSettled([started]);
    return started;
  }

  async #start(): Promise<void> {
    if (this.#state !== "new") throw new StoreError("STATE", `the store is ${this.#state}, it cannot start`);
    this.#state = "starting";
    try {
      const { lock, kind } = await this.#open();
      this.#lock = lock;
      this.#isNew = kind === "new";
      this.#logger.info(
        {
          home: this.options.home,
          kind,
          messages: this.#engine.messageCount,
          end: this.#engine.log.appended,
        },
        "the store is open",
      );
    } catch (error) {
      this.#engine = this.#newEngine();
      this.#failure = undefined;
      this.#state = "new";
      this.#starting = undefined;
      throw error;
    }
    for (const listener of this.#arrivals) this.#engine.dispatch.subscribe(listener);
    this.#state = "running";
    this.#engine.retention.begin();
    // Found while it was opening.
    if (this.#rebuildWanted) this.#rebuildSoon();
  }

  #open(): Promise<Opened> {
    return new Promise((resolve, reject) => {
      this.#work.run(openStore(this.#engine), (error, opened) => {
        if (opened === undefined) reject(error);
        else resolve(opened);
      });
    });
  }

  stop(inTime: () => boolean = () => true): Promise<void> {
    this.#stopping ??= this.#stop(inTime);
    return this.#stopping;
  }

  append(message: RecordSource, durability: Durability, waiter: AppendWaiter): AppendResult {
    const refusal = this.#refusal();
    if (refusal !== undefined) return { status: "refused", ...refusal };
    return this.#engine.appender.append(message, durability, waiter);
  }

  appendBatch(messages: readonly RecordSource[], durability: Durability, waiter: AppendWaiter): AppendResult {
    const refusal = this.#refusal();
    if (refusal !== undefined) return { status: "refused", ...refusal };
    return this.#engine.appender.appendBatch(messages, durability, waiter);
  }

  appendAt(
    offset: PhysicalOffset,
    records: Uint8Array,
    durability: Durability,
    waiter: AppendWaiter,
  ): AppendResult {
    const refusal = this.#refusal();
    if (refusal !== undefined) return { status: "refused", ...refusal };
    return this.#engine.appender.appendAt(offset, records, durability, waiter);
  }

  truncateTo(offset: PhysicalOffset): Promise<void> {
    const engine = this.#engine;
    if (this.#state !== "running" || this.#cutting !== undefined || this.#stopping !== undefined) {
      return Promise.reject(new StoreError("STATE", "the store is not running, or already being cut"));
    }
    if (offset < engine.segments.minOffset || offset > engine.log.appended) {
      return Promise.reject(new StoreError("STATE", `${offset} does not lie in the log`));
    }
    return this.#exclusively(() => truncateLog(engine, offset));
  }

  get(request: GetRequest, done: (result: GetResult) => void): void {
    if (!this.#isOpen()) {
      done(new StoredMessages("OFFSET_FOUND_NULL", request.offset, 0, 0));
      return;
    }
    this.#engine.reader.get(this.#engine.table.find(request.topic, request.queueId), request, done);
  }

  recordAt(offset: number, done: (record: Uint8Array | undefined, isDamaged: boolean) => void): void {
    const read: RecordRead = (record, _reason, _isGone, isDamaged) => done(record, isDamaged);
    if (this.#isOpen()) this.#engine.lookup.record(offset, this.#engine.dispatch.dispatched, read);
    else done(undefined, false);
  }

  placeAt(position: number, done: (place: LogPlace) => void): void {
    const { lookup, segments, dispatch } = this.#engine;
    if (this.#isOpen()) lookAtPlace(lookup, segments, position, dispatch.dispatched, done);
    else done({ state: "unreadable", reason: "the store is not open" });
  }

  readLog(position: number, bytesMax: number, done: ChunkRead): void {
    if (!this.#isOpen()) done(new HostError("EIO", "the store is not open"), undefined);
    else this.#engine.logTail.read(position, this.#engine.dispatch.dispatched, bytesMax, done);
  }

  recordBehind(position: number, done: (position: number | undefined) => void): void {
    if (!this.#isOpen()) done(undefined);
    else this.#engine.logTail.behind(position, this.#engine.dispatch.dispatched, done);
  }

  queryByKey(query: KeyQuery, done: (result: KeyQueryResult) => void): void {
    const isOpen = this.#isOpen();
    const messagesMax = isOpen ? Math.min(query.messagesMax, this.options.maxMsgsNumBatch) : 0;
    const closed = (result: KeyQueryResult) => done({ ...result, complete: false });
    const from = this.#engine.deleted.positionOf(query.topic);
    const found = (result: KeyQueryResult) => done(from === 0 ? result : withoutDeleted(result, from));
    this.#engine.indexQuery.find({ ...query, messagesMax }, isOpen ? found : closed);
  }

  keyIndexSpan(): KeyIndexSpan {
    const { enabled, files } = this.#engine.index;
    return {
      enabled,
      behindBytes: this.#indexBehind(),
      fromMs: files[0]?.header.beginTimestamp ?? 0,
    };
  }

  minOffset(topic: string, queueId: number): QueueOffset {
    return queueOffset(this.#engine.table.find(topic, queueId)?.minOffset ?? 0);
  }

  readableEnd(topic: string, queueId: number): QueueOffset {
    return queueOffset(this.#engine.table.find(topic, queueId)?.end ?? 0);
  }

  offsetByTime(
    topic: string,
    queueId: number,
    timestampMs: number,
    boundary: "lower" | "upper",
    done: (offset: QueueOffset) => void,
  ): void {
    const queue = this.#engine.table.find(topic, queueId);
    if (queue === undefined || !this.#isOpen()) done(queueOffset(0));
    else {
      searchByTime(this.#engine.lookup, queue, timestampMs, boundary, (offset) => done(queueOffset(offset)));
    }
  }

  storeTimestampAt(
    topic: string,
    queueId: number,
    offset: number,
    done: (timestampMs: number) => void,
  ): void {
    const queue = this.#engine.table.find(topic, queueId);
    if (queue === undefined || !this.#isOpen()) done(-1);
    else this.#engine.lookup.timestamp(queue, offset, done);
  }

  isInMemory(topic: string, queueId: number, offset: number): boolean {
    const queue = this.#engine.table.find(topic, queueId);
    if (queue === undefined || offset < queue.minOffset || offset >= queue.end) return false;
    const run = this.#engine.units.inMemory(queue, offset);
    // A unit that has left memory: its record lies before every one that has not.
    const position = run?.physicalOffsetAt(offset) ?? this.#engine.segments.minOffset;
    return this.#engine.reader.countsAsInMemory(position);
  }

  queuesOf(topic: string): readonly number[] {
    return this.#engine.table.queueIds(topic);
  }

  topics(): readonly string[] {
    const { table, deleted } = this.#engine;
    return table.topics().filter((topic) => {
      if (deleted.positionOf(topic) === 0) return true;
      return table.queueIds(topic).some((queueId) => {
        const { minOffset, end } = table.find(topic, queueId)!;
        return minOffset < end;
      });
    });
  }

  deleteTopics(topics: readonly string[], done: (error: Error | undefined) => void): void {
    const engine = this.#engine;
    if (this.#state !== "running" || this.#cutting !== undefined || this.#stopping !== undefined) {
      const error = new StoreError("STATE", "the store is not running, or its log is being cut");
      this.#host.timers.afterTurn(() => done(error));
      return;
    }
    let refused: HostError | undefined;
    const note = (error: HostError): void => {
      refused = error;
    };
    this.#exclusively(() => deleteTopics(engine, topics, note)).then(
      () => {
        const remark = `what is deleted cannot be written: ${refused?.message}`;
        done(refused === undefined ? undefined : new StoreError("IO", remark, { cause: refused }));
      },
      (error: unknown) => done(error as Error),
    );
  }

  deleteExpiredFiles(): void {
    if (this.#state === "running" && this.#stopping === undefined) this.#engine.retention.deleteExpired();
  }

  cleanExpiredConsumeQueues(): void {
    if (this.#state === "running" && this.#stopping === undefined) this.#engine.queueFileCleaner.clean();
  }

  guardRemoval(guard: RemovalGuard): void {
    this.#removalGuards.push(guard);
  }

  onRemoval(listener: RemovalListener): void {
    this.#removalListeners.push(listener);
  }

  releaseSpace(): boolean {
    return this.#isOpen() && this.#engine.releaseSpace();
  }

  changeOptions(changes: RuntimeStoreOptions): void {
    const changed = resolveStoreOptions({ ...this.options, ...changes });
    retentionRules(changed);
    // The store's parts share the one object.
    Object.assign(this.options, changes);
    this.#engine.retention.rulesChanged();
  }

  diskUse(done: (error: Error | undefined, report: DiskUseReport | undefined) => void): void {
    this.#engine.diskUse.measure(done);
  }

  subscribeArrivals(listener: ArrivalListener): void {
    this.#arrivals.push(listener);
    // Those that come before the store is open are told by its start.
    if (this.#isOpen()) this.#engine.dispatch.subscribe(listener);
  }

  /** Follows the log from `position` on, as far as consumers may see it, for replication; see TailOptions. */
  subscribeTail(
    position: PhysicalOffset,
    follower: TailFollower,
    options: TailOptions = {},
  ): TailSubscription {
    assert(this.#isOpen(), "the store is open");
    return this.#engine.logTail.subscribe(position, follower, options);
  }

  onFailed(listener: (error: Error) => void): void {
    if (this.#failure === undefined) this.#failureListeners.push(listener);
    else listener(this.#failure);
  }

  status(): StoreStatus {
    const { segments, writer, dispatch, appender, index, mark } = this.#engine;
    return {
      state: this.#state === "new" ? "starting" : this.#state,
      refusal:
        this.#refusal() ?? (this.#engine.zeros.full === undefined ? undefined : this.#engine.noSpace()),
      minOffset: physicalOffset(segments.minOffset),
      flushedOffset: physicalOffset(writer.flushed),
      writtenOffset: physicalOffset(writer.written),
      readableLimit: physicalOffset(dispatch.dispatched),
      recoversFrom: physicalOffset(mark.savedTo),
      recoversFromAfterKill: physicalOffset(mark.notedTo),
      messageCount: this.#engine.messageCount,
      lastStoreTimestamp: appender.lastStoreTimestamp,
      isNew: this.#isNew,
      stoppedCleanly: this.#stoppedCleanly,
      integrity: this.#engine.damages.status,
      keyIndex: {
        behindBytes: this.#indexBehind(),
        stalls: index.stalls,
      },
      opening: this.#state === "starting" ? this.#engine.opening?.latest : undefined,
    };
  }

  get syncLatencyMs(): HistogramValue {
    return this.#engine.writer.syncLatencyMs;
  }

  #indexBehind(): number {
    const { dispatch, index } = this.#engine;
    return Math.max(0, dispatch.dispatched - (index.stalledAt ?? dispatch.dispatched));
  }

  #newEngine(): Engine {
    const engine = new Engine(this.#host, this.options, this.#logger, {
      failed: (error) => this.#failed(error),
      queueDamaged: () => this.#rebuildSoon(),
    });
    engine.announceRemoval = (ranges) => this.#announceRemoval(ranges);
    engine.mayGo = (limit, done) => this.#askGuards(limit, 0, done);
    return engine;
  }

  #isOpen(): boolean {
    return this.#state === "running" || this.#state === "failed";
  }

  /** Why nothing can be appended now; `undefined` when it can. */
  #refusal(): Refusal | undefined {
    if (this.#state === "failed") {
      return { reason: "STORE_FAILED", remark: `the store has stopped writing: ${this.#failure?.message}` };
    }
    if (this.#state !== "running" || this.#stopping !== undefined) return STOPPED;
    if (this.#cutting !== undefined)
      return { reason: "BUSY", remark: "the log is being cut, or queues are built again" };
    const { log, writer, dispatch, index, queueFlush } = this.#engine;
    if (log.appended - writer.flushed > this.options.unflushedBytesMax) {
      return { reason: "BUSY", remark: "the disk is slower than the senders" };
    }
    const { full } = this.#engine.retention;
    if (full !== undefined) {
      const usedPercent = Math.round(full.usedRatio * 1000) / 10;
      const remark = `the disk of ${full.folder} is ${usedPercent} % full (diskSpaceWarningLevelRatio); reads go on`;
      return { reason: "DISK_FULL", remark };
    }
    if (dispatch.dispatched - queueFlush.flushedTo > QUEUES_BEHIND_BYTES_MAX) {
      return { reason: "BUSY", remark: "the ConsumeQueues cannot be written; see the log" };
    }
    if (index.isBehind) return { reason: "BUSY", remark: "the disk is slower than the index of keys grows" };
    return undefined;
  }

  #failed(cause: HostError): void {
    if (this.#state === "running") this.#state = "failed";
    this.#failure = new StoreError("IO", `the CommitLog cannot be written: ${cause.message}`, { cause });
    this.#logger.fatal({ err: this.#failure }, "the store has stopped writing; reads go on");
    for (const listener of this.#failureListeners.splice(0)) {
      try {
        listener(this.#failure);
      } catch (error) {
        this.#logger.error({ err: error }, "a listener for the store's failure threw");
      }
    }
  }

  /** One after the other: each may append what it needs. */
  #askGuards(limit: number, index: number, done: (mayGo: boolean) => void): void {
    const guard = this.#removalGuards[index];
    if (guard === undefined) done(true);
    else guard(limit, (mayGo) => (mayGo ? this.#askGuards(limit, index + 1, done) : done(false)));
  }

  #announceRemoval(ranges: readonly RemovedRange[]): void {
    if (ranges.length === 0) return;
    const removed = ranges.map(({ queue: { topic, queueId }, from, to }) => ({
      topic,
      queueId,
      from: queueOffset(from),
      to: queueOffset(to),
    }));
    for (const listener of this.#removalListeners) {
      try {
        listener.messagesRemoved(removed);
      } catch (error) {
        this.#logger.error({ err: error }, "a listener for removed messages threw");
      }
    }
  }

  /** Does `work` while nothing is written or appended. Its failure stops the store's writing, being stopped does not. */
  #exclusively(work: () => Slices<void> | void): Promise<void> {
    const engine = this.#engine;
    engine.isCutting = true;
    const done = new Promise<void>((resolve, reject) => {
      engine.writer.hold(() => {
        if (engine.writer.failed) {
          reject(this.#failure ?? new StoreError("IO", "the disk has failed"));
          return;
        }
        const ended = (error: unknown): void => {
          // Half of it in memory and on disk: only recovery may touch the store now, and finishes it.
          if (error !== undefined && error !== STOPPED_WORK && !engine.writer.failed) {
            engine.writer.fail(error as HostError);
          }
          engine.writer.resume();
          if (error === undefined) resolve();
          else reject(error);
        };
        try {
          const slices = work();
          if (slices === undefined) ended(undefined);
          else this.#work.run(slices, ended);
        } catch (error) {
          ended(error);
        }
      });
    });
    const cutting = done.finally(() => {
      this.#cutting = undefined;
      engine.isCutting = false;
      if (this.#rebuildWanted) this.#rebuildSoon();
    });
    this.#cutting = cutting;
    return cutting;
  }

  /** A queue's files were found damaged, maybe amid a read or a write: at the end of this turn it is built again. */
  #rebuildSoon(): void {
    this.#rebuildWanted = true;
    this.#host.timers.afterTurn(() => {
      if (!this.#rebuildWanted || this.#state !== "running") return;
      if (this.#cutting !== undefined || this.#stopping !== undefined) return;
      const engine = this.#engine;
      const rebuilt = () => {
        this.#rebuildWanted = false;
      };
      const isStopping = () => this.#stopping !== undefined;
      const rebuild = function* (): Slices<void> {
        if (isStopping()) throw STOPPED_WORK;
        yield* rebuildWhileOpen(engine);
        rebuilt();
      };
      this.#exclusively(rebuild).catch((error) => {
        if (error === STOPPED_WORK) this.#logger.info({}, "ConsumeQueues are built again by the next start");
        else
          this.#logger.error({ err: error }, "ConsumeQueues cannot be built again; the next start tries it");
      });
    });
  }

  async #stop(inTime: () => boolean): Promise<void> {
    this.#work.stop(STOPPED_WORK);
    if (this.#state === "starting") await this.#starting;
    await Promise.allSettled([this.#cutting]);
    const engine = this.#engine;
    engine.retention.close();
    engine.queueFileCleaner.close();
    if (this.#isOpen()) {
      engine.queueFlush.close();
      await new Promise<void>((resolve) => engine.writer.hold(resolve));
      this.#close(inTime);
    }
    this.#state = "stopped";
  }

  /** The log is held, or has failed. */
  #close(inTime: () => boolean): void {
    const engine = this.#engine;
    this.#stoppedCleanly = false;
    try {
      if (!engine.writer.failed && inTime()) {
        engine.closeInOrder(inTime);
        this.#stoppedCleanly = true;
      }
    } catch (error) {
      this.#logger.error(
        { err: error },
        "the store could not be closed in order: the next start recovers it",
      );
    }
    engine.writtenGate.fail(0);
    engine.flushedGate.fail(0);
    engine.closeFiles();
    this.#lock?.release();
  }
}

/** Without the records below `from`. */
function withoutDeleted(result: KeyQueryResult, from: number): KeyQueryResult {
  const slices = result.slices.filter((record) => {
    const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
    return readInt64(bytes, RecordField.PHYSICAL_OFFSET) >= from;
  });
  const byteCount = slices.reduce((sum, slice) => sum + slice.length, 0);
  return { ...result, slices, messageCount: slices.length, byteCount };
}

/**
 * Makes the store; nothing is touched before `start()`. With `store: "memory"` the files of `host` are expected to
 * live in memory, and buffers are kept small. Throws StoreError ILLEGAL_OPTION.
 */
export function openMessageStore(host: Host, options: StoreOptions, logger: Logger): FileMessageStore {
  return new FileMessageStore(host, options, logger);
}
