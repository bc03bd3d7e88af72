import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoreStatus } from "@orbitmq/store";
import {
  DISPATCH_BEHIND_BYTES,
  INDEX_BEHIND_BYTES,
  liveness,
  readiness,
  type ServerFacts,
} from "./health.ts";

const store = (change: object = {}): StoreStatus =>
  ({
    state: "running",
    refusal: undefined,
    writtenOffset: 100,
    readableLimit: 100,
    keyIndex: { behindBytes: 0, stalls: 0 },
    opening: undefined,
    ...change,
  }) as never;
const facts = (change: Partial<ServerFacts> = {}): ServerFacts => ({
  phase: "running",
  store: store(),
  registrations: { wanted: 2, done: 1 },
  ...change,
});
const why = (change: Partial<ServerFacts>): string[] => {
  const { status, body } = readiness(facts(change));
  assert.equal(status, body.reasons.length === 0 ? 200 : 503);
  return body.reasons.map(({ code }) => code);
};

describe("readiness", () => {
  it("is given when messages are taken and given out, and one NameServer knows the broker", () => {
    assert.deepEqual(readiness(facts()), { status: 200, body: { status: "ok", reasons: [] } });
    assert.deepEqual(why({ registrations: { wanted: 0, done: 0 } }), []);
    assert.deepEqual(why({ store: undefined, registrations: undefined }), []);
  });

  it("tells how far the opening of a store has come", () => {
    const opening = { phase: "messages are read again", percent: 42 };
    const { body } = readiness(facts({ phase: "starting", store: store({ state: "starting", opening }) }));
    assert.deepEqual(body.reasons, [
      {
        code: "STORE_OPENING",
        message: "the store is being opened: messages are read again, 42 %",
        ...opening,
      },
    ]);
    assert.deepEqual(why({ phase: "starting", store: undefined }), ["STARTING"]);
  });

  it("is denied when the log cannot be written, the disk is full or slow", () => {
    const refused = (reason: string) => store({ refusal: { reason, remark: "so it is" } });
    assert.deepEqual(why({ store: store({ state: "failed" }) }), ["WRITES_STOPPED"]);
    assert.deepEqual(why({ store: refused("DISK_FULL") }), ["DISK_FULL"]);
    assert.deepEqual(why({ store: refused("BUSY") }), ["STORE_BUSY"]);
  });

  it("is denied when consumers or queries by key cannot see what is stored, or no NameServer knows the broker", () => {
    const behind = { writtenOffset: DISPATCH_BEHIND_BYTES + 101 };
    assert.deepEqual(why({ store: store(behind) }), ["DISPATCH_BEHIND"]);
    const keyIndex = { behindBytes: INDEX_BEHIND_BYTES + 1, stalls: 1 };
    assert.deepEqual(why({ store: store({ keyIndex }), registrations: { wanted: 1, done: 0 } }), [
      "INDEX_BEHIND",
      "NOT_REGISTERED",
    ]);
  });

  it("ends when stopping begins", () => {
    assert.deepEqual(why({ phase: "stopping", store: store({ state: "stopped" }) }), ["STOPPING"]);
  });
});

it("a server lives as long as its start has not failed", () => {
  for (const phase of ["starting", "running", "stopping"] as const) {
    assert.equal(liveness(facts({ phase })).status, 200);
  }
  assert.equal(liveness(facts({ phase: "failed" })).status, 503);
});
