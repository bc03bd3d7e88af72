/**
 * Remembers which queues there were and how far they had come, so that recovery notices a ConsumeQueue that
 * somebody deleted, wholly or its newest file, and builds it again instead of starting it at offset 0. Ours;
 * losing it loses only that notice.
 *
 *   {"version":1,"logMin":<offset>,"queues":[["<topic>",<queueId>,<min>,<end>],…]}
 */
import type { Host, Logger } from "@orbitmq/host";
import { StateFile } from "../state/state-file.ts";
import { StoreError } from "../store-error.ts";
import type { QueueTable } from "./queue-table.ts";

const VERSION = 1;

export interface KnownQueue {
  readonly topic: string;
  readonly queueId: number;
  readonly min: number;
  /** At least as far as this its units were on disk. */
  readonly end: number;
}

export interface KnownQueues {
  /** First offset of the log at that time; -1 when unknown. */
  readonly logMin: number;
  readonly queues: readonly KnownQueue[];
}

export class QueueTableFile {
  readonly #file: StateFile;

  constructor(host: Pick<Host, "files" | "timers">, path: string, logger: Logger) {
    this.#file = new StateFile(host, path, logger);
  }

  /** Throws StoreError VERSION when a newer version has written it. */
  load(): KnownQueues {
    const loaded = this.#file.load((text) => JSON.parse(text) as Record<string, unknown> | null);
    const queues: KnownQueue[] = [];
    const content = loaded?.value ?? {};
    const { version, logMin } = content;
    if (typeof version === "number" && version > VERSION) {
      throw new StoreError(
        "VERSION",
        `${this.#file.path} has format ${version}, this version knows ${VERSION}`,
      );
    }
    for (const entry of Array.isArray(content["queues"]) ? (content["queues"] as unknown[]) : []) {
      if (!Array.isArray(entry)) continue;
      const [topic, queueId, min, end] = entry as unknown[];
      if (typeof topic !== "string" || ![queueId, min, end].every(Number.isSafeInteger)) continue;
      queues.push({ topic, queueId: queueId as number, min: min as number, end: end as number });
    }
    return { logMin: typeof logMin === "number" ? logMin : -1, queues };
  }

  /** A failure is logged and repeated by the state file. */
  save(table: QueueTable, logMin: number): void {
    this.#file.save(encode(table, logMin));
  }

  saveSync(table: QueueTable, logMin: number): void {
    this.#file.saveSync(encode(table, logMin));
  }

  close(): void {
    this.#file.close();
  }
}

/** Only what is on disk counts: the rest comes back from the log. */
function encode(table: QueueTable, logMin: number): string {
  const queues: [string, number, number, number][] = [];
  for (const { topic, queueId, minOffset, synced } of table.all()) {
    queues.push([topic, queueId, minOffset, synced]);
  }
  return JSON.stringify({ version: VERSION, logMin, queues });
}
