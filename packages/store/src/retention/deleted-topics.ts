/**
 * Topics that were deleted: whatever the log has of them below a position is gone, although its records lie there until
 * retention removes them. This, not the queues' files, is what a deletion is: queues that are built again from the log
 * begin behind it as the others do, and their offsets go on where they were, so that nobody who still holds an old
 * offset is led astray when the topic is made again (RocketMQ deletes the queues' files; what a recovery finds of them
 * in the log comes back).
 *
 *   {"version":1,"topics":[["<topic>",<position>],…]}
 *
 * A position never lies behind the end of the log: what a crash has cut off there is appended anew, and is not deleted.
 */
import type { Host, Logger } from "@orbitmq/host";
import { StateFile, type StateSpace } from "../state/state-file.ts";
import { StoreError } from "../store-error.ts";

const VERSION = 1;

export class DeletedTopics {
  readonly #file: StateFile;
  readonly #logger: Logger;
  #positions: ReadonlyMap<string, number> = new Map();

  constructor(host: Pick<Host, "files" | "timers">, path: string, logger: Logger, space: StateSpace) {
    this.#file = new StateFile(host, path, logger, space);
    this.#logger = logger;
  }

  /** Records of the topic below are deleted; 0: none. */
  positionOf(topic: string): number {
    return this.#positions.size === 0 ? 0 : (this.#positions.get(topic) ?? 0);
  }

  topics(): readonly string[] {
    return [...this.#positions.keys()];
  }

  /** Throws StoreError VERSION when a newer version has written it. */
  load(): void {
    const loaded = this.#file.load(parse);
    if (loaded !== undefined && loaded.value.version > VERSION) {
      const { version } = loaded.value;
      throw new StoreError(
        "VERSION",
        `${this.#file.path} has format ${version}, this version knows ${VERSION}`,
      );
    }
    if (loaded !== undefined) this.#positions = loaded.value.positions;
    else if (this.#file.isLost)
      this.#logger.error("which topics were deleted is not known any more: what the log has of them is back");
  }

  /** Deletes what lies below `position`. Throws HostError, and then nothing has changed. */
  addSync(topics: readonly string[], position: number): void {
    const positions = new Map(this.#positions);
    for (const topic of topics) positions.set(topic, position);
    this.#saveSync(positions, 1);
  }

  /**
   * The log is being cut, or has been, at `end`. In the backup, too: a position that lies behind the end only until the
   * log has grown past it would be believed by a later start. Throws HostError.
   */
  cutSync(end: number): void {
    if ([...this.#positions.values()].every((position) => position <= end)) return;
    const positions = new Map<string, number>();
    for (const [topic, position] of this.#positions) positions.set(topic, Math.min(position, end));
    this.#saveSync(positions, 2);
  }

  close(): void {
    this.#file.close();
  }

  #saveSync(positions: ReadonlyMap<string, number>, copies: number): void {
    const text = JSON.stringify({ version: VERSION, topics: [...positions] });
    for (let copy = 0; copy < copies; copy += 1) this.#file.saveSync(text);
    this.#positions = positions;
  }
}

interface Content {
  readonly version: number;
  readonly positions: ReadonlyMap<string, number>;
}

function parse(text: string): Content {
  const { version, topics } = JSON.parse(text) as { version?: unknown; topics?: unknown };
  const positions = new Map<string, number>();
  if (typeof version !== "number") throw new Error("it has no version");
  if (version > VERSION) return { version, positions };
  if (!Array.isArray(topics)) throw new Error("it has no list of topics");
  for (const entry of topics as unknown[]) {
    const [topic, position] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof topic !== "string" || !Number.isSafeInteger(position) || (position as number) < 0)
      throw new Error("an entry is not a topic and a position");
    positions.set(topic, position as number);
  }
  return { version, positions };
}
