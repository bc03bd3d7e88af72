import assert from "node:assert/strict";
import { test } from "node:test";
import { ORIGINAL } from "../results/goal.ts";
import { aResult, aTurn } from "../testing/a-result.ts";
import { figuresSection, goalsTable, machineSection, markdown } from "./markdown.ts";

const two = aResult({
  goals: [{ metric: "perSecond", beside: ORIGINAL, atLeast: 4 }],
  roundsWanted: 2,
  turns: [
    aTurn({ round: 1, metrics: { perSecond: 1_000, p99Ms: 0.5 } }),
    aTurn({ round: 2, metrics: { perSecond: 2_000, p99Ms: 0.7 } }),
    aTurn({ round: 1, who: ORIGINAL, metrics: { perSecond: 500 } }),
    aTurn({ round: 2, who: ORIGINAL, metrics: { perSecond: 500 } }),
  ],
});

test("a table has a column for what was measured of anybody, medians with their ranges", () => {
  const lines = figuresSection([two], "###").split("\n");
  assert.equal(lines[0], "### a title, SYNC_FLUSH");
  assert.equal(lines[2], "| who | rounds | messages/s | p99 ms | raw sync/s |");
  assert.equal(lines[4], "| OrbitMQ | 2 | 1,500 (1,000–2,000) | 0.60 (0.50–0.70) | 9,000 |");
  assert.equal(lines[5], "| RocketMQ 5.5.0 | 2 | 500 |  | 9,000 |");
});

test("a goal stands with its ratio, both figures and a verdict", () => {
  const row = goalsTable([two]).split("\n").at(-1);
  assert.equal(
    row,
    "| a title | SYNC_FLUSH | messages/s ≥ 4× RocketMQ 5.5.0 | 3× | 1,500 : 500 | falls short, 2 rounds only |",
  );
});

test("a rehearsal and a run that broke off say so", () => {
  const rehearsal = goalsTable([{ ...two, scale: 0.1, roundsWanted: 5 }]);
  assert.match(rehearsal, /falls short, rehearsal at scale 0.1, 2 of 5 rounds \|/);
  assert.match(figuresSection([{ ...two, scale: 0.1 }], "###"), /rehearsal at scale 0.1/);
  assert.match(goalsTable([{ ...two, turns: [] }]), /not measured, 0 of 2 rounds/);
});

test("runs that did not count are told", () => {
  const text = figuresSection([{ ...two, discarded: ["java, round 1: lost\n3 messages"] }], "###");
  assert.match(text, /Did not count: java, round 1: lost 3 messages$/);
});

test("machines and flags that several results share are told once", () => {
  const text = machineSection([two, aResult({ name: "b-sync" })]);
  assert.equal(text.split("2 cores").length, 2);
  assert.equal(text.split("- OrbitMQ: defaults").length, 2);
  assert.ok(markdown([two]).includes(text.split("\n")[0]!));
});
