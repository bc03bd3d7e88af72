import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeWhereabouts, parseWhereabouts, type WhereaboutsBody } from "./get-message-whereabouts.ts";

const body: WhereaboutsBody = {
  nowMs: 1_700_000_000_000,
  log: {
    minOffset: 1,
    writtenOffset: 900,
    flushedOffset: 800,
    flushDiskType: "ASYNC_FLUSH",
    state: "running",
  },
  keyIndex: { enabled: true, behindBytes: 3, fromMs: 5 },
  messages: [
    { position: 4, state: "absent", reason: "it does not lie in the log", filters: [], pops: [] },
    {
      position: 40,
      state: "whole",
      file: "00000000000000000000",
      fileOffset: 40,
      size: 200,
      flushed: false,
      queueMinOffset: 0,
      queueMaxOffset: 9,
      delay: { dueMs: 7, delivered: true },
      timer: { dueMs: 8, state: "delivering" },
      transaction: { state: "checking", checkTimes: 1, checkMax: 15, nextMs: 9 },
      filters: [{ group: "g", wanted: false }],
      pops: [{ group: "g", popTime: 1, visibleAtMs: 2, state: "open", inOrder: true, poppedBy: "a:1" }],
    },
  ],
};

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("whereabouts come back as they were written", () => {
  assert.deepEqual(plain(parseWhereabouts(encodeWhereabouts(body))), plain(body));
});

test("a state that only a later version knows is one of those that are", () => {
  const text = Buffer.from(encodeWhereabouts(body)).toString().replace('"delivering"', '"dreaming"');
  assert.equal(parseWhereabouts(Buffer.from(text)).messages[1]?.timer?.state, "passed");
});
