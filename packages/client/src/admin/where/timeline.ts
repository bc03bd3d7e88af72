/** The events of one message's life in the order of time, those ahead included. Pure. */
import type { PopWhereabouts } from "@orbitmq/wire";
import type { Copy } from "./copies.ts";
import type { Life } from "./lives.ts";
import type {
  DelayWhere,
  GroupWhere,
  MessageWhere,
  StoredAt,
  TimelineEvent,
  TransactionWhere,
} from "./where-types.ts";

export interface TimelineFacts {
  readonly life: Life;
  readonly born: Pick<MessageWhere, "bornMs" | "bornHost">;
  readonly atOf: (copy: Copy) => StoredAt;
  readonly delay: DelayWhere | undefined;
  readonly transaction: TransactionWhere | undefined;
  readonly groups: readonly GroupWhere[];
  /** Pops that are not over, of the message and of its copies. */
  readonly pops: readonly PopWhereabouts[];
  /** When a copy that waits is, or was, due. */
  readonly dueMsOf: (copy: Copy) => number;
  /** Messages that this one's dead letters became. */
  readonly redriven: readonly { readonly group: string; readonly at: StoredAt }[];
}

export function timelineOf(facts: TimelineFacts): TimelineEvent[] {
  const { life, born, atOf, delay, transaction, groups, pops, dueMsOf, redriven } = facts;
  const events: TimelineEvent[] = [];
  const add = (atMs: number, event: string, text: string, group?: string): void => {
    events.push({ atMs, event, text, ahead: AHEAD.has(event), ...(group === undefined ? {} : { group }) });
  };
  add(born.bornMs, "born", `born at ${born.bornHost}`);
  for (const [index, half] of life.halves.entries()) {
    const what = index === 0 ? "half of a transaction stored" : `producer asked (check ${index})`;
    add(
      half.record.storeTimestamp,
      index === 0 ? "prepared" : "checked",
      `${what}, ${placeText(atOf(half))}`,
    );
  }
  if (life.parked !== undefined)
    add(life.parked.record.storeTimestamp, "parked", `parked, ${placeText(atOf(life.parked))}`);
  for (const [index, copy] of life.delays.entries()) {
    const what = index === 0 ? "stored to wait" : "put back to wait on";
    add(copy.record.storeTimestamp, "delayed", `${what}, ${placeText(atOf(copy))}`);
  }
  if (life.deletion !== undefined) add(life.deletion.record.storeTimestamp, "recalled", "recalled");
  if (life.message !== undefined) {
    const isCommit = transaction !== undefined;
    const what = isCommit ? "committed: stored" : delay === undefined ? "stored" : "delivered: stored";
    add(
      life.message.record.storeTimestamp,
      isCommit ? "committed" : "stored",
      `${what}, ${placeText(atOf(life.message))}`,
    );
  }
  if (delay?.state === "waiting") add(delay.untilMs, "due", "due");
  if (transaction?.nextCheckMs !== undefined)
    add(transaction.nextCheckMs, "check", "its producer is asked, or it is parked");
  for (const [group, copies] of life.returns) {
    for (const copy of copies) {
      const times = copy.record.reconsumeTimes;
      const place = placeText(atOf(copy));
      const [event, text] =
        copy.kind === "dead"
          ? ["dead", `dead letter, ${place}`]
          : copy.kind === "retry"
            ? ["retried", `retry ${times} can be consumed, ${place}`]
            : ["returned", `failed, retry ${times} waits, ${place}`];
      add(copy.record.storeTimestamp, event!, text!, group);
    }
    const waiting = copies.at(-1);
    if (waiting !== undefined && waiting.kind !== "dead" && waiting.kind !== "retry")
      add(dueMsOf(waiting), "attempt", `retry ${waiting.record.reconsumeTimes}`, group);
  }
  for (const { group, at } of redriven) add(at.storedMs, "redriven", `sent again, ${placeText(at)}`, group);
  for (const { group, popTime, visibleAtMs, state, poppedBy } of pops) {
    add(popTime, "popped", `popped${poppedBy === undefined ? "" : ` by ${poppedBy}`}`, group);
    const isHeld = groups.some((each) => each.group === group && each.state === "IN_FLIGHT");
    if (state === "open" && isHeld)
      add(visibleAtMs, "visible", "comes again unless it is acknowledged", group);
  }
  // The same moment: as they were added, which is the order of cause.
  return events.sort((a, b) => a.atMs - b.atMs || Number(a.ahead) - Number(b.ahead));
}

const AHEAD: ReadonlySet<string> = new Set(["due", "check", "attempt", "visible"]);

/** `TopicA queue 3 offset 17 (broker-a 4711)`. */
export function placeText({ topic, queueId, queueOffset, brokerName, position }: StoredAt): string {
  return `${topic} queue ${queueId} offset ${queueOffset} (${brokerName}, log ${position})`;
}
