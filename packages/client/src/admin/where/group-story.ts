/**
 * What one group has done with a message, from the place where it lies and the copies that came back from the group.
 * The newest copy counts: what happened before led to it. Pure.
 *
 *   dead     it is in the dead-letter topic
 *   retry    it waits to come back, or lies in the retry topic: then as below, for that place
 *   message  popped | passed by the committed offset | held by a member | not wanted | not there any more | waiting
 */
import { OrbitProperty, type PopWhereabouts } from "@orbitmq/wire";
import type { Copy } from "./copies.ts";
import { aheadText, timeText } from "./time-text.ts";
import type { GroupState, GroupWhere, StoredAt } from "./where-types.ts";

/** What is known of a group's way with one copy that can be consumed. */
export interface Attempt {
  readonly at: StoredAt;
  readonly committedOffset: number | undefined;
  /** The group's newest pop of it that is not over. */
  readonly pop: PopWhereabouts | undefined;
  /** Who popped it, if it is known. */
  readonly poppedBy: string | undefined;
  /** By the subscription as it is now; `undefined`: everything, or nobody can tell. */
  readonly isWanted: boolean | undefined;
  /** The expression that is told of. */
  readonly expression: string | undefined;
  /** Members that have pulled it and not consumed it, by what they say. */
  readonly heldBy: readonly string[];
  /** A member that has consumed it and has yet to commit. */
  readonly doneBy: string | undefined;
  readonly isOnline: boolean;
  /** Each member keeps offsets of its own. */
  readonly isBroadcast: boolean;
  /** The group pops, and the broker does not tell of pops. */
  readonly popsUntold: boolean;
}

export interface GroupFacts {
  readonly group: string;
  readonly nowMs: number;
  /** Of the message itself; absent when it is gone. */
  readonly first: Attempt | undefined;
  /** Copies that came back from the group, in the order of the log. */
  readonly returns: readonly { readonly copy: Copy; readonly at: StoredAt }[];
  /** Of the newest of them, when it lies in a retry topic. */
  readonly last: Attempt | undefined;
  /** When the newest is due, when it waits. */
  readonly dueMs: number | undefined;
  readonly retriesMax: number | undefined;
  /** Store time of what the dead letter became when it was sent again. */
  readonly redrivenMs: number | undefined;
}

type Told = Pick<GroupWhere, "state" | "verdict"> & {
  readonly nextAttemptMs?: number;
  readonly heldBy?: readonly string[];
};

export function groupStory(facts: GroupFacts): GroupWhere {
  const { group, returns, first, last, retriesMax } = facts;
  const newest = returns.at(-1);
  const retries = Math.max(0, ...returns.map(({ copy }) => copy.record.reconsumeTimes));
  const failure = newest?.copy.properties.get(OrbitProperty.FAILURE) || undefined;
  const told = newest === undefined ? firstStory(facts) : returnStory(facts, newest.copy, newest.at);
  const hasFailed = told.state === "RETRY" || told.state === "DEAD";
  const committedOffset = (last ?? first)?.committedOffset;
  return {
    group,
    ...told,
    verdict: hasFailed && failure !== undefined ? `${told.verdict} (${failure})` : told.verdict,
    retries,
    ...(retriesMax === undefined ? {} : { retriesMax }),
    ...(failure === undefined ? {} : { failure }),
    ...(committedOffset === undefined ? {} : { committedOffset }),
    ...(newest === undefined ? {} : { copy: newest.at }),
  };
}

function firstStory({ first, nowMs }: GroupFacts): Told {
  if (first === undefined) return { state: "UNKNOWN", verdict: "the message is not stored any more" };
  return attemptStory(first, nowMs, "");
}

function returnStory(facts: GroupFacts, copy: Copy, at: StoredAt): Told {
  const { nowMs, dueMs, last, redrivenMs } = facts;
  const { reconsumeTimes, storeTimestamp } = copy.record;
  if (copy.kind === "dead") {
    const again = redrivenMs === undefined ? "" : `, sent again ${timeText(redrivenMs)}`;
    const after = `after ${count(Math.max(0, reconsumeTimes - 1), "retry", "retries")}`;
    const where = `${at.topic} queue ${at.queueId} offset ${at.queueOffset}`;
    return {
      state: "DEAD",
      verdict: `dead letter since ${timeText(storeTimestamp)} ${after}, in ${where}${again}`,
    };
  }
  const which = `retry ${reconsumeTimes}${facts.retriesMax === undefined ? "" : ` of ${facts.retriesMax}`}`;
  if (dueMs !== undefined) {
    const next = dueMs > nowMs ? `next at ${aheadText(dueMs, nowMs)}` : `was due ${aheadText(dueMs, nowMs)}`;
    return { state: "RETRY", verdict: `${which}, ${next}`, nextAttemptMs: dueMs };
  }
  if (last === undefined) return { state: "RETRY", verdict: which };
  const told = attemptStory(last, nowMs, `${which}, `);
  return told.state === "WAITING" ? { ...told, state: "RETRY" } : told;
}

function attemptStory(attempt: Attempt, nowMs: number, prefix: string): Told {
  const { at, committedOffset, pop, heldBy, doneBy, isWanted, queue } = {
    ...attempt,
    queue: spanOf(attempt),
  };
  const tell = (state: GroupState, text: string, more: Partial<Told> = {}): Told => ({
    state,
    verdict: `${prefix}${text}`,
    ...more,
  });
  if (pop?.state === "acknowledged") return tell("CONSUMED", "acknowledged");
  if (pop?.state === "open") {
    const by = attempt.poppedBy ?? pop.poppedBy;
    const until = aheadText(pop.visibleAtMs, nowMs);
    return tell("IN_FLIGHT", `popped${by === undefined ? "" : ` by ${by}`}, invisible until ${until}`, {
      nextAttemptMs: pop.visibleAtMs,
      ...(by === undefined ? {} : { heldBy: [by] }),
    });
  }
  if (pop?.state === "revived") return tell("RETRY", "not acknowledged in time: it comes again");
  if (isWanted === false)
    return tell("FILTERED", `not wanted: it subscribes to ${attempt.expression ?? "something else"}`);
  if (attempt.isBroadcast)
    return tell("UNKNOWN", "broadcasting: each member keeps its own offset, and does not tell it");
  if (heldBy.length > 0)
    return tell("IN_FLIGHT", `pulled and not yet consumed, by ${heldBy.join(", ")}`, { heldBy });
  const isPassed = committedOffset !== undefined && committedOffset > at.queueOffset;
  if (isPassed && attempt.popsUntold)
    return tell("UNKNOWN", "popped; this broker does not tell whether it was acknowledged");
  if (isPassed) return tell("CONSUMED", prefix === "" ? "consumed" : "consumed then");
  if (doneBy !== undefined)
    return tell("CONSUMED", `consumed by ${doneBy}, which has yet to commit its offset`);
  if (queue !== undefined && at.queueOffset < queue.min)
    return tell("EXPIRED", `expired before it was consumed: its queue begins at ${queue.min}`);
  if (queue !== undefined && at.queueOffset >= queue.max)
    return tell("UNKNOWN", "it is not in its queue: the topic was deleted, or the queue is behind the log");
  const who = attempt.isOnline ? "" : "; nobody of it is online";
  if (committedOffset === undefined) return tell("WAITING", `not yet: it has no offset in this queue${who}`);
  const before = at.queueOffset - committedOffset;
  return tell("WAITING", `not yet: ${before === 0 ? "next" : `${count(before, "message")} before it`}${who}`);
}

function spanOf({ at }: Attempt): { min: number; max: number } | undefined {
  const { queueMinOffset: min, queueMaxOffset: max } = at;
  return min === undefined || max === undefined ? undefined : { min, max };
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
