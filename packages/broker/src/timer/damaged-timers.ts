/**
 * Timed messages whose records are damaged: when they are due nothing is left to deliver, and asking the disk again
 * every minute would not change that. Each is said once, counted, and kept in `orbitmq-timer-damaged.json` until its
 * part of the log is removed; every start looks whether the disk gives it right by then (a segment was brought back
 * from a copy), and has it delivered. Saved before the wheel forgets the message: a crash loses none.
 *
 * The file also says how far messages were carried to the log's end (timer-carrier.ts), so that after a restart those the
 * wheel still leads to are not taken for lost.
 *
 *   { "version": 1, "carriedTo", "damaged": [ { "position", "dueMs", "foundMs" } … ] }     dueMs -1: not known
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
  #carriedTo = 0;
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
    const loaded = this.#file?.load(parseDamagedTimers)?.value;
    for (const each of loaded?.damaged ?? []) this.#listed.set(each.position, each);
    this.#carriedTo = loaded?.carriedTo ?? 0;
  }

  /** Everything that waited below this position of the log has a copy behind it. */
  get carriedTo(): number {
    return this.#carriedTo;
  }

  /** Blocking. Throws HostError. */
  noteCarried(carriedTo: number): void {
    this.#carriedTo = carriedTo;
    this.#save();
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
    this.#file?.saveSync(
      formatDamagedTimers({ carriedTo: this.#carriedTo, damaged: [...this.#listed.values()] }),
    );
  }
}

export interface DamagedTimersFile {
  readonly carriedTo: number;
  readonly damaged: readonly DamagedTimer[];
}

export function formatDamagedTimers({ carriedTo, damaged }: DamagedTimersFile): string {
  return formatPrettyFastjson({ version: VERSION, carriedTo, damaged });
}

/** Throws WireError for what is no such text. */
export function parseDamagedTimers(text: string): DamagedTimersFile {
  const json = parseJsonFile(text, TIMER_DAMAGED_FILE);
  if (json.integer("version") !== VERSION) {
    throw new WireError("JSON_MALFORMED", `${TIMER_DAMAGED_FILE} is of version ${json.integer("version")}`);
  }
  const damaged = json.objectList("damaged").map((each) => ({
    position: each.integer("position"),
    dueMs: each.integer("dueMs"),
    foundMs: each.integer("foundMs"),
  }));
  return { carriedTo: json.integer("carriedTo"), damaged };
}
