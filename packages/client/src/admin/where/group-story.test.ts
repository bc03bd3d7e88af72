import assert from "node:assert/strict";
import { test } from "node:test";
import type { PopWhereabouts } from "@orbitmq/wire";
import type { Copy } from "./copies.ts";
import { type Attempt, type GroupFacts, groupStory } from "./group-story.ts";
import type { StoredAt } from "./where-types.ts";

const NOW_MS = 1_700_000_000_000;
const at: StoredAt = {
  brokerName: "broker-a",
  topic: "orders",
  queueId: 1,
  queueOffset: 5,
  position: 500,
  offsetMsgId: "",
  size: 100,
  storedMs: NOW_MS - 1_000,
  queueMinOffset: 0,
  queueMaxOffset: 10,
};

function story(attempt: Partial<Attempt>, facts: Partial<GroupFacts> = {}) {
  const first: Attempt = {
    at,
    committedOffset: 3,
    pop: undefined,
    poppedBy: undefined,
    isWanted: undefined,
    expression: undefined,
    heldBy: [],
    doneBy: undefined,
    isOnline: true,
    isBroadcast: false,
    popsUntold: false,
    ...attempt,
  };
  const { state, verdict } = groupStory({
    group: "g",
    nowMs: NOW_MS,
    first,
    returns: [],
    last: undefined,
    dueMs: undefined,
    retriesMax: undefined,
    redrivenMs: undefined,
    ...facts,
  });
  return `${state}: ${verdict}`;
}

const pop = (state: PopWhereabouts["state"]): PopWhereabouts => ({
  group: "g",
  popTime: NOW_MS,
  visibleAtMs: NOW_MS + 30_000,
  state,
  inOrder: false,
  poppedBy: "10.0.0.9:1",
});

const returned = (kind: Copy["kind"], reconsumeTimes: number, properties: [string, string][] = []) => ({
  copy: {
    kind,
    properties: new Map(properties),
    record: { reconsumeTimes, storeTimestamp: NOW_MS - 1_000 },
  } as unknown as Copy,
  at: { ...at, topic: "%DLQ%g", queueId: 0 },
});

test("a group that has the message, had it, or has yet to get it", () => {
  assert.equal(story({}), "WAITING: not yet: 2 messages before it");
  assert.equal(story({ committedOffset: 5 }), "WAITING: not yet: next");
  assert.equal(story({ isOnline: false }), "WAITING: not yet: 2 messages before it; nobody of it is online");
  assert.equal(story({ committedOffset: undefined }), "WAITING: not yet: it has no offset in this queue");
  assert.equal(story({ committedOffset: 6 }), "CONSUMED: consumed");
  assert.equal(story({ heldBy: ["a", "b"] }), "IN_FLIGHT: pulled and not yet consumed, by a, b");
  assert.equal(story({ doneBy: "a" }), "CONSUMED: consumed by a, which has yet to commit its offset");
});

test("a message that is not in its queue any more has expired for a group that had not got to it", () => {
  const cut = { ...at, queueMinOffset: 7 };
  assert.equal(story({ at: cut }), "EXPIRED: expired before it was consumed: its queue begins at 7");
  assert.equal(story({ at: cut, committedOffset: 6 }), "CONSUMED: consumed");
  assert.match(
    story({ at: { ...at, queueMaxOffset: 0 } }),
    /^UNKNOWN: it is not in its queue: the topic was deleted/,
  );
});

test("pops count more than offsets, which run ahead of them", () => {
  const ahead = { committedOffset: 9 };
  assert.match(
    story({ ...ahead, pop: pop("open") }),
    /^IN_FLIGHT: popped by 10\.0\.0\.9:1, invisible until .*Z \(in 30s\)$/,
  );
  assert.match(story({ ...ahead, pop: pop("open"), poppedBy: "client" }), /popped by client/);
  assert.equal(story({ ...ahead, pop: pop("acknowledged") }), "CONSUMED: acknowledged");
  assert.equal(story({ ...ahead, pop: pop("revived") }), "RETRY: not acknowledged in time: it comes again");
  assert.match(story({ ...ahead, popsUntold: true }), /^UNKNOWN: popped; this broker does not tell/);
});

test("what a subscription does not want is no backlog, and broadcasting keeps its offsets to itself", () => {
  assert.equal(
    story({ isWanted: false, expression: "TAG a" }),
    "FILTERED: not wanted: it subscribes to TAG a",
  );
  assert.match(story({ isBroadcast: true }), /^UNKNOWN: broadcasting/);
});

test("retries and dead letters say how often and when", () => {
  const dueMs = NOW_MS + 90_000;
  const returns = [returned("scheduled", 3)];
  assert.match(
    story({}, { returns, dueMs, retriesMax: 16 }),
    /^RETRY: retry 3 of 16, next at .*Z \(in 1m 30s\)$/,
  );
  assert.match(story({}, { returns, dueMs: NOW_MS - 5_000 }), /^RETRY: retry 3, was due .*Z \(5s ago\)$/);
  const last = {
    last: { ...({} as Attempt), at, committedOffset: 5, heldBy: [], isOnline: true } as Attempt,
  };
  assert.equal(story({}, { returns: [returned("retry", 2)], ...last }), "RETRY: retry 2, not yet: next");
  assert.match(
    story({}, { returns: [returned("dead", 17)] }),
    /^DEAD: dead letter since .*Z after 16 retries, in %DLQ%g queue 0 offset 5$/,
  );
  assert.match(
    story({}, { returns: [returned("dead", 2)], redrivenMs: NOW_MS }),
    /after 1 retry, in .*, sent again 2023-11-14T22:13:20Z$/,
  );
});
