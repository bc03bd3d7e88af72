import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check } from "./check.ts";
import { type HistoryEvent, LAST_READER } from "./history.ts";

const OPTIONS: CheckOptions = {
  flush: "SYNC_FLUSH",
  groups: [],
  subscribers: [{ group: "s", topic: "t", listens: true }],
};
const QUEUE = "t@a:0";
const KEPT: readonly HistoryEvent[] = [
  { kind: "send", atMs: 1, id: "1", producer: "p", waits: true },
  { kind: "acknowledged", atMs: 2, id: "1", queue: QUEUE, offset: 0, survives: true },
  {
    kind: "seen",
    atMs: 3,
    by: LAST_READER,
    queue: QUEUE,
    offset: 0,
    id: "1",
    copy: "0",
    intact: true,
    survives: true,
  },
  { kind: "drained", atMs: 9, queue: QUEUE, from: 0, to: 1 },
];
const listened = (success: boolean, group = "s", queue = QUEUE, atMs = 4): HistoryEvent => ({
  kind: "listened",
  atMs,
  group,
  by: "m",
  queue,
  offset: 0,
  id: "1",
  success,
});
const acknowledging = (queue = QUEUE, group = "s"): HistoryEvent => ({
  kind: "pop-acknowledging",
  atMs: 5,
  group,
  queue,
  offset: 0,
});

function broken(events: readonly HistoryEvent[], options: CheckOptions = OPTIONS): readonly string[] {
  return check([...KEPT, ...events], options).violations.map(({ invariant }) => invariant);
}

test("what reaches a subscriber, from its queue or from a retry topic, is consumed", () => {
  assert.deepEqual(broken([listened(true), acknowledging()]), []);
  const retried = "%RETRY%s_t@a:0";
  assert.deepEqual(broken([listened(false), listened(true, "s", retried), acknowledging(retried)]), []);
});

test("an acknowledged message that a subscriber never had is missed", () => {
  assert.deepEqual(broken([]), ["consumed"]);
  assert.deepEqual(broken([listened(false)]), ["consumed"]);
  assert.deepEqual(broken([listened(true, "another")]), ["consumed"]);
});

test("a message of another topic is none of a subscriber's", () => {
  assert.deepEqual(
    broken([], { ...OPTIONS, subscribers: [{ group: "s", topic: "other", listens: true }] }),
    [],
  );
});

test("a message that retention removed, or that came again under what it removed, may be missed", () => {
  assert.deepEqual(
    broken([{ kind: "removed", atMs: 8, queue: "%RETRY%s_t@a:0", from: 0, to: 3 }], {
      ...OPTIONS,
      reservedMs: 0,
    }),
    [],
  );
  assert.deepEqual(
    broken([{ kind: "removed", atMs: 8, queue: "t@b:0", from: 0, to: 3 }], { ...OPTIONS, reservedMs: 0 }),
    ["consumed"],
  );
});

test("a message may be missed after a power loss only under ASYNC_FLUSH", () => {
  const lost: HistoryEvent = { kind: "cache-lost", atMs: 1, broker: "a" };
  const [send, ...others] = KEPT as [HistoryEvent, ...HistoryEvent[]];
  const missed = (flush: "SYNC_FLUSH" | "ASYNC_FLUSH", broker: string) =>
    check([send, { ...lost, broker }, ...others], { ...OPTIONS, flush }).violations.map(
      ({ invariant }) => invariant,
    );
  assert.deepEqual(missed("ASYNC_FLUSH", "a"), []);
  assert.deepEqual(missed("ASYNC_FLUSH", "b"), ["consumed"]);
  assert.deepEqual(missed("SYNC_FLUSH", "a"), ["consumed"]);
});

test("an acknowledgement before the listener has succeeded, or for another place, is too early", () => {
  const early = ["acknowledged-after-listener"];
  assert.deepEqual(broken([acknowledging(), listened(true)]), early);
  assert.deepEqual(broken([listened(false), acknowledging(), listened(true)]), early);
  assert.deepEqual(broken([listened(true), acknowledging("%RETRY%s_t@a:0")]), early);
});

const listening: HistoryEvent = {
  kind: "listening",
  atMs: 7,
  group: "s",
  by: "m",
  queue: QUEUE,
  offset: 0,
  id: "1",
};
const resumed = (keeps = true, group = "s"): HistoryEvent => ({
  kind: "member-resumed",
  atMs: 6,
  group,
  keeps,
});
const at = (event: HistoryEvent, offset: number): HistoryEvent => ({ ...event, offset }) as HistoryEvent;
const givenUp = (event: HistoryEvent): HistoryEvent => ({ ...event, givenUp: true }) as HistoryEvent;

test("a member that stopped in its orderly way repeats nothing, one that was killed may", () => {
  const own = { ...OPTIONS, subscribers: [{ group: "s", topic: "t", listens: false }] };
  assert.deepEqual(broken([listening, listened(true), resumed(), listening], own), ["goes-on"]);
  assert.deepEqual(broken([listening, listened(true), resumed(), listening]), ["goes-on"]);
  assert.deepEqual(broken([listening, listened(true), resumed(false), listening]), []);
  assert.deepEqual(broken([listening, listened(true), resumed(), resumed(false), listening]), []);
  assert.deepEqual(broken([listening, listened(true), resumed(true, "s 2"), listening]), []);
  assert.deepEqual(broken([listening, resumed(), listened(true), listening]), []);
});

test("a member goes on from the first message it was not done with, or lost its queue before it was", () => {
  const own = { ...OPTIONS, subscribers: [{ group: "s", topic: "t", listens: false }] };
  const next = [at(listening, 1), at(listened(true), 1)];
  assert.deepEqual(broken([listening, ...next, resumed(), at(listening, 1)], own), []);
  const retaken = [listening, ...next, givenUp(listened(true)), listening, listened(true)];
  assert.deepEqual(broken([...retaken, resumed(), at(listening, 1)], own), []);
  assert.deepEqual(broken([...retaken, ...next, resumed(), at(listening, 1)], own), ["goes-on"]);
  const anew = [listening, givenUp(listened(true))];
  assert.deepEqual(broken([listening, listened(true), ...anew, ...next, resumed(), listening], own), []);
  assert.deepEqual(broken([listening, givenUp(listened(true)), ...next, resumed(), listening], own), []);
  assert.deepEqual(broken([listening, listened(true), ...next, resumed(), at(listening, 1)], own), [
    "goes-on",
  ]);
});

test("who asks for messages acknowledges them when it likes", () => {
  const options = { ...OPTIONS, subscribers: [{ group: "s", topic: "t", listens: false }] };
  assert.deepEqual(broken([acknowledging(), listened(true)], options), []);
});
