/**
 * What has been done about dead letters. A message cannot be taken out of a log, neither RocketMQ's nor ours, so what
 * became of it is written into the same broker's log: into the topic ORBITMQ_DLQ_LEDGER, one queue on each broker. An
 * entry lies behind the letters it names: it cannot be lost to a torn tail, or to retention, before they are.
 *
 *   dead ──intend──▶ intended ──redriven──▶ redriven
 *    │                  ╰── the run broke off: the next one looks in the topic whether the message is there
 *    ╰──deleted──▶ deleted
 *
 * An entry is a message, its tag the group, its body one JSON object:
 *
 *   {"v":1,"group":G,"did":"begin"|"intend"|"redriven"|"deleted","letters":[[queueId,queueOffset,physicalOffset,TOPIC],…]}
 *
 * TOPIC is where an intended letter is to go. `begin` names no letters: whoever reads it has read all before it. Pure.
 */
import { OrbitError } from "../../errors/errors.ts";
import type { DeadLetterState } from "./dead-letter.ts";

export const LEDGER_TOPIC = "ORBITMQ_DLQ_LEDGER";

/** The letters of one entry. */
export const LEDGER_LETTERS_MAX = 32;

export type LedgerDeed = "begin" | "intend" | "redriven" | "deleted";

/** A letter's place. Its physical offset is its name: no other record of that log ever has it. */
export interface LetterPlace {
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
}

export interface LedgerLetter extends LetterPlace {
  /** Where it is to go; of intended ones only. */
  readonly to?: string;
}

export interface LedgerEntry {
  readonly group: string;
  readonly did: LedgerDeed;
  readonly letters: readonly LedgerLetter[];
}

/** A tag cannot contain what groups may: `|`. */
export function ledgerTag(group: string): string {
  return group.replaceAll("|", ".");
}

export function encodeEntry({ group, did, letters }: LedgerEntry): Uint8Array {
  const rows = letters.map(({ queueId, queueOffset, physicalOffset, to }) =>
    to === undefined ? [queueId, queueOffset, physicalOffset] : [queueId, queueOffset, physicalOffset, to],
  );
  return Buffer.from(JSON.stringify({ v: 1, group, did, letters: rows }));
}

const DEEDS: ReadonlySet<unknown> = new Set<LedgerDeed>(["begin", "intend", "redriven", "deleted"]);

/** Throws PROTOCOL_ERROR for what is no entry. */
export function parseEntry(body: Uint8Array): LedgerEntry {
  const invalid = (cause?: unknown) =>
    new OrbitError("PROTOCOL_ERROR", `a message in ${LEDGER_TOPIC} is no entry of it`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString());
  } catch (cause) {
    throw invalid(cause);
  }
  const { v, group, did, letters } = (value ?? {}) as Record<string, unknown>;
  if (v !== 1 || typeof group !== "string" || !DEEDS.has(did) || !Array.isArray(letters)) throw invalid();
  return { group, did: did as LedgerDeed, letters: letters.map((row: unknown) => letterOf(row, invalid)) };
}

function letterOf(row: unknown, invalid: () => OrbitError): LedgerLetter {
  const [queueId, queueOffset, physicalOffset, to] = Array.isArray(row) ? (row as unknown[]) : [];
  const isPlace = [queueId, queueOffset, physicalOffset].every(
    (number) => Number.isSafeInteger(number) && (number as number) >= 0,
  );
  if (!isPlace || (to !== undefined && typeof to !== "string")) throw invalid();
  const place = { queueId, queueOffset, physicalOffset } as LetterPlace;
  return to === undefined ? place : { ...place, to };
}

/** One group's letters on one broker. */
export class Ledger {
  /** By physical offset. */
  readonly #done = new Map<number, { readonly state: DeadLetterState; readonly place: LetterPlace }>();
  readonly #intended = new Map<number, Set<string>>();

  /** In the order they lie in. */
  add({ did, letters }: LedgerEntry): void {
    for (const { to, ...place } of letters) {
      const { physicalOffset } = place;
      if (did === "intend" && to !== undefined) {
        const topics = this.#intended.get(physicalOffset) ?? new Set();
        this.#intended.set(physicalOffset, topics.add(to));
      } else if (did === "redriven" || did === "deleted") {
        this.#done.set(physicalOffset, { state: did, place });
        this.#intended.delete(physicalOffset);
      }
    }
  }

  stateOf(physicalOffset: number): DeadLetterState {
    return this.#done.get(physicalOffset)?.state ?? "dead";
  }

  /** Topics it was to go to when a run broke off; it may be there. */
  intendedFor(physicalOffset: number): readonly string[] {
    return [...(this.#intended.get(physicalOffset) ?? [])];
  }

  /** Letters of a queue from an offset of the log on that are redriven or deleted. */
  doneOf(queueId: number, fromPhysicalOffset: number): { state: DeadLetterState; place: LetterPlace }[] {
    return [...this.#done.values()].filter(
      ({ place }) => place.queueId === queueId && place.physicalOffset >= fromPhysicalOffset,
    );
  }
}
