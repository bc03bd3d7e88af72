/**
 * Looks whether a queue's files hold what the queue table says. At a start that follows the table this is not done
 * for all of a hundred thousand queues at once: the first thousand are looked at before anything is served, the
 * others when they are first used and, a few at a time, in the seconds after the start.
 *
 *   unchecked → checked            its files are there, and their newest unit is what the log says
 *   unchecked → damaged → checked  it was not so; the queue was built again from the log (recovery/queue-rebuild.ts)
 */
import { type Files, HostError, type TimerHandle, type Timers } from "@orbitmq/host";
import type { Slices } from "../slices.ts";
import type { ConsumeQueue } from "./consume-queue.ts";
import type { ConsumeQueueFiles } from "./consume-queue-files.ts";
import { matchesLog, type QueueLoadParts, SLICE_QUEUES, UnitReader } from "./queue-load.ts";
import type { KnownQueue } from "./queue-table-file.ts";

/** Queues that are looked at before a start is over. */
const CHECKED_AT_START_MAX = 1000;
const SWEEP_QUEUES = 64;
const SWEEP_INTERVAL_MS = 50;

/** Whether the files hold the units that were on disk. Blocking; a stat per file and two small reads. */
export function holdsUnits(parts: QueueLoadParts, queue: ConsumeQueue): boolean {
  const { queueFiles, segments } = parts;
  const { minOffset, synced } = queue;
  if (synced === minOffset) return true;
  const { fileUnits } = queueFiles;
  for (let start = minOffset - (minOffset % fileUnits); start < synced; start += fileUnits) {
    if (!queueFiles.isComplete(queue, start)) return false;
  }
  const unit = new UnitReader(queueFiles, queue);
  const newest = synced - 1;
  if (unit.sizeAt(newest) <= 0) return false;
  return !unit.isMessage(newest) || matchesLog(segments, unit, newest);
}

/**
 * Sets the queues as the table has them; returns those that are damaged, not emptied yet. Those not looked at are
 * left unchecked.
 */
export function loadKnownQueues(parts: QueueLoadParts, known: readonly KnownQueue[]): ConsumeQueue[] {
  const { files, queueFiles, table } = parts;
  const folders = new Set(files.listSync(queueFiles.root));
  const damaged: ConsumeQueue[] = [];
  let checks = 0;
  for (const { topic, queueId, min, end, isDamaged } of known) {
    const queue = table.findOrCreate(topic, queueId);
    queue.load(min, end);
    if (isDamaged || (end > min && !folders.has(topic))) damaged.push(queue);
    else if (end === min) continue;
    else if (checks === CHECKED_AT_START_MAX) queue.checked = false;
    else {
      checks += 1;
      if (!holdsUnits(parts, queue)) damaged.push(queue);
    }
  }
  return damaged;
}

export class QueueCheck {
  readonly #timers: Timers;
  readonly #parts: QueueLoadParts;
  readonly #damaged: (queue: ConsumeQueue) => void;
  #rest: Iterator<ConsumeQueue> | undefined;
  #timer: TimerHandle | undefined;

  /** `damaged` is called for each queue that is, once, from within whatever first used it. */
  constructor(
    host: { files: Files; timers: Timers },
    parts: Omit<QueueLoadParts, "files">,
    damaged: (queue: ConsumeQueue) => void,
  ) {
    this.#timers = host.timers;
    this.#parts = { ...parts, files: host.files };
    this.#damaged = damaged;
    const queueFiles: ConsumeQueueFiles = parts.queueFiles;
    queueFiles.whenFirstUsed = (queue) => this.#ensure(queue);
  }

  /** Looks at what the start has left out. */
  begin(): void {
    this.#rest = this.#parts.table.all();
    this.#sweep();
  }

  /** Looks at all that is left, so that the damaged ones are built in one go. */
  *finish(): Slices<void> {
    let looked = 0;
    for (const queue of this.#parts.table.all()) {
      if (queue.checked) continue;
      this.#look(queue);
      looked += 1;
      if (looked % SLICE_QUEUES === 0) yield;
    }
    this.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#rest = undefined;
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    let looked = 0;
    while (looked < SWEEP_QUEUES) {
      const next = this.#rest?.next();
      if (next === undefined || next.done === true) return;
      if (next.value.checked) continue;
      looked += 1;
      this.#look(next.value);
    }
    this.#timer = this.#timers.after(SWEEP_INTERVAL_MS, this.#sweep);
  };

  #look(queue: ConsumeQueue): boolean {
    if (queue.checked) return true;
    if (queue.damaged) return false;
    if (holdsUnits(this.#parts, queue)) {
      queue.checked = true;
      return true;
    }
    queue.damaged = true;
    this.#damaged(queue);
    return false;
  }

  #ensure(queue: ConsumeQueue): void {
    if (this.#look(queue)) return;
    throw new HostError(
      "EUCLEAN",
      `the ConsumeQueue ${queue.topic}/${queue.queueId} is damaged and is being built again`,
    );
  }
}
