import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProducerLine, storedBounds } from "./java-producer.ts";

test("the lines of RocketMQ's producers tell messages and failures", () => {
  const rest = "Max RT(ms): 21 | Average RT(ms):   5.600 | Send Failed: 3 | Response Failed: 0";
  assert.deepEqual(parseProducerLine(`Current Time: 2026-01-01 | Send TPS: 11400 | ${rest}`), {
    messages: 11_400,
    failed: 3,
  });
  assert.deepEqual(
    parseProducerLine(`Current Time: 2026-01-01 | Send TPS: 11400 | Send MPS: 364800 | ${rest}`),
    {
      messages: 364_800,
      failed: 3,
    },
  );
  assert.equal(parseProducerLine("topic: BenchmarkTest threadCount: 64"), undefined);
});

test("the store holds what the lines told, and no more than what they cannot have told", () => {
  const { atLeast, atMost } = storedBounds([
    { messages: 1_000, failed: 0 },
    { messages: 3_000, failed: 0 },
  ]);
  assert.ok(atLeast <= 4_000 && atLeast > 3_900);
  assert.ok(atMost > 4_000 && atMost < 40_000);
});
