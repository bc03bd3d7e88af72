import assert from "node:assert/strict";
import { test } from "node:test";
import { type PendingMemory, pendingVerdict } from "./pending-memory.ts";

const used = (kind: PendingMemory["kind"], peakMiB: number, restMiB: number): PendingMemory => ({
  kind,
  messages: 10,
  idleMiB: 80,
  peakMiB,
  restMiB,
  perSecond: 1,
});

test("peak and rest both count", () => {
  const plain = used("plain", 150, 120);
  assert.equal(pendingVerdict(used("timer", 210, 180), plain, 64).passed, true);
  assert.equal(pendingVerdict(used("timer", 220, 180), plain, 64).passed, false);
  const { lines, passed } = pendingVerdict(used("timer", 210, 190), plain, 64);
  assert.equal(passed, false);
  assert.match(lines.at(-1)!, /add 60\.0 MiB to the peak and 70\.0 MiB at rest, at most 64 MiB: falls short/);
});
