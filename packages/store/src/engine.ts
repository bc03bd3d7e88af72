/**
 * The parts of an open store and how positions travel between them. Appends go down through appender, log and
 * writer to the disk; what has become durable comes back up: readable limit → dispatch → queues → arrivals, then
 * queue files, mark and checkpoint behind it.
 */
import type { Host, HostError, Logger } from "@orbitmq/host";
import { AckGate } from "./commit-log/ack-gate.ts";
import { Appender } from "./commit-log/appender.ts";
import { CommitLog } from "./commit-log/commit-log.ts";
import { HotTail } from "./commit-log/hot-tail.ts";
import { LogFolders } from "./commit-log/log-folders.ts";
import { LogTail } from "./commit-log/log-tail.ts";
import { LogWriter } from "./commit-log/log-writer.ts";
import { SegmentSet } from "./commit-log/segment-set.ts";
import { SlabPool } from "./commit-log/slab.ts";
import { ZeroAhead } from "./commit-log/zero-ahead.ts";
import type { ConsumeQueue } from "./consume-queue/consume-queue.ts";
import { ConsumeQueueFiles } from "./consume-queue/consume-queue-files.ts";
import { QueueCheck } from "./consume-queue/queue-check.ts";
import { QueueFlush, type QueueFlushSource } from "./consume-queue/queue-flush.ts";
import { QueueTable } from "./consume-queue/queue-table.ts";
import { QueueTableFile, type QueueTableHead } from "./consume-queue/queue-table-file.ts";
import { QueueUnits } from "./consume-queue/queue-units.ts";
import { Dispatch } from "./dispatch/dispatch.ts";
import { parseDelayLevels } from "./dispatch/dispatch-fields.ts";
import { IndexCatchUp } from "./index-file/index-catch-up.ts";
import { IndexFlush } from "./index-file/index-flush.ts";
import type { IndexLog } from "./index-file/index-log.ts";
import { IndexQuery, type ReadRecord } from "./index-file/index-query.ts";
import { IndexService } from "./index-file/index-service.ts";
import { Damages } from "./integrity/damages.ts";
import { SkipList } from "./integrity/skip-list.ts";
import { SkipWatch } from "./integrity/skip-watch.ts";
import type { AppendRefusal, RemovalGuard } from "./message-store.ts";
import { OpenFileCache } from "./open-file-cache.ts";
import { ColdBlocks } from "./reading/cold-blocks.ts";
import { MessageReader } from "./reading/message-reader.ts";
import { RecordLookup } from "./reading/record-lookup.ts";
import { UnitSettling } from "./reading/unit-settling.ts";
import { CheckpointFile } from "./recovery/checkpoint-file.ts";
import { MarkFile } from "./recovery/mark-file.ts";
import { MarkKeeper, type MarkSource } from "./recovery/mark-keeper.ts";
import type { Recovered } from "./recovery/recovery.ts";
import type { ScanProgress } from "./recovery/scan-progress.ts";
import { DeletedTopics } from "./retention/deleted-topics.ts";
import { DiskUseMeter } from "./retention/disk-use.ts";
import { QueueFileCleaner } from "./retention/queue-file-cleaner.ts";
import type { RemovedRange } from "./retention/queue-survey.ts";
import type { RemovalParts } from "./retention/removal.ts";
import { Retention } from "./retention/retention.ts";
import { isFull, SpaceReserve } from "./retention/space-reserve.ts";
import type { ResolvedStoreOptions } from "./store-options.ts";
import { type StorePaths, storePaths } from "./store-paths.ts";

/** How far the write limit of the mark is raised at a time, unless segments are small. */
const LIMIT_STEP_MAX = 32 * 1024 * 1024;
const TABLE_INTERVAL_MS = 60_000;
/** Log bytes that a start reads at most because the queue table is older than the mark; about. */
const TABLE_STEP_BYTES = 64 * 1024 * 1024;

export interface Refusal {
  readonly reason: AppendRefusal;
  readonly remark: string;
}

export interface EngineEvents {
  /** Once: writing has stopped for good. */
  failed(error: HostError): void;
  /** The queue's files are not as they were left; it must be built again. */
  queueDamaged(): void;
}

export class Engine implements MarkSource, QueueFlushSource {
  readonly host: Host;
  readonly options: ResolvedStoreOptions;
  readonly logger: Logger;
  readonly paths: StorePaths;
  readonly delaysMs: readonly number[];
  readonly fileCache: OpenFileCache;
  readonly segments: SegmentSet;
  readonly table = new QueueTable();
  readonly queueFiles: ConsumeQueueFiles;
  readonly tableFile: QueueTableFile;
  readonly checkpoint: CheckpointFile;
  readonly markFile: MarkFile;
  readonly mark: MarkKeeper;
  readonly hotTail: HotTail;
  readonly cold: ColdBlocks;
  readonly zeros: ZeroAhead;
  readonly writtenGate: AckGate;
  readonly flushedGate: AckGate;
  readonly writer: LogWriter;
  readonly log: CommitLog;
  readonly dispatch: Dispatch;
  readonly index: IndexService;
  readonly indexFlush: IndexFlush;
  readonly indexQuery: IndexQuery;
  readonly indexCatchUp: IndexCatchUp;
  readonly queueFlush: QueueFlush;
  readonly queueCheck: QueueCheck;
  readonly units: QueueUnits;
  readonly reader: MessageReader;
  readonly lookup: RecordLookup;
  readonly damages: Damages;
  readonly skips: SkipList;
  readonly skipWatch: SkipWatch;
  readonly appender: Appender;
  readonly logTail: LogTail;
  readonly reserve: SpaceReserve;
  readonly retention: Retention;
  readonly queueFileCleaner: QueueFileCleaner;
  readonly diskUse: DiskUseMeter;
  readonly deleted: DeletedTopics;
  /** Messages are about to be removed. */
  announceRemoval: (ranges: readonly RemovedRange[]) => void = () => {};
  /** Whether nobody needs the log below the limit any more. */
  mayGo: RemovalGuard = (_limit, done) => done(true);
  /** The log is being cut: its files are not retention's to touch. */
  isCutting = false;
  /** How far the reading of the log has come that goes before serving. */
  opening: ScanProgress | undefined;
  readonly #isSyncStore: boolean;
  readonly #failed: (error: HostError) => void;
  /** A position of the log and a time: every record stored before the time lies below the position. */
  #sample = { position: 0, timestamp: 0 };
  /** When and of what the queue table was saved last. */
  #saved = { atMs: 0, queues: 0, dispatched: 0, logMin: 0 };
  /** First offset of the log that the queues' own starts go with. */
  #queuesBeginAt = 0;
  #storeId = 0;
  /** End of the log when the store was opened. */
  #begunAt = 0;
  /** Messages in the queues when dispatch began. */
  #messagesBefore = 0;

  constructor(host: Host, options: ResolvedStoreOptions, logger: Logger, events: EngineEvents) {
    const { failed, queueDamaged } = events;
    this.host = host;
    this.options = options;
    this.logger = logger;
    this.#failed = failed;
    this.#isSyncStore = options.flushDiskType === "SYNC_FLUSH";
    this.delaysMs = parseDelayLevels(options.messageDelayLevel);
    const paths = storePaths(options.home);
    const { files } = host;
    this.reserve = new SpaceReserve(
      host,
      { folder: paths.home, path: paths.reserve },
      options.spaceReserveBytes,
      logger,
    );
    const segmentBytes = options.mappedFileSizeCommitLog;
    this.paths = paths;
    this.fileCache = new OpenFileCache(files, options.openFilesMax);
    const folders = new LogFolders(
      options.storePathCommitLog || paths.commitLog,
      options.readOnlyCommitLogStorePaths,
    );
    this.segments = new SegmentSet(files, folders, segmentBytes, this.fileCache);
    this.queueFiles = new ConsumeQueueFiles(
      files,
      paths.consumeQueue,
      options.mappedFileSizeConsumeQueue,
      this.fileCache,
      { root: `${paths.checksums}/consumequeue`, logger },
    );
    this.damages = new Damages(this.segments, logger);
    this.skips = new SkipList(host, paths.skips, logger);
    this.deleted = new DeletedTopics(host, paths.deletedTopics, logger, this);
    this.skipWatch = new SkipWatch(
      host,
      this.skips,
      () => this.segments.minOffset,
      (queue) => this.dispatch.released(queue),
    );
    this.tableFile = new QueueTableFile(host, paths.queueTable, logger, this);
    this.checkpoint = new CheckpointFile(files, paths.checkpoint);
    this.markFile = new MarkFile(files, paths.mark);
    const limitStep = Math.min(LIMIT_STEP_MAX, 4 * segmentBytes);
    this.mark = new MarkKeeper(host, this.markFile, this, { segmentBytes, limitStep }, logger);
    // Under ASYNC_FLUSH one sync lets as many slabs go as the next half second fills: new memory would cost more than
    // what is written into it.
    const slabs = new SlabPool(options.slabBytes, Math.ceil(options.hotTailBytes / options.slabBytes));
    this.hotTail = new HotTail(slabs, options.hotTailBytes);
    this.writtenGate = new AckGate(host, options.syncFlushTimeout, logger);
    this.flushedGate = new AckGate(host, options.syncFlushTimeout, logger);
    this.zeros = new ZeroAhead(host, this.segments, options.zeroChunkBytes, logger, {
      spaceRefused: () => (this.reserve.mayGrow() ? undefined : this.reserve.spent),
      zerosWritten: () => this.writer.wake(),
      zeroingFailed: (error) => this.writer.failSoon(error),
    });
    const { segments, zeros, writtenGate, flushedGate } = this;
    const writerParts = { segments, tail: this.hotTail, zeros, writtenGate, flushedGate };
    this.writer = new LogWriter(host, options, writerParts, logger, {
      positionsMoved: () => this.positionsMoved(),
      bytesWritten: () => this.logTail.moved(),
      writingFailed: (error) => this.#failed(error),
    });
    this.log = new CommitLog(this.hotTail, this.zeros, this.writer, segmentBytes);
    this.dispatch = new Dispatch(this.hotTail, { queueChanged: (queue) => this.queueChanged(queue) });
    this.queueFlush = new QueueFlush(host, this.queueFiles, options, this, logger);
    const queueParts = { queueFiles: this.queueFiles, segments: this.segments, table: this.table };
    this.queueCheck = new QueueCheck(host, queueParts, queueDamaged);
    this.index = new IndexService(host, paths, options, this.fileCache, logger);
    this.indexFlush = new IndexFlush(
      this.index,
      (timestamp) => this.checkpoint.setIndex(timestamp),
      () => (this.writer.failed ? undefined : Math.min(this.dispatch.dispatched, this.writer.flushed)),
    );
    const blocks = new SlabPool(options.coldBlockBytes);
    const written = () => this.writer.written;
    this.cold = new ColdBlocks(this.segments, blocks, options.coldCacheBytes, written);
    this.units = new QueueUnits(this.queueFiles);
    const { hotTail, cold, units, queueFiles, damages, skips, skipWatch, delaysMs } = this;
    const logStart = () => this.segments.minOffset;
    const readable = () => this.dispatch.dispatched;
    const stored = { tail: hotTail, cold, units, queueFiles, logStart, readable, segmentBytes, delaysMs };
    const settling = new UnitSettling({ ...stored, damages, logger });
    const logEnd = () => this.log.appended;
    const readerParts = { tail: hotTail, cold, units, logEnd, logStart, settling, damages, skips, skipWatch };
    this.reader = new MessageReader(host, options, readerParts);
    this.lookup = new RecordLookup(this.reader, this.segments);
    this.index.damaged = (path, blocks) => damages.wrongIndexBlocks(path, blocks);
    this.logTail = new LogTail(this.hotTail, this.cold, segmentBytes, { readable, written }, damages);
    const indexLog: IndexLog = {
      start: logStart,
      readable,
      flushed: () => this.writer.flushed,
      appended: logEnd,
      passOver: (position) => skips.find(position)?.end,
      read: (...request) => this.logTail.read(...request),
    };
    const readRecord: ReadRecord = (position, done) => this.lookup.record(position, readable(), done);
    this.indexQuery = new IndexQuery(this.index, readRecord, indexLog);
    this.indexCatchUp = new IndexCatchUp(this.index, this.indexFlush, indexLog, logger);
    const { timers } = host;
    this.diskUse = new DiskUseMeter(host, { files, timers, home: paths.home, logFolders: folders.all });
    const { deleteConsumeQueueFilesInterval, deleteCommitLogFilesInterval } = options;
    this.queueFileCleaner = new QueueFileCleaner(
      host,
      this.queueFiles,
      this.table,
      deleteConsumeQueueFilesInterval,
      logger,
    );
    const mayRemove: RemovalParts["mayRemove"] = () =>
      this.mark.isOpen && !this.isCutting && !this.writer.failed;
    const generation = () => (this.mark.isOpen ? this.reader.generation : -1);
    this.retention = new Retention(
      host,
      options,
      {
        segments,
        home: paths.home,
        survey: { timers, files: this.queueFiles, generation, logger },
        queues: () => this.table.all(),
        mayRemove,
        mayGo: (limit, done) => this.mayGo(limit, done),
        announce: (ranges) => this.announceRemoval(ranges),
        removed: () => this.#logRemoved(),
        intervalMs: deleteCommitLogFilesInterval,
        removableTo: () => Math.min(this.mark.savedTo, this.writer.flushed - 1),
        lastStoreTimestamp: () => this.appender.lastStoreTimestamp,
      },
      logger,
    );
    this.appender = new Appender({
      clock: host.clock,
      log: this.log,
      table: this.table,
      dispatch: this.dispatch,
      index: this.index,
      writtenGate,
      flushedGate,
      get maxMessageSize() {
        return options.maxMessageSize;
      },
      segmentBytes,
      delaysMs: this.delaysMs,
      allowsUnsealed: (end) => this.mark.allowsUnsealed(end),
      noSpace: () => this.noSpace(),
    });
  }

  // What the mark is made of.
  get flushedOffset(): number {
    return this.writer.flushed;
  }
  get dispatchedOffset(): number {
    return this.queueFlush.flushedTo;
  }
  get lastStoreTimestamp(): number {
    return this.appender.lastStoreTimestamp;
  }
  get zerosWritten(): number {
    return this.zeros.written;
  }
  get checkpointFields(): Uint8Array {
    return this.checkpoint.fields;
  }
  limitRaised(limit: number): void {
    this.zeros.raiseLimit(limit);
  }

  // What the queues' files follow.
  get dispatched(): number {
    return this.dispatch.dispatched;
  }
  get flushed(): number {
    return this.writer.flushed;
  }
  get hotStart(): number {
    return this.hotTail.start;
  }
  flushLog(): void {
    this.writer.flushSoon();
  }

  /** The newest record of every queue without a ring lies below: none was added since the start that is still in memory. */
  get quietBelow(): number {
    return Math.max(this.#begunAt, Math.min(this.hotTail.start, this.log.appended));
  }

  /** Somebody found no space on the disk; `true` when some was made. */
  releaseSpace(): boolean {
    return this.reserve.release();
  }

  get storeId(): number {
    return this.#storeId;
  }

  queueChanged(queue: ConsumeQueue): void {
    this.queueFlush.queueChanged(queue);
  }

  /** Starts every part at the end that recovery has found. */
  begin({ end, dispatched, lastStoreTimestamp }: Recovered, storeId: number): void {
    this.#storeId = storeId;
    this.#begunAt = end;
    this.#queuesBeginAt = this.segments.minOffset;
    this.appender.begin(lastStoreTimestamp);
    this.log.begin(end);
    this.writer.begin(end);
    this.dispatch.begin(end);
    this.countMessages();
    this.queueFlush.begin(Math.min(dispatched, end));
    this.#sample = { position: end, timestamp: lastStoreTimestamp };
    this.#tableSaved();
  }

  get messageCount(): number {
    return this.#messagesBefore + this.dispatch.messages;
  }

  /** Counts the queues' messages anew, after recovery or a truncation. */
  countMessages(): void {
    let count = 0;
    for (const { minOffset, end } of this.table.all()) count += end - minOffset;
    this.#messagesBefore = count - this.dispatch.messages;
  }

  /** Written or flushed has moved: readers see more, and everything derived follows. */
  positionsMoved(): void {
    const readable = this.#isSyncStore ? this.writer.flushed : this.writer.written;
    if (readable > this.dispatch.dispatched) {
      // Before arrivals are told: who hears of a message finds it by key.
      this.index.follow(readable);
      this.dispatch.follow(readable);
      this.indexCatchUp.wake();
    }
    this.queueFlush.dispatched();
    this.queueFlush.logFlushed();
    this.logTail.moved();
    this.mark.moved();
  }

  flushIndex(offset: number, done: () => void): void {
    this.indexFlush.run(offset, done);
  }

  /** The units of all records below `offset` are on disk: checkpoint and mark may say so. */
  queuesFlushed(offset: number): void {
    if (offset >= this.#sample.position) {
      const { timestamp } = this.#sample;
      this.checkpoint.set(timestamp);
      this.#sample = { position: this.log.appended, timestamp: this.appender.lastStoreTimestamp };
      if (this.mark.isOpen) {
        this.checkpoint.save((error) => {
          if (error !== undefined) this.logger.error({ err: error }, "the checkpoint cannot be saved");
        });
      }
    }
    this.mark.save();
    this.#saveTable();
  }

  queuesLeftOut(queues: ReadonlySet<ConsumeQueue>): void {
    this.saveDamaged(queues);
  }

  /** Why an append finds no space. */
  noSpace(): Refusal {
    const { full, broken } = this.zeros;
    if (broken !== undefined) {
      return { reason: "STORE_FAILED", remark: `the CommitLog cannot be written: ${broken.message}` };
    }
    if (full !== undefined) {
      return { reason: "DISK_FULL", remark: `the disk is full: ${full.message}; reads go on` };
    }
    this.mark.save();
    return { reason: "BUSY", remark: "the log grows faster than the store's mark can be saved" };
  }

  /** Everything to disk, in order, and the store closed as an orderly stop leaves it; the log must be held. Throws HostError. */
  closeInOrder(inTime: () => boolean): void {
    this.writer.flushAllSync();
    this.positionsMoved();
    this.queueFlush.close();
    try {
      this.queueFlush.flushAllSync(inTime);
    } catch (error) {
      if (!isFull(error) || !this.reserve.release()) throw error;
      this.queueFlush.flushAllSync(inTime);
    }
    this.indexFlush.runSync(this.dispatch.dispatched, "all");
    this.saveTableSync();
    this.checkpoint.set(this.appender.lastStoreTimestamp);
    this.checkpoint.saveSync();
    this.mark.close();
    this.mark.saveStopped();
    this.host.files.unlinkSync(this.paths.abort);
    this.host.files.syncFolderSync(this.paths.home);
  }

  /** Stops timers and closes files; nothing is written. */
  closeFiles(): void {
    this.queueCheck.close();
    this.skipWatch.close();
    this.retention.close();
    this.queueFileCleaner.close();
    this.reserve.close();
    this.queueFlush.close();
    this.mark.close();
    this.writer.close();
    this.indexCatchUp.close();
    this.indexFlush.abort();
    this.index.close();
    this.writtenGate.close();
    this.flushedGate.close();
    this.tableFile.close();
    this.deleted.close();
    this.checkpoint.close();
    this.markFile.close();
    this.segments.closeAll();
    this.fileCache.closeAll();
  }

  /** The queue table, blocking. Throws HostError. */
  saveTableSync(): void {
    this.tableFile.saveSync(this.table, this.#tableHead());
    this.#tableSaved();
  }

  /** Takes back what the queue table on disk says; it goes with another state of the store. Throws HostError. */
  forgetTable(): void {
    this.tableFile.removeSync();
    this.#saved = { atMs: 0, queues: -1, dispatched: 0, logMin: -1 };
  }

  /** Notes on disk that these queues are being built again; nothing else in the table counts meanwhile. Throws HostError. */
  saveDamaged(queues: ReadonlySet<ConsumeQueue>): void {
    this.tableFile.saveSync(this.table, { storeId: -1, logMin: -1, dispatched: -1 }, queues);
  }

  /** The log begins later, and so do the queues. */
  #logRemoved(): void {
    this.#queuesBeginAt = this.segments.minOffset;
    this.countMessages();
    this.#saveTable();
    this.indexFlush.deleteBefore(this.segments.minOffset);
    this.queueFileCleaner.clean();
  }

  #saveTable(): void {
    const { atMs, queues, dispatched, logMin } = this.#saved;
    const isDue =
      this.table.count !== queues ||
      this.#queuesBeginAt !== logMin ||
      this.queueFlush.flushedTo - dispatched >= TABLE_STEP_BYTES ||
      this.host.clock.monotonicMs() - atMs >= TABLE_INTERVAL_MS;
    if (!isDue || !this.mark.isOpen) return;
    if (this.tableFile.save(this.table, this.#tableHead())) this.#tableSaved();
  }

  #tableHead(): QueueTableHead {
    return { storeId: this.#storeId, logMin: this.#queuesBeginAt, dispatched: this.queueFlush.flushedTo };
  }

  #tableSaved(): void {
    this.#saved = {
      atMs: this.host.clock.monotonicMs(),
      queues: this.table.count,
      dispatched: this.queueFlush.flushedTo,
      logMin: this.#queuesBeginAt,
    };
  }
}
