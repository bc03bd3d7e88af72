import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CRASH_KINDS } from "./faults/fault-table.ts";
import { simulate } from "./simulation.ts";

const FIXED_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

test("the same seed gives the same run bit for bit, twice in one process", async () => {
  for (const seed of [11, 12]) {
    const first = await simulate(seed, { traceContents: true });
    const second = await simulate(seed, { traceContents: true });
    assert.equal(second.digest, first.digest);
    assert.deepEqual(second.history, first.history);
    assert.equal(second.events, first.events);
  }
});

test("looking at a run does not change it", async () => {
  const lines: string[] = [];
  const watched = await simulate(13, {
    story: (line) => lines.push(line),
    traceLine: (line) => lines.push(line),
  });
  assert.equal((await simulate(13)).digest, watched.digest);
  assert.ok(lines.length > watched.events);
});

test("the command line replays a seed in a process of its own with the same digest", async () => {
  const run = join(dirname(fileURLToPath(import.meta.url)), "../run.mjs");
  const { stdout, status } = spawnSync(process.execPath, [run, "--seed", "14"], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
  assert.match(stdout, new RegExp(`seed 14 digest ${(await simulate(14)).digest}`));
});

test("a wrong command line and a patch that does not apply are refused with a reason", () => {
  const run = join(dirname(fileURLToPath(import.meta.url)), "../run.mjs");
  const wrong = spawnSync(process.execPath, [run, "--seeds", "x"], { encoding: "utf8" });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--seeds needs A\.\.B/);
  const patch = spawnSync(process.execPath, [run, "--patch", fileURLToPath(import.meta.url)], {
    encoding: "utf8",
  });
  assert.equal(patch.status, 2);
  assert.match(patch.stderr, /holds no change/);
});

for (const seed of FIXED_SEEDS) {
  test(`seed ${seed} keeps the promise under its faults`, async () => {
    const { violations, counts, faults } = await simulate(seed);
    assert.deepEqual(violations, []);
    assert.ok(counts.sent >= 300 && counts.acknowledged > counts.sent / 2, JSON.stringify(counts));
    const planned = CRASH_KINDS.reduce((sum, kind) => sum + (faults.get(kind) ?? 0), 0);
    assert.ok(planned >= 1, "something crashed");
  });
}
