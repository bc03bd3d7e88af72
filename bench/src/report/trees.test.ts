import assert from "node:assert/strict";
import { test } from "node:test";
import { aResult, aTurn } from "../testing/a-result.ts";
import { compareTrees } from "./trees.ts";

const at = (who: string, ...rates: number[]) =>
  rates.map((perSecond, index) =>
    aTurn({ round: index + 1, who, metrics: { perSecond, serverThreadUs: 4 } }),
  );
const result = (mine: number, other: number) =>
  aResult({ turns: [...at("this", mine, mine * 9, mine / 9), ...at("that", other, other, other)] });

test("a tree passes at the share that was asked for, by the median round", () => {
  assert.equal(compareTrees([result(85, 100)], "this", "that", 0.85).passed, true);
  assert.equal(compareTrees([result(84, 100)], "this", "that", 0.85).passed, false);
  assert.equal(compareTrees([result(90, 100)], "this", "that", 0.95).passed, false);
});

test("a machine that gets slower from round to round is on nobody's account", () => {
  const drifting = aResult({ turns: [...at("this", 900, 90, 9), ...at("that", 1_000, 100, 10, 1)] });
  assert.equal(compareTrees([drifting], "this", "that", 0.9).passed, true);
  assert.equal(compareTrees([drifting], "this", "that", 0.91).passed, false);
});

test("one slower workload fails them all, and its line says so", () => {
  const { lines, passed } = compareTrees([result(100, 100), result(50, 100)], "this", "that", 0.85);
  assert.equal(passed, false);
  assert.doesNotMatch(lines[0]!, /SLOWER/);
  assert.match(lines[1]!, /50 %.*SLOWER than 85 %/);
});

test("what could not be measured has not passed", () => {
  assert.equal(compareTrees([aResult({ turns: at("this", 1) })], "this", "that", 0.85).passed, false);
  assert.equal(compareTrees([], "this", "that", 0.85).passed, false);
});
