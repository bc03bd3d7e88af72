/** Writes the history of a run as it happens, in virtual time. */
import type { SimWorld } from "@orbitmq/host/sim";
import type { Invariant } from "./checker/check.ts";
import { type HistoryEvent, LAST_READER } from "./checker/history.ts";

type WithoutTime<T> = T extends unknown ? Omit<T, "atMs"> : never;

export class Recorder {
  readonly events: HistoryEvent[] = [];
  /** What was acknowledged so far, and where. */
  readonly acknowledged: Extract<HistoryEvent, { kind: "acknowledged" }>[] = [];
  /** What was seen so far. */
  readonly seen: Extract<HistoryEvent, { kind: "seen" }>[] = [];
  /** Messages that appear later than they are sent, and have not. */
  readonly #promised = new Set<string>();
  readonly #world: SimWorld;
  readonly #log: ((line: string) => void) | undefined;

  /** `log` sees each entry as a line. */
  constructor(world: SimWorld, log?: (line: string) => void) {
    this.#world = world;
    this.#log = log;
  }

  add(event: WithoutTime<HistoryEvent>): void {
    const stamped = event as HistoryEvent & { atMs: number };
    stamped.atMs = this.#world.nowMs;
    this.events.push(stamped);
    if (stamped.kind === "acknowledged") this.acknowledged.push(stamped);
    else if (stamped.kind === "seen") this.seen.push(stamped);
    if (this.#log !== undefined) {
      const { kind, atMs: _, ...rest } = stamped;
      this.#log(`${kind} ${JSON.stringify(rest)}`);
    }
    if (stamped.kind === "seen" && this.#promised.size > 0) this.#appeared(stamped);
  }

  /**
   * A message nobody is told the place of: the broker brings it into its topic by itself. Where it is seen first it
   * counts as acknowledged from then on: what was visible once must stay, and reach all who subscribed.
   */
  promise(id: string): void {
    this.#promised.add(id);
  }

  #appeared({ id, by, queue, offset, survives }: Extract<HistoryEvent, { kind: "seen" }>): void {
    if (id === undefined || by === LAST_READER || queue.startsWith("%RETRY%")) return;
    if (this.#promised.delete(id)) this.add({ kind: "acknowledged", id, queue, offset, survives });
  }

  failure(invariant: Extract<Invariant, "live" | "settles" | "no-crash" | "starts">, detail: string): void {
    this.add({ kind: "failure", invariant, detail });
  }
}
