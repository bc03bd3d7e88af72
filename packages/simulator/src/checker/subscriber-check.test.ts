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

test("who asks for messages acknowledges them when it likes", () => {
  const options = { ...OPTIONS, subscribers: [{ group: "s", topic: "t", listens: false }] };
  assert.deepEqual(broken([acknowledging(), listened(true)], options), []);
});
