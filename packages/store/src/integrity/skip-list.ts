/**
 * Corrupt records that an operator has given up, so that consumers get past them. Only `orbitmq store skip` writes
 * the file, also while the store runs; the running store looks whether it has changed when it meets a record it
 * cannot serve. An entry means nothing while a readable record lies at its offset, and nothing is skipped without
 * one. Losing the file loses only those decisions: the queues wait again.
 *
 *   {"version":1,"skipped":[{"offset":…,"end":…,"topic":…,"queueId":…,"queueOffset":…,"reason":…,"skippedMs":…},…]}
 */
import type { Host, Logger } from "@orbitmq/host";
import { StateFile } from "../state/state-file.ts";
import { StoreError } from "../store-error.ts";

/** Raised when older versions would misread the file. */
export const SKIPS_VERSION = 1;

export interface SkippedRecord {
  /** Where the record lies in the log. */
  readonly offset: number;
  /** Where the next record begins. */
  readonly end: number;
  /** Whose message it was, when a queue still knows it. */
  readonly topic?: string;
  readonly queueId?: number;
  readonly queueOffset?: number;
  /** Why it cannot be read. */
  readonly reason: string;
  /** When it was given up, ms since 1970. */
  readonly skippedMs: number;
}

type FileHost = Pick<Host, "files" | "timers">;

export class SkipList {
  readonly #host: FileHost;
  readonly #path: string;
  readonly #file: StateFile;
  readonly #logger: Logger;
  #entries = new Map<number, SkippedRecord>();
  /** The file as it was last read. */
  #seen = "";

  constructor(host: FileHost, path: string, logger: Logger) {
    this.#host = host;
    this.#path = path;
    this.#file = new StateFile(host, path, logger);
    this.#logger = logger;
  }

  /** Ascending by offset. */
  get all(): readonly SkippedRecord[] {
    return [...this.#entries.values()].sort((a, b) => a.offset - b.offset);
  }

  /** Reads the file. Throws StoreError VERSION when a newer version has written it. */
  load(): void {
    this.#seen = this.#stamp();
    const value = this.#file.load((text) => JSON.parse(text) as Record<string, unknown> | null)?.value ?? {};
    const { version, skipped } = value;
    if (typeof version === "number" && version > SKIPS_VERSION) {
      throw new StoreError(
        "VERSION",
        `${this.#path} has format ${version}, this version knows ${SKIPS_VERSION}: start a newer OrbitMQ`,
      );
    }
    this.#entries = new Map();
    for (const entry of Array.isArray(skipped) ? (skipped as Partial<SkippedRecord>[]) : []) {
      const { offset, end } = entry ?? {};
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(end) || end! <= offset!) continue;
      this.#entries.set(offset!, entry as SkippedRecord);
    }
  }

  /** Whether the file is not as it was last read. Throws HostError. */
  get hasChanged(): boolean {
    return this.#stamp() !== this.#seen;
  }

  /** The decision about the record at `offset`, as the file has it now. For records that cannot be read only. */
  find(offset: number): SkippedRecord | undefined {
    const known = this.#entries.get(offset);
    if (known !== undefined || this.#stamp() === this.#seen) return known;
    try {
      this.load();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#logger.error({ err: error }, "what was skipped cannot be read");
    }
    return this.#entries.get(offset);
  }

  /** Adds a decision, blocking. Throws StoreError VERSION, HostError. */
  addSync(entry: SkippedRecord): void {
    this.load();
    this.#entries.set(entry.offset, entry);
    this.#file.saveSync(JSON.stringify({ version: SKIPS_VERSION, skipped: this.all }));
    this.#seen = this.#stamp();
  }

  #stamp(): string {
    const stat = this.#host.files.statSync(this.#path);
    return stat === undefined ? "" : `${stat.inode} ${stat.modifiedMs} ${stat.sizeBytes}`;
  }
}
