/**
 * Removes ConsumeQueue files whose messages are all gone (RocketMQ: CleanConsumeQueueService). The last file of
 * a queue always stays: it tells which offset the next message gets, and a queue never starts again at 0
 * (RocketMQ forgets queues without messages).
 *
 * Oldest first, each name's removal on disk before the next: a crash leaves files without a gap. Runs behind
 * everything else, one removal per `deleteConsumeQueueFilesInterval`; asked again meanwhile it goes round once
 * more.
 *
 *   idle → cleaning → idle      cleaning: queue by queue, file by file
 */
import type { Host, HostError, Logger, TimerHandle } from "@orbitmq/host";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import type { QueueTable } from "../consume-queue/queue-table.ts";

/** Queues looked at in one turn. */
const QUEUES_PER_TURN = 256;

export class QueueFileCleaner {
  readonly #host: Pick<Host, "files" | "timers">;
  readonly #files: ConsumeQueueFiles;
  readonly #table: QueueTable;
  readonly #intervalMs: number;
  readonly #logger: Logger;
  #queues: Iterator<ConsumeQueue> | undefined;
  #again = false;
  #timer: TimerHandle | undefined;
  #closed = false;
  #removed = 0;

  constructor(
    host: Pick<Host, "files" | "timers">,
    files: ConsumeQueueFiles,
    table: QueueTable,
    intervalMs: number,
    logger: Logger,
  ) {
    this.#host = host;
    this.#files = files;
    this.#table = table;
    this.#intervalMs = intervalMs;
    this.#logger = logger;
  }

  /** Removes what no stored message needs, in its own time. */
  clean(): void {
    if (this.#closed) return;
    if (this.#queues !== undefined) {
      this.#again = true;
      return;
    }
    this.#queues = this.#table.all();
    this.#removed = 0;
    this.#turn();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #turn(): void {
    const queues = this.#queues;
    if (this.#closed || queues === undefined) return;
    try {
      for (let count = 0; count < QUEUES_PER_TURN; count += 1) {
        const next = queues.next();
        if (next.done === true) {
          this.#finish();
          return;
        }
        const unneeded = this.#unneeded(next.value);
        if (unneeded.length === 0) continue;
        this.#removeFiles(next.value, unneeded);
        return;
      }
    } catch (error) {
      this.#failed(error as HostError);
      return;
    }
    this.#host.timers.afterTurn(() => this.#turn());
  }

  /** First units of the files that go, ascending. */
  #unneeded(queue: ConsumeQueue): number[] {
    const { fileUnits } = this.#files;
    const keepFrom = Math.floor(queue.minOffset / fileUnits) * fileUnits;
    if (queue.damaged || queue.filesFrom >= keepFrom) return [];
    const starts = this.#files.listFiles(queue.topic, queue.queueId).slice(0, -1);
    const unneeded = starts.filter((start) => start < keepFrom);
    if (unneeded.length === 0) queue.filesFrom = keepFrom;
    return unneeded;
  }

  #removeFiles(queue: ConsumeQueue, starts: number[]): void {
    const start = starts.shift();
    if (start === undefined) {
      this.#turn();
      return;
    }
    if (this.#closed) return;
    const folder = this.#files.folder(queue.topic, queue.queueId);
    try {
      this.#files.removeFile(queue.topic, queue.queueId, start);
    } catch (error) {
      this.#failed(error as HostError);
      return;
    }
    this.#removed += 1;
    this.#host.files.syncFolder(folder, (error) => {
      if (this.#closed) return;
      if (error !== undefined) {
        this.#failed(error);
        return;
      }
      this.#timer = this.#host.timers.after(this.#intervalMs, () => this.#removeFiles(queue, starts));
    });
  }

  #failed(error: HostError): void {
    this.#logger.error(
      { err: error },
      "ConsumeQueue files without messages cannot be removed; tried again later",
    );
    this.#queues = undefined;
  }

  #finish(): void {
    this.#queues = undefined;
    if (this.#removed > 0) {
      this.#logger.info({ files: this.#removed }, "ConsumeQueue files without messages were removed");
    }
    if (!this.#again) return;
    this.#again = false;
    this.clean();
  }
}
