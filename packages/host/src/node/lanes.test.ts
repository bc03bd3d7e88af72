import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lane } from "../files.ts";
import { Lanes } from "./lanes.ts";

/** Starts jobs that end when told to. */
function manualLanes() {
  const lanes = new Lanes();
  const started: string[] = [];
  const finish = new Map<string, () => void>();
  const run = (lane: Lane, name: string) =>
    lanes.run(lane, (finished) => {
      started.push(name);
      finish.set(name, finished);
    });
  return { run, started, finish: (name: string) => finish.get(name)!() };
}

test("cold reads hold two threads, everything else one, and the log's own is always free", () => {
  const { run, started, finish } = manualLanes();
  for (const name of ["cold 1", "cold 2", "cold 3"]) run("cold", name);
  for (const name of ["other 1", "other 2"]) run("other", name);
  assert.deepEqual(started, ["cold 1", "cold 2", "other 1"]);
  run("log", "log 1");
  run("log", "log 2");
  assert.deepEqual(started.slice(3), ["log 1"]);
  finish("cold 2");
  finish("log 1");
  finish("other 1");
  assert.deepEqual(started.slice(4), ["cold 3", "log 2", "other 2"]);
});

test("a job that ends at once lets the next one start", () => {
  const lanes = new Lanes();
  let count = 0;
  for (let i = 0; i < 1000; i++) {
    lanes.run("log", (finished) => {
      count++;
      finished();
    });
  }
  assert.equal(count, 1000);
});
