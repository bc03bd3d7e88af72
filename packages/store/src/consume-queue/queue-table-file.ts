/**
 * Remembers which queues there were and how far they had come, so that a start need not look into a hundred
 * thousand folders, and notices a ConsumeQueue that somebody deleted, wholly or its newest file, instead of
 * starting it at offset 0. Ours; losing it costs a slower start: the whole log is read for queues that are missing.
 *
 *   {"version":1,"store":<id>,"logMin":<offset>,"dispatched":<offset>,
 *    "queues":[["<topic>",<queueId>,<min>,<end>],…],"crc":<CRC-32 of the text before it>}
 *
 * `dispatched`: the units of all records below it are on disk and counted in the ends; an end may count more, what
 * came to the disk while the table was written down. `["<topic>",<queueId>,<min>,<end>,1]`: the queue was found
 * damaged and is being built again.
 */
import type { Host, Logger } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { StateFile, type StateSpace } from "../state/state-file.ts";
import { StoreError } from "../store-error.ts";
import { folderOf } from "../store-paths.ts";
import type { ConsumeQueue } from "./consume-queue.ts";
import type { QueueTable } from "./queue-table.ts";

const VERSION = 1;
const CRC_FIELD = ',"crc":';
/** Queues written down in one turn of the event loop. */
const SLICE_QUEUES = 4096;

export interface KnownQueue {
  readonly topic: string;
  readonly queueId: number;
  readonly min: number;
  /** At least as far as this its units were on disk. */
  readonly end: number;
  /** Its files are not to be believed. */
  readonly isDamaged: boolean;
}

/** What stands above the queues. */
export interface QueueTableHead {
  /** Of the store's mark; -1 when unknown. */
  readonly storeId: number;
  /** First offset of the log at that time; -1 when unknown. */
  readonly logMin: number;
  /** All records below it are counted in the ends; -1 when that is not known. */
  readonly dispatched: number;
}

export interface KnownQueues extends QueueTableHead {
  /** Neither the table nor the one before can be read: nothing is known of the queues there were. */
  readonly isLost: boolean;
  /** The table itself was torn or missing: this is the one before, and a truncation may lie between. */
  readonly fromBackup: boolean;
  readonly queues: readonly KnownQueue[];
}

export class QueueTableFile {
  readonly #files: Host["files"];
  readonly #timers: Host["timers"];
  readonly #file: StateFile;
  /** The table being written down; another one means that it was overtaken. */
  #writing: object | undefined;

  constructor(
    host: Pick<Host, "files" | "timers">,
    path: string,
    logger: Logger,
    space?: StateSpace | undefined,
  ) {
    this.#files = host.files;
    this.#timers = host.timers;
    this.#file = new StateFile(host, path, logger, space);
  }

  /** Throws StoreError VERSION when a newer version has written it. */
  load(): KnownQueues {
    const loaded = this.#file.load(parse);
    const queues: KnownQueue[] = [];
    const content = loaded?.value ?? {};
    const { version, store, logMin, dispatched, crc } = content;
    if (typeof version === "number" && version > VERSION) {
      throw new StoreError(
        "VERSION",
        `${this.#file.path} has format ${version}, this version knows ${VERSION}`,
      );
    }
    for (const entry of Array.isArray(content["queues"]) ? (content["queues"] as unknown[]) : []) {
      if (!Array.isArray(entry)) continue;
      const [topic, queueId, min, end, damaged] = entry as unknown[];
      if (typeof topic !== "string" || !isOffset(queueId) || !isOffset(min) || !isOffset(end)) continue;
      queues.push({ topic, queueId, min, end: Math.max(min, end), isDamaged: damaged === 1 });
    }
    return {
      storeId: isOffset(store) ? store : -1,
      logMin: isOffset(logMin) ? logMin : -1,
      dispatched: isOffset(dispatched) && isOffset(crc) ? dispatched : -1,
      isLost: loaded === undefined,
      fromBackup: loaded?.from === "backup",
      queues,
    };
  }

  /**
   * Writes the table down, a slice per turn, and saves it; `false` when an older one is still being written down. A
   * failure is logged and repeated by the state file.
   */
  save(table: QueueTable, head: QueueTableHead): boolean {
    if (this.#writing !== undefined) return false;
    const writing = {};
    this.#writing = writing;
    const encoding = new Encoding(head, table);
    const step = (): void => {
      if (this.#writing !== writing) return;
      if (encoding.takeSome(SLICE_QUEUES)) this.#timers.afterTurn(step);
      else {
        this.#writing = undefined;
        this.#file.save(encoding.text());
      }
    };
    step();
    return true;
  }

  /** As `save`, blocking; overtakes it. `damaged` queues are marked as such. Throws HostError. */
  saveSync(table: QueueTable, head: QueueTableHead, damaged?: ReadonlySet<ConsumeQueue>): void {
    this.#writing = undefined;
    const encoding = new Encoding(head, table, damaged);
    encoding.takeSome(Number.POSITIVE_INFINITY);
    this.#file.saveSync(encoding.text());
  }

  /** Removes the table and its backup; the folder is synced. Throws HostError. */
  removeSync(): void {
    const { path } = this.#file;
    for (const each of [path, `${path}.bak`]) this.#files.unlinkSync(each);
    this.#files.syncFolderSync(folderOf(path));
  }

  close(): void {
    this.#writing = undefined;
    this.#file.close();
  }
}

/** Only what is on disk counts: the rest comes back from the log. */
class Encoding {
  readonly #head: string;
  readonly #rest: IterableIterator<ConsumeQueue>;
  readonly #damaged: ReadonlySet<ConsumeQueue> | undefined;
  readonly #queues: string[] = [];

  constructor(head: QueueTableHead, table: QueueTable, damaged?: ReadonlySet<ConsumeQueue>) {
    const { storeId: store, logMin, dispatched } = head;
    this.#head = JSON.stringify({ version: VERSION, store, logMin, dispatched }).slice(0, -1);
    this.#rest = table.all();
    this.#damaged = damaged;
  }

  /** `false` when no more are left. */
  takeSome(count: number): boolean {
    for (let taken = 0; taken < count; taken += 1) {
      const { value: queue, done } = this.#rest.next();
      if (done === true) return false;
      const { topic, queueId, minOffset, synced } = queue as ConsumeQueue;
      const isDamaged = (queue as ConsumeQueue).damaged || this.#damaged?.has(queue as ConsumeQueue) === true;
      const mark = isDamaged ? ",1" : "";
      this.#queues.push(`[${JSON.stringify(topic)},${queueId},${minOffset},${synced}${mark}]`);
    }
    return true;
  }

  text(): string {
    const text = `${this.#head},"queues":[${this.#queues.join(",")}]${CRC_FIELD}`;
    return `${text}${crcOf(text)}}`;
  }
}

/** Throws when the text is not what was once written: an offset with one wrong digit is still JSON. */
function parse(text: string): Record<string, unknown> | null {
  const content = JSON.parse(text) as Record<string, unknown> | null;
  const at = text.lastIndexOf(CRC_FIELD) + CRC_FIELD.length;
  if (content?.["crc"] !== undefined && content["crc"] !== crcOf(text.slice(0, at))) {
    throw new Error("its checksum does not match");
  }
  return content;
}

function crcOf(text: string): number {
  return plainCrc32(Buffer.from(text));
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
