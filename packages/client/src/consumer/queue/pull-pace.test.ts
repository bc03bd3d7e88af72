import assert from "node:assert/strict";
import { test } from "node:test";
import { PullPace } from "./pull-pace.ts";

function paceAt() {
  const time = { ms: 0 };
  const pace = new PullPace({ monotonicMs: () => time.ms, wallMs: () => 0 });
  const nothing = (afterMs: number, progressed = false) => {
    pace.asked();
    time.ms += afterMs;
    return pace.afterNothing(progressed);
  };
  return { pace, nothing };
}

test("a held pull that found nothing is repeated at once", () => {
  const { nothing } = paceAt();
  for (let i = 0; i < 50; i++) assert.equal(nothing(15_000), 0);
});

test("a broker that answers emptily without holding is asked more slowly after a few times", () => {
  const { pace, nothing } = paceAt();
  const pauses = Array.from({ length: 12 }, () => nothing(1));
  assert.equal(pauses[0], 0);
  assert.equal(pauses.at(-1), 100);
  pace.afterMessages();
  assert.equal(nothing(1), 0);
});

test("skipping messages that do not match is no reason to slow down", () => {
  const { nothing } = paceAt();
  for (let i = 0; i < 50; i++) assert.equal(nothing(1, true), 0);
});

test("a failure pauses one second and an answer ends the count", () => {
  const { pace, nothing } = paceAt();
  assert.equal(pace.afterFailure(), 1000);
  assert.equal(pace.afterFailure(), 1000);
  assert.equal(pace.failures, 2);
  nothing(20);
  assert.equal(pace.failures, 0);
});
