/**
 * Groups that pop: a message is given to nobody before its time is over, and to nobody any more once it was
 * acknowledged in time. A broker that ended may have forgotten the times, and how far the group was: that is written
 * every few seconds; what it had by then may come twice from then on. Whether all are popped at all is asked while the
 * cluster becomes live.
 *
 * Times are those of the asking side, which are never later than the broker's own: what is early by them is early.
 */
import type { HistoryEvent } from "./history.ts";
import type { Report } from "./slot-table.ts";

type Popped = Extract<HistoryEvent, { kind: "popped" }>;
type Changed = Extract<HistoryEvent, { kind: "pop-changed" }>;
type Acknowledged = Extract<HistoryEvent, { kind: "pop-acknowledged" }>;

interface State {
  readonly group: string;
  readonly broker: string;
  /** When who has it got it. */
  readonly poppedMs: number;
  /** Nobody else may get it before. */
  untilMs: number;
  /** When it was acknowledged while it was nobody else's. */
  doneMs: number | undefined;
  /** It may exist twice for the group: as it lay, and brought back. */
  isDoubled: boolean;
}

/** Brokers write to disk within this how far groups are: every 5 s, and again 5 s after a write that failed. */
const WRITTEN_MS = 17_000;

interface Finding {
  readonly id: string;
  readonly atMs: number;
  readonly detail: string;
}

export class PopCheck {
  readonly #report: Report;
  readonly #states = new Map<string, State>();
  readonly #findings: Finding[] = [];
  readonly #lossy = new Set<string>();
  /** Broker → when its process ended the last time. */
  readonly #endedMs = new Map<string, number>();
  /** Group → when it was set back the last time. */
  readonly #resetMs = new Map<string, number>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** `sentMs`: when the message was sent; somebody may have popped it, without getting it, since then. */
  popped({ group, broker, id, askedMs, invisibleMs, atMs }: Popped, sentMs: number): void {
    if (this.#lossy.has(broker)) return;
    const key = `${group} ${broker} ${id}`;
    const before = this.#states.get(key);
    if (before?.isDoubled === true) return;
    // The answer was so long on its way that its time was over when another got the message, whose it is.
    if (before !== undefined && askedMs + invisibleMs <= before.poppedMs) return;
    if (before !== undefined && (before.doneMs !== undefined || atMs < before.untilMs)) {
      const when =
        before.doneMs !== undefined
          ? "although it was acknowledged"
          : `before ${Math.ceil(before.untilMs)} ms`;
      this.#findings.push({ id, atMs, detail: `${group} got ${id} from ${broker} again ${when}` });
    }
    const unsureMs = Math.max(this.#endedMs.get(broker) ?? -1, this.#resetMs.get(group) ?? -1);
    const isDoubled = before === undefined && sentMs <= unsureMs;
    this.#states.set(key, {
      group,
      broker,
      poppedMs: atMs,
      untilMs: askedMs + invisibleMs,
      doneMs: undefined,
      isDoubled,
    });
  }

  changed({ group, broker, id, askedMs, invisibleMs }: Changed): void {
    const state = this.#states.get(`${group} ${broker} ${id}`);
    if (state === undefined || state.doneMs !== undefined) return;
    state.untilMs = invisibleMs === 0 ? 0 : askedMs + invisibleMs;
    // A change that a broker has taken half of leaves both times standing.
    if (invisibleMs === 0) state.isDoubled = true;
  }

  acknowledged({ group, broker, id, atMs }: Acknowledged): void {
    const state = this.#states.get(`${group} ${broker} ${id}`);
    if (state !== undefined && atMs < state.untilMs) state.doneMs = atMs;
  }

  repeated({
    group,
    broker,
    attemptId,
    missing,
    atMs,
  }: Extract<HistoryEvent, { kind: "attempt-repeated" }>): void {
    if (missing === undefined) return;
    this.#report("attempts", atMs, `${missing} did not come again for ${attemptId} of ${group} on ${broker}`);
  }

  /** Whatever the group had comes again. */
  reset({ group, atMs }: Extract<HistoryEvent, { kind: "pop-reset" }>): void {
    this.#resetMs.set(group, atMs);
    for (const state of this.#states.values()) if (state.group === group) state.isDoubled = true;
  }

  brokerEnded(broker: string, atMs: number): void {
    this.#endedMs.set(broker, atMs);
    for (const state of this.#states.values()) {
      if (state.broker !== broker) continue;
      if (state.doneMs === undefined || state.doneMs > atMs - WRITTEN_MS) state.isDoubled = true;
    }
  }

  /** ASYNC_FLUSH: offsets are given again after a power loss, and what was popped under them before comes with them. */
  cacheLost(broker: string): void {
    this.#lossy.add(broker);
  }

  /** How far groups were may be lost. */
  forgetBroker(broker: string): void {
    for (const state of this.#states.values()) if (state.broker === broker) state.isDoubled = true;
  }

  /** `copiesOf`: a message that exists twice is given twice. */
  end(copiesOf: (id: string) => number): void {
    for (const { id, atMs, detail } of this.#findings) {
      if (copiesOf(id) <= 1) this.#report("invisible", atMs, detail);
    }
  }
}
