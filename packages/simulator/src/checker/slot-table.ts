/** What every (queue, offset) is known to hold: acknowledged there, seen there, the same for ever. */
import type { Invariant } from "./check.ts";
import { brokerOf, type HistoryEvent, type QueueKey } from "./history.ts";

export type Report = (invariant: Invariant, atMs: number, detail: string) => void;

interface Slot {
  id: string;
  /** undefined until somebody saw it. */
  copy: string | undefined;
  acknowledged: boolean;
  seenBy: string | undefined;
}

export class SlotTable {
  readonly #report: Report;
  readonly #queues = new Map<QueueKey, Map<number, Slot>>();
  /** Message id → the copies of it that were ever seen, `queue copy`; a list once there are two. */
  readonly #copies = new Map<string, string | string[]>();

  constructor(report: Report) {
    this.#report = report;
  }

  acknowledged(queue: QueueKey, offset: number, id: string, atMs: number): void {
    const slots = this.#slotsOf(queue);
    const slot = slots.get(offset);
    if (slot === undefined) {
      slots.set(offset, { id, copy: undefined, acknowledged: true, seenBy: undefined });
      return;
    }
    if (slot.id !== id) {
      const what = slot.acknowledged ? "acknowledged" : `seen by ${slot.seenBy}`;
      this.#report(
        slot.acknowledged ? "slot-unique" : "slot-stable",
        atMs,
        `${id} was acknowledged at ${queue} offset ${offset}, where ${slot.id} was ${what} before`,
      );
    }
    slot.acknowledged = true;
  }

  seen(event: Extract<HistoryEvent, { kind: "seen" }>): void {
    const { queue, offset, copy, by, atMs } = event;
    const id = event.id as string;
    // What was sent back is a copy by intent.
    if (!queue.startsWith("%RETRY%")) this.#countCopy(id, `${queue} ${copy}`);
    const slots = this.#slotsOf(queue);
    const slot = slots.get(offset);
    if (slot === undefined) {
      slots.set(offset, { id, copy, acknowledged: false, seenBy: by });
      return;
    }
    if (slot.id !== id || (slot.copy !== undefined && slot.copy !== copy)) {
      const before = slot.seenBy === undefined ? "was acknowledged" : `was seen by ${slot.seenBy}`;
      this.#report(
        "slot-stable",
        atMs,
        `${by} saw ${id} (${copy}) at ${queue} offset ${offset}, where ${slot.id} (${slot.copy ?? "?"}) ${before}`,
      );
    }
    slot.copy = copy;
    slot.seenBy = by;
  }

  /** How many copies of a message were seen, over all queues. */
  copiesOf(id: string): number {
    const copies = this.#copies.get(id);
    if (copies === undefined) return 0;
    return typeof copies === "string" ? 1 : copies.length;
  }

  #countCopy(id: string, copy: string): void {
    const copies = this.#copies.get(id);
    if (copies === undefined) this.#copies.set(id, copy);
    else if (typeof copies === "string") {
      if (copies !== copy) this.#copies.set(id, [copies, copy]);
    } else if (!copies.includes(copy)) copies.push(copy);
  }

  /** The queue was read from `from` up to `to`: every offset between was seen, and nothing known lies outside. */
  checkNoHoles(queue: QueueKey, from: number, to: number): void {
    const slots = this.#slotsOf(queue);
    for (let offset = from; offset < to; offset++) {
      const slot = slots.get(offset);
      if (slot === undefined || slot.seenBy === undefined) {
        this.#report(
          "no-holes",
          0,
          `nobody could read ${queue} offset ${offset}; it has ${from} to ${to - 1}`,
        );
      }
    }
    for (const [offset, slot] of slots) {
      if (offset < to || slot.seenBy === undefined) continue;
      this.#report(
        "slot-stable",
        0,
        `${slot.seenBy} saw ${slot.id} at ${queue} offset ${offset}; in the end the queue ends at ${to}`,
      );
    }
  }

  /** What this broker showed counts no longer (ASYNC_FLUSH after a power loss). */
  forgetBroker(broker: string): void {
    for (const [queue, slots] of this.#queues) if (brokerOf(queue) === broker) slots.clear();
  }

  #slotsOf(queue: QueueKey): Map<number, Slot> {
    let slots = this.#queues.get(queue);
    if (slots === undefined) {
      slots = new Map();
      this.#queues.set(queue, slots);
    }
    return slots;
  }
}
