/**
 * Timed messages whose records are damaged: when they are due nothing is left to deliver, and asking the disk again
 * every minute would not change that. Each is said once, counted, and kept in `orbitmq-timer-damaged.json` until its
 * part of the log is removed; every start looks whether the disk gives it right by then (a segment was brought back
 * from a copy), and has it delivered. Saved before the wheel forgets the message: a crash loses none.
 *
 *   { "version": 1, "damaged": [ { "position", "dueMs", "foundMs" } … ] }     dueMs -1: not known
 */
import type { Logger } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import { parseJsonFile, WireError } from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";

export const TIMER_DAMAGED_FILE = "orbitmq-timer-damaged.json";
const VERSION = 1;
/** Those beyond are said, and not listed. */
const LISTED_MAX = 10_000;

export interface DamagedTimer {
  /** Where the record begins in the log: what `orbitmq store dump --from-position` takes. */
  readonly position: number;
  /** Wall ms, whole seconds. */
  readonly dueMs: number;
  readonly foundMs: number;
}

export class DamagedTimers {
  readonly #file: StateFile | undefined;
  readonly #logger: Logger;
  readonly #listed = new Map<number, DamagedTimer>();
  /** Seen damaged once, and tried once more. */
  readonly #suspects = new Set<number>();

  constructor(file: StateFile | undefined, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  get count(): number {
    return this.#listed.size;
  }

  get all(): readonly DamagedTimer[] {
    return [...this.#listed.values()];
  }

  load(): void {
    for (const each of this.#file?.load(parseDamagedTimers)?.value ?? [])
      this.#listed.set(each.position, each);
  }

  /** Whether the record was seen damaged before; a first time may be the cable's fault. */
  isKnown(position: number): boolean {
    if (this.#listed.has(position)) return true;
    const isKnown = this.#suspects.delete(position);
    if (!isKnown && this.#suspects.size < LISTED_MAX) this.#suspects.add(position);
    return isKnown;
  }

  /** It is on disk that this one is damaged. Blocking. Throws HostError; then it is not listed. */
  add(timer: DamagedTimer): void {
    if (this.#listed.has(timer.position)) return;
    if (this.#listed.size < LISTED_MAX) {
      this.#listed.set(timer.position, timer);
      try {
        this.#save();
      } catch (error) {
        this.#listed.delete(timer.position);
        throw error;
      }
    }
    this.#logger.error(
      { ...timer, file: this.#file?.path },
      "a timed message is damaged in the log and cannot be delivered; it is listed, and tried again at each start",
    );
  }

  /** Those that are delivered after all, or gone. Blocking. Throws HostError; then they are still listed. */
  remove(positions: readonly number[]): void {
    if (positions.length === 0) return;
    const removed = positions.map((position) => this.#listed.get(position));
    for (const position of positions) this.#listed.delete(position);
    try {
      this.#save();
    } catch (error) {
      for (const each of removed) if (each !== undefined) this.#listed.set(each.position, each);
      throw error;
    }
  }

  close(): void {
    this.#file?.close();
  }

  #save(): void {
    this.#file?.saveSync(formatDamagedTimers(this.#listed.values()));
  }
}

export function formatDamagedTimers(damaged: Iterable<DamagedTimer>): string {
  return formatPrettyFastjson({ version: VERSION, damaged: [...damaged] });
}

/** Throws WireError for what is no such text. */
export function parseDamagedTimers(text: string): DamagedTimer[] {
  const json = parseJsonFile(text, TIMER_DAMAGED_FILE);
  if (json.integer("version") !== VERSION) {
    throw new WireError("JSON_MALFORMED", `${TIMER_DAMAGED_FILE} is of version ${json.integer("version")}`);
  }
  return json.objectList("damaged").map((each) => ({
    position: each.integer("position"),
    dueMs: each.integer("dueMs"),
    foundMs: each.integer("foundMs"),
  }));
}
