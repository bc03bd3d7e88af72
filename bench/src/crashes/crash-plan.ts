/**
 * What is tried: an application commits something of its own and tells of it by a message, either in a transaction or by
 * committing first and sending afterwards, with retries until it is acknowledged. At a moment of it either the producer
 * or the broker is killed.
 */

/** `send`: the local commit, then a send that is repeated until it is acknowledged. */
export type Way = "transaction" | "send";
export type Victim = "producer" | "broker";

/**
 * Where the application stands when the blow comes; `sending` is amid a flow of messages, some of them on their way.
 *
 *   transaction   before ── sending ── half is stored ── between ── local commit ── after ── end
 *   send          local commit ── before ── sending ── its answer ── after
 */
export type Point = "before" | "sending" | "between" | "after";

export interface CrashCase {
  readonly way: Way;
  readonly victim: Victim;
  readonly point: Point;
}

/** What became of the messages of one case. */
export interface CrashOutcome extends CrashCase {
  readonly messages: number;
  /** Of them, by the application itself. */
  readonly committed: number;
  readonly delivered: number;
  /** Committed, and never delivered. */
  readonly lost: number;
  readonly twice: number;
  /** Delivered, and not committed. */
  readonly untrue: number;
}

export const crashCases: readonly CrashCase[] = (["transaction", "send"] as const).flatMap((way) =>
  (["producer", "broker"] as const).flatMap((victim) =>
    (["before", "sending", "between", "after"] as const)
      .filter((point) => way === "transaction" || point !== "between")
      .map((point) => ({ way, victim, point })),
  ),
);

/** Of the messages of a flow, so many at a time. */
export const FLOW_IN_FLIGHT = 64;
/** A flow has so many times the messages of a case that stands still. */
export const FLOW_TIMES = 30;
/** A blow amid a flow is struck so often: what it finds on its way is a matter of its moment. */
export const FLOW_BLOWS = 5;

/** How many messages a case has. */
export function messagesOf({ point }: Pick<CrashCase, "point">, messages: number): number {
  return point === "sending" ? FLOW_TIMES * messages : messages;
}

const MOMENTS: Readonly<Record<Way, Readonly<Partial<Record<Point, string>>>>> = {
  transaction: {
    before: "before the send",
    sending: "halves are on their way",
    between: "half stored, local commit not begun",
    after: "after the local commit, before the end is told",
  },
  send: {
    before: "after the local commit, before the send",
    sending: "sends are on their way",
    after: "the send is acknowledged",
  },
};

/** Of one case. `committed`: ids; `copies`: how often each id was delivered. */
export function outcomeOf(
  one: CrashCase,
  messages: number,
  committed: ReadonlySet<string>,
  copies: ReadonlyMap<string, number>,
): CrashOutcome {
  const ids = [...copies.keys()];
  return {
    ...one,
    messages,
    committed: committed.size,
    delivered: copies.size,
    lost: [...committed].filter((id) => !copies.has(id)).length,
    twice: ids.filter((id) => copies.get(id)! > 1).length,
    untrue: ids.filter((id) => !committed.has(id)).length,
  };
}

/** Several blows of one case as one. */
export function together(outcomes: readonly CrashOutcome[]): CrashOutcome {
  const [first] = outcomes as readonly [CrashOutcome, ...CrashOutcome[]];
  const sum = (of: (outcome: CrashOutcome) => number): number =>
    outcomes.reduce((total, each) => total + of(each), 0);
  return {
    ...first,
    messages: sum(({ messages }) => messages),
    committed: sum(({ committed }) => committed),
    delivered: sum(({ delivered }) => delivered),
    lost: sum(({ lost }) => lost),
    twice: sum(({ twice }) => twice),
    untrue: sum(({ untrue }) => untrue),
  };
}

/** A Markdown table. */
export function crashTable(outcomes: readonly CrashOutcome[]): string[] {
  return [
    "| way | kill -9 of | when | messages | committed locally | delivered | lost | twice | delivered, not committed |",
    "|---|---|---|---|---|---|---|---|---|",
    ...outcomes.map(({ way, victim, point, ...numbers }) => {
      const name = way === "transaction" ? "transaction" : "commit, then send with retries";
      const { messages, committed, delivered, lost, twice, untrue } = numbers;
      const cells = [messages, committed, delivered, lost, twice, untrue];
      return `| ${name} | ${victim} | ${MOMENTS[way][point]} | ${cells.join(" | ")} |`;
    }),
  ];
}
