/** One line that says it all, for a message and for a search. Pure. */
import { count } from "./group-story.ts";
import { aheadText, timeText } from "./time-text.ts";
import type {
  DelayWhere,
  GroupState,
  GroupWhere,
  MessageState,
  MessageWhere,
  TransactionWhere,
  WhereResult,
  WhereSearched,
} from "./where-types.ts";

export interface VerdictFacts {
  readonly state: MessageState;
  readonly delay: DelayWhere | undefined;
  readonly transaction: TransactionWhere | undefined;
  readonly groups: readonly GroupWhere[];
  readonly isUnreadable: boolean;
  readonly nowMs: number;
}

/** The worst first: what an operator has to look at. */
const WEIGHT: Readonly<Record<GroupState, number>> = {
  EXPIRED: 0,
  DEAD: 1,
  RETRY: 2,
  IN_FLIGHT: 3,
  WAITING: 4,
  UNKNOWN: 5,
  FILTERED: 6,
  CONSUMED: 7,
};

export function messageVerdict(facts: VerdictFacts): string {
  const { state, delay, transaction, nowMs, isUnreadable } = facts;
  const damage = isUnreadable ? "DAMAGED in the log; " : "";
  switch (state) {
    case "STORED":
      return damage + groupsVerdict(facts.groups);
    case "EXPIRED":
      return isUnreadable
        ? `DAMAGED in the log; ${groupsVerdict(facts.groups)}`
        : `not stored any more, removed with the oldest part of the log; ${groupsVerdict(facts.groups)}`;
    case "DELAYED": {
      const isLate = delay!.untilMs < nowMs ? "overdue: was to be delivered at" : "delayed until";
      return `${damage}${isLate} ${aheadText(delay!.untilMs, nowMs)}, not delivered to any group yet`;
    }
    case "RECALLED":
      return `recalled ${timeText(delay!.recalledMs ?? delay!.untilMs)}: it is not delivered`;
    case "LOST_SIGHT":
      return `was due at ${timeText(delay!.untilMs)}, and what it became is not found: it may have expired since`;
    case "PREPARED":
      return damage + preparedVerdict(transaction!, nowMs);
    case "ROLLED_BACK":
      return "rolled back: the log has no commit, and its transaction is over";
    case "PARKED":
      return `parked after ${count(transaction!.checks, "check")}: nobody has ended its transaction`;
  }
}

function preparedVerdict({ state, checks, checksMax, nextCheckMs }: TransactionWhere, nowMs: number): string {
  if (state === "UNKNOWN") return "half of a transaction; this broker does not tell whether it is over";
  const of = checksMax === undefined ? "" : ` of ${checksMax}`;
  const next = nextCheckMs === undefined ? "" : `, next at ${aheadText(nextCheckMs, nowMs)}`;
  return `half of a transaction, neither committed nor rolled back: ${checks}${of} checks${next}`;
}

function groupsVerdict(groups: readonly GroupWhere[]): string {
  if (groups.length === 0) return "stored; no group consumes its topic";
  const wanting = groups.filter(({ state }) => state !== "FILTERED");
  const consumed = wanting.filter(({ state }) => state === "CONSUMED").length;
  const rest = groups
    .filter(({ state }) => state !== "CONSUMED")
    .sort((a, b) => WEIGHT[a.state] - WEIGHT[b.state])
    .map(({ group, verdict }) => `${group}: ${verdict}`);
  const head =
    wanting.length === 0
      ? "no group wants it"
      : `delivered to ${consumed} of ${count(wanting.length, "group")}`;
  return [head, ...rest].join("; ");
}

/** What may not be searched for in vain: `said` names what was asked for. */
export function searchVerdict(
  said: string,
  messages: readonly MessageWhere[],
  searched: WhereSearched,
  hint: string | undefined,
): WhereResult["verdict"] {
  const holes = searched.brokers.filter(({ complete }) => !complete);
  const problems = holes
    .map(({ brokerName, problems: all }) => `${brokerName}: ${all.join(", ")}`)
    .join("; ");
  if (messages.length === 1) return messages[0]!.verdict;
  if (messages.length > 1) {
    const first = messages.map(({ verdict }, index) => `(${index + 1}) ${verdict}`);
    return `${messages.length} messages; ${first.join("; ")}`;
  }
  const on = searched.brokers.map(({ brokerName }) => brokerName).join(", ") || "no broker";
  if (!searched.complete)
    return `NOT FOUND, but the search is incomplete: ${problems || "no broker is known"}${said === "" ? "" : ` (looked for ${said})`}`;
  const spans = searched.brokers.flatMap(({ fromMs }) => (fromMs === undefined ? [] : [fromMs]));
  const since = spans.length === 0 ? "" : `, whose oldest message is of ${timeText(Math.min(...spans))}`;
  const where = `${count(searched.topics, "topic")} on ${on}${since}`;
  return `not found: ${said} in ${where}${hint === undefined ? "" : `; ${hint}`}`;
}
