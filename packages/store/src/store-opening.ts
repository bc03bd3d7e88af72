/**
 * Opens a store: lock, look, recover, and mark it as in use, in slices and in an order that a crash at any point
 * leaves recoverable. The mark is saved before `abort` names the store, and both before anything is appended.
 */
import { type FileLock, HostError } from "@orbitmq/host";
import type { Engine } from "./engine.ts";
import { loadIndex } from "./index-file/index-load.ts";
import { openChecksums } from "./integrity/checksum-folder.ts";
import { makeDurableFolder } from "./make-durable-folder.ts";
import type { Mark } from "./recovery/mark-file.ts";
import { type Recovered, recover } from "./recovery/recovery.ts";
import { abortText, isOurAbort, planRecovery, type RecoveryKind } from "./recovery/recovery-plan.ts";
import { ScanProgress } from "./recovery/scan-progress.ts";
import { isFull } from "./retention/space-reserve.ts";
import { hideDeleted } from "./retention/topic-deletion.ts";
import type { Slices } from "./slices.ts";
import { StoreError } from "./store-error.ts";

/** Log bytes whose units may be in memory only when the store begins to serve. */
const MEMORY_ONLY_MAX = 256 * 1024 * 1024;

export interface Opened {
  /** `undefined` where the store runs without a lock. */
  readonly lock: FileLock | undefined;
  readonly kind: RecoveryKind;
}

/** Throws StoreError; the lock is then free again. So it is when the work is stopped between two slices. */
export function* openStore(engine: Engine): Slices<Opened> {
  const { host, options, paths, segments } = engine;
  const { files } = host;
  if (options.existing && segments.folders.all.every((folder) => files.statSync(folder) === undefined)) {
    throw new StoreError("NO_STORE", `there is no store in ${options.home}`);
  }
  let lock: FileLock | undefined;
  try {
    makeDurableFolder(files, paths.home);
    lock = takeLock(engine);
    return { lock, kind: yield* openLocked(engine) };
  } catch (error) {
    engine.closeFiles();
    lock?.release();
    throw asStoreError(error, options.home);
  }
}

function takeLock({ host, options, paths, logger }: Engine): FileLock | undefined {
  try {
    return host.files.lockSync(paths.lock);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === "ELOCKED") {
      throw new StoreError("LOCKED", `${options.home} is in use: ${error.message}`, { cause: error });
    }
    if (error.code !== "ENOLOCK") throw error;
    if (!options.unsafeNoLock) {
      throw new StoreError("NO_LOCK", `${options.home} cannot be locked: ${error.message}`, { cause: error });
    }
    logger.warn({ err: error }, "the store runs without a lock: a second process could destroy it");
    return undefined;
  }
}

function* openLocked(engine: Engine): Slices<RecoveryKind> {
  const { host, paths, segments, checkpoint, markFile, tableFile, options, logger } = engine;
  const { files } = host;
  for (const folder of [paths.consumeQueue, paths.index, paths.config]) files.makeFolderSync(folder);
  makeLogFolders(engine);
  files.syncFolderSync(paths.home);
  const mark = markFile.load();
  checkSegmentBytes(mark, options.mappedFileSizeCommitLog);
  const knownQueues = tableFile.load();
  engine.skips.load();
  engine.deleted.load();
  openChecksums(files, paths.checksums);
  checkpoint.load();
  const abortBytes = files.readWholeSync(paths.abort);
  const abort = abortBytes === undefined ? undefined : Buffer.from(abortBytes).toString("latin1");
  engine.reserve.lend();
  if (isOurAbort(mark, abort)) segments.load(mark.flushedOffset);
  else segments.load(Number.POSITIVE_INFINITY, abort !== undefined);
  const plan = planRecovery(mark, abort, checkpoint, segments);
  if (options.existing && plan.kind === "new") {
    throw new StoreError("NO_STORE", `there is no store in ${options.home}`);
  }
  // What a killed process noted there is in the page cache only; should the start fail, it is needed again.
  if (plan.kind === "trusted" && !plan.isClean) markFile.syncSync();
  const storeId = mark?.nonce ?? host.random.int(2 ** 32);
  const indexFrom = loadIndex(engine.index, { plan, segments, checkpoint, storeId });
  const progress = new ScanProgress(host.clock, logger, segments.minOffset, segments.fileEnd);
  engine.opening = progress;
  const recovered = yield* recover({
    files,
    segments,
    queueFiles: engine.queueFiles,
    extFolder: paths.consumeQueueExt,
    table: engine.table,
    checkpoint,
    plan,
    mark,
    knownQueues,
    skips: engine.skips,
    delaysMs: engine.delaysMs,
    logger,
    queueChanged: (queue) => engine.queueChanged(queue),
    damagedFound: (queues) => engine.saveDamaged(queues),
    gathered: () => engine.queueFlush.flushSlices(),
    progress: (what, position) => progress.at(what, position),
    index: engine.index,
    indexFrom,
    indexGathered: (position) => engine.indexFlush.runSlices(position, "due"),
  });
  engine.deleted.cutSync(recovered.end);
  engine.begin(recovered, storeId);
  if (!recovered.tableHolds && !recovered.rebuilt) engine.forgetTable();
  // A removal that was cut short may have come as far as the log only.
  engine.index.deleteBefore(segments.minOffset);
  yield* saveIndex(engine, recovered);
  engine.zeros.begin(recovered.end);
  checkpoint.open();
  markFile.open();
  files.syncFolderSync(paths.home);
  engine.mark.begin(storeId, recovered.end);
  // One that names the store stays: half of it replaced, it would name nothing.
  if (!isOurAbort(mark, abort)) writeAbort(engine, storeId);
  engine.reserve.begin();
  zeroFirstChunk(engine, plan.kind === "new");
  // What was read anew is much, or was built again: its units are on disk before anybody counts on them.
  if (recovered.rebuilt || recovered.end - recovered.dispatched > MEMORY_ONLY_MAX) yield* flushQueues(engine);
  else if (!recovered.tableHolds && plan.kind !== "new") saveTable(engine);
  engine.queueFlush.dispatched();
  engine.queueCheck.begin();
  yield* hideDeleted(engine);
  return plan.kind;
}

/** A full disk is no reason not to serve reads: the units stay in memory, and the usual rounds try again. */
function* flushQueues(engine: Engine): Slices<void> {
  try {
    yield* engine.queueFlush.flushSlices();
    engine.saveTableSync();
  } catch (error) {
    if (!isFull(error)) throw error;
    engine.logger.error({ err: error }, "ConsumeQueues cannot be written; trying again");
  }
}

/** From now on it is known which queues there are. */
function saveTable(engine: Engine): void {
  try {
    engine.saveTableSync();
  } catch (error) {
    if (!isFull(error)) throw error;
    engine.logger.error({ err: error }, "the queue table cannot be saved; trying again");
  }
}

/** What recovery has indexed goes to disk, where it can; what it has cut off must not stay there. */
function* saveIndex({ indexFlush }: Engine, { end, indexCut }: Recovered): Slices<void> {
  try {
    yield* indexFlush.runSlices(end, indexCut ? "all" : "due");
  } catch (error) {
    if (indexCut || !(error instanceof HostError)) throw error;
    indexFlush.failed(error);
  }
}

function makeLogFolders({ host: { files }, paths, segments: { folders } }: Engine): void {
  for (const folder of folders.writable) {
    if (folder.startsWith(`${paths.home}/`)) files.makeFolderSync(folder);
    if (folder !== paths.commitLog) makeDurableFolder(files, folder);
  }
  const missing = folders.all.find((folder) => files.statSync(folder)?.isFolder !== true);
  if (missing === undefined) return;
  throw new StoreError(
    "DAMAGED",
    `${missing}, a folder of the CommitLog, is not there: is its disk mounted? If nothing lies in it, leave it ` +
      "out of readOnlyCommitLogStorePaths",
  );
}

function checkSegmentBytes(mark: Mark | undefined, segmentBytes: number): void {
  if (mark === undefined || mark.segmentBytes === segmentBytes) return;
  throw new StoreError(
    "ILLEGAL_OPTION",
    `mappedFileSizeCommitLog is ${segmentBytes}, but the store was written with ${mark.segmentBytes}`,
  );
}

function writeAbort({ host, paths }: Engine, storeId: number): void {
  const { files } = host;
  const text = abortText(host.process.pid, storeId);
  const file = files.openSync(paths.abort, { create: true });
  try {
    file.truncateSync(0);
    file.writeSync(Buffer.from(text), 0);
    file.fdatasyncSync();
  } finally {
    file.closeSync();
  }
  files.syncFolderSync(paths.home);
}

/** The first zeros ahead of the head, on disk before the first append. A full disk is no reason not to serve reads. */
function zeroFirstChunk({ zeros, log, segments, host }: Engine, isNew: boolean): void {
  zeros.reserve(log.appended + 1);
  if (zeros.broken !== undefined) throw zeros.broken;
  if (zeros.full !== undefined && isNew) throw zeros.full;
  const segment = segments.at(log.appended);
  if (segment?.writer === undefined) return;
  if (segment.unlisted) host.files.syncFolderSync(segment.folder);
  segment.unlisted = false;
  segment.writer.fdatasyncSync();
  zeros.syncedTo(zeros.written);
}

function asStoreError(error: unknown, home: string): unknown {
  if (!(error instanceof HostError)) return error;
  const code = isFull(error) ? "NO_SPACE" : "IO";
  return new StoreError(code, `the store in ${home} cannot be opened: ${error.message}`, { cause: error });
}
