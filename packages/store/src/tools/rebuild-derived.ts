/**
 * Builds all ConsumeQueues, or all IndexFiles, of a stopped store again from the CommitLog. The store is opened as a server would open it,
 * after what is derived was taken away and the mark was told so: a crash in between leaves a store whose next start
 * does the rest.
 */
import { type Files, type Host, HostError, type Logger } from "@orbitmq/host";
import { UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import { FileMessageStore } from "../file-message-store.ts";
import { MarkFile } from "../recovery/mark-file.ts";
import { StoreError } from "../store-error.ts";
import { STORE_DEFAULTS, type StoreOptions } from "../store-options.ts";
import { StoreView } from "./store-view.ts";
import { type Progress, verifyStore } from "./verify-store.ts";

export interface Rebuilt {
  readonly messages: number;
  readonly queues: number;
}

/**
 * `options` as of the server's store; `home` must hold one. Rejects with StoreError: LOCKED while it runs, DAMAGED when
 * the log cannot be read to its end (skip what cannot be read first).
 */
export function rebuildQueues(
  host: Host,
  options: StoreOptions,
  logger: Logger,
  progress: Progress = () => {},
): Promise<Rebuilt> {
  return rebuild(host, options, logger, progress, ({ files, paths, mark, minOffset }) => {
    if (mark !== undefined) {
      const file = new MarkFile(files, paths.mark);
      file.load();
      file.open();
      file.saveSync({ ...mark, dispatchedOffset: minOffset });
      file.close();
    }
    // The queue table says what there was, not what there is: as a backup it only tells what is missing.
    const table = paths.queueTable;
    if (files.statSync(table) !== undefined) files.renameSync(table, `${table}.bak`);
    files.syncFolderSync(paths.home);
    removeTree(files, paths.consumeQueue);
    removeTree(files, `${paths.checksums}/consumequeue`);
  });
}

/** As {@link rebuildQueues}, for the IndexFiles; `options` must have the sizes that the server's store has. */
export function rebuildIndex(
  host: Host,
  options: StoreOptions,
  logger: Logger,
  progress: Progress = () => {},
): Promise<Rebuilt> {
  return rebuild(host, options, logger, progress, ({ files, paths }) => {
    // Without our state nothing is taken for complete; without files there is nothing else that says so.
    files.unlinkSync(paths.indexState);
    files.syncFolderSync(paths.home);
    removeTree(files, paths.index);
  });
}

async function rebuild(
  host: Host,
  options: StoreOptions,
  logger: Logger,
  progress: Progress,
  clear: (view: StoreView) => void,
): Promise<Rebuilt> {
  const { files } = host;
  const { paths } = new StoreView(files, options);
  const lock = takeLock(files, paths.lock);
  let sizes: Pick<StoreOptions, "mappedFileSizeCommitLog" | "mappedFileSizeConsumeQueue">;
  try {
    // Looked at again: only now does nobody else write.
    const view = new StoreView(files, options);
    const queueBytes = options.mappedFileSizeConsumeQueue ?? queueFileBytes(view);
    sizes = { mappedFileSizeCommitLog: view.segmentBytes, mappedFileSizeConsumeQueue: queueBytes };
    if (view.mark === undefined) checkForeign(files, options, progress);
    clear(view);
    view.close();
  } finally {
    lock.release();
  }
  const store = new FileMessageStore(host, { ...options, ...sizes, existing: true }, logger);
  await store.start();
  const topics = store.topics();
  const queues = topics.reduce((sum, topic) => sum + store.queuesOf(topic).length, 0);
  const messages = store.status().messageCount;
  await store.stop();
  progress(1, 1);
  return { messages, queues };
}

/** The length of the queue files there are. */
function queueFileBytes(view: StoreView): number {
  for (const { topic, queueId } of view.queues()) {
    const { bytes } = view.queueFiles(topic, queueId);
    if (bytes > 0 && bytes % UNIT_BYTES === 0) return bytes;
  }
  return STORE_DEFAULTS.mappedFileSizeConsumeQueue;
}

function takeLock(files: Files, path: string) {
  try {
    return files.lockSync(path);
  } catch (error) {
    if (error instanceof HostError && error.code === "ELOCKED") {
      throw new StoreError("LOCKED", `the store is in use: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Without our mark a start takes the first bad record for the log's end: there must be none. */
function checkForeign(files: Files, options: StoreOptions, progress: Progress): void {
  const { findings } = verifyStore(files, options, progress);
  const bad = findings.find(({ kind }) => kind === "record");
  if (bad === undefined) return;
  throw new StoreError("DAMAGED", `${bad.file}, byte ${bad.byte}: ${bad.reason}; nothing was changed`);
}

/** Removes everything below `folder`. */
function removeTree(files: Files, folder: string): void {
  if (files.statSync(folder)?.isFolder !== true) return;
  for (const name of files.listSync(folder)) {
    const path = `${folder}/${name}`;
    if (files.statSync(path)?.isFolder === true) {
      removeTree(files, path);
      files.removeFolderSync(path);
    } else files.unlinkSync(path);
  }
  files.syncFolderSync(folder);
}
