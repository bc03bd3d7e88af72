import assert from "node:assert/strict";
import { test } from "node:test";
import { crashCases, crashTable, outcomeOf, together } from "./crash-plan.ts";

test("what was lost, came twice or is untrue is told apart", () => {
  const copies = new Map([
    ["a", 1],
    ["b", 2],
    ["x", 1],
  ]);
  const outcome = outcomeOf(crashCases[0]!, 5, new Set(["a", "b", "c"]), copies);
  const { committed, delivered, lost, twice, untrue } = outcome;
  assert.deepEqual([committed, delivered, lost, twice, untrue], [3, 3, 1, 1, 1]);
  assert.deepEqual([together([outcome]), together([outcome, outcome]).twice], [outcome, 2]);
  assert.equal(
    crashTable([outcome]).at(-1),
    "| transaction | producer | before the send | 5 | 3 | 3 | 1 | 1 | 1 |",
  );
});

test("both ways are tried at every point, with either end killed", () => {
  assert.equal(new Set(crashCases.map(({ way, victim, point }) => `${way} ${victim} ${point}`)).size, 14);
});
