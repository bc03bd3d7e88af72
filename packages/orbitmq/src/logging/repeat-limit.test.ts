import assert from "node:assert/strict";
import { it } from "node:test";
import { RepeatLimit } from "./repeat-limit.ts";

function limit() {
  let now = 0;
  const due: { atMs: number; fn: () => void }[] = [];
  const told: number[] = [];
  const it = new RepeatLimit({
    linesMax: 3,
    everyMs: 100,
    nowMs: () => now,
    after: (ms, fn) => void due.push({ atMs: now + ms, fn }),
  });
  return {
    told,
    say: (event: string, times = 1): number => {
      let said = 0;
      for (let i = 0; i < times; i++) if (it.admits(event, (held) => told.push(held))) said++;
      return said;
    },
    pass: (ms: number) => {
      now += ms;
      for (const { fn } of due.splice(0).filter(({ atMs }) => atMs <= now)) fn();
    },
    timers: () => due.length,
  };
}

it("an event is logged so often, then counted, and one line says how many were held back", () => {
  const { say, pass, told, timers } = limit();
  assert.equal(say("full", 10), 3);
  assert.equal(timers(), 1);
  assert.equal(say("other"), 1, "others are heard all the same");
  pass(100);
  assert.deepEqual(told, [7]);
  assert.equal(say("full", 2), 2);
  assert.equal(timers(), 0);
});

it("what is said seldom is never held back, and no timer runs for it", () => {
  const { say, pass, timers } = limit();
  for (let i = 0; i < 20; i++) {
    assert.equal(say("now and then"), 1);
    pass(40);
  }
  assert.equal(timers(), 0);
});

it("messages that differ each time are forgotten, the oldest first", () => {
  const { say, told, pass } = limit();
  assert.equal(say("first", 5), 3);
  for (let i = 0; i < 2_000; i++) assert.equal(say(`number ${i}`), 1);
  assert.equal(say("first"), 1);
  pass(100);
  assert.deepEqual(told, [2]);
});
