import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadTurns } from "./read-turns.ts";

/** A loop whose clock stands still unless something is handed over. */
function loop(costMs: number) {
  let nowMs = 0;
  let ends: (() => void)[] = [];
  const log: string[] = [];
  const turns = new ReadTurns({ nowMs: () => nowMs, afterReading: (fn) => ends.push(fn) });
  const hand = (what: string) => {
    log.push(what);
    nowMs += costMs;
  };
  return {
    turns,
    log,
    read: (what: string) => {
      const hasTime = turns.hasTime();
      if (hasTime) hand(what);
      return hasTime;
    },
    reader: (...chunks: string[]) => ({
      handOverOne: () => {
        hand(chunks.shift()!);
        return chunks.length > 0;
      },
    }),
    endTurn: () => {
      const list = ends;
      ends = [];
      for (const fn of list) fn();
      log.push("|");
    },
    get isIdle() {
      return ends.length === 0;
    },
  };
}

test("what is read is handed over at once until the turn's time is up, and again in the next turn", () => {
  const { read, endTurn, log } = loop(0.4);
  assert.deepEqual([read("a"), read("b"), read("c"), read("d")], [true, true, true, false]);
  endTurn();
  assert.equal(read("d"), true);
  assert.deepEqual(log, ["a", "b", "c", "|", "d"]);
});

test("what was put off follows, a turn's time of it each turn, by turns of those who wait", () => {
  const { turns, reader, endTurn, log, ...rest } = loop(0.5);
  turns.later(reader("a1", "a2", "a3"));
  turns.later(reader("b1"));
  turns.later(reader("c1", "c2"));
  for (let turn = 0; turn < 5; turn++) endTurn();
  assert.deepEqual(log.join(" "), "a1 b1 | c1 a2 | c2 a3 | | |");
  assert.equal(rest.isIdle, true);
});

test("what was put off takes the time of what is read in the turn behind it", () => {
  const { turns, read, reader, endTurn } = loop(1);
  turns.later(reader("put off"));
  endTurn();
  assert.equal(read("new"), false);
  endTurn();
  assert.equal(read("new"), true);
});
