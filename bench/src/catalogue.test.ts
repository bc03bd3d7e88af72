import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue, choose, hasGoal } from "./catalogue.ts";

const names = (only?: string) => choose(catalogue, only).map(({ name }) => name);

test("every workload has a name of its own", () => {
  const all = names();
  assert.equal(new Set(all).size, all.length);
  for (const name of all) assert.match(name, /^[a-z0-9-]+-a?sync$/);
});

test("workloads are chosen by name, by id for both flush modes, and by pattern", () => {
  assert.deepEqual(names("pipelined-1x64-128-sync"), ["pipelined-1x64-128-sync"]);
  assert.deepEqual(names("pipelined-1x64-128"), ["pipelined-1x64-128-sync", "pipelined-1x64-128-async"]);
  assert.equal(names("pipelined-*-128-sync").length, 3);
  assert.deepEqual(names("stall-sync,pipelined-1x1-128-sync"), ["pipelined-1x1-128-sync", "stall-sync"]);
  assert.deepEqual(names("stall-sync,stall-sync"), ["stall-sync"]);
});

test("a name that chooses nothing is told", () => {
  assert.throws(() => choose(catalogue, "pipelined-1x64"), /no workload is called pipelined-1x64/);
  assert.throws(() => choose(catalogue, "pipelined.1x64.128"), /no workload/);
});

test("a workload of one flush mode is not asked of the other", () => {
  assert.deepEqual(names("start-empty"), ["start-empty-sync"]);
});

test("those held against a goal are told from those that only show something", () => {
  const held = choose(catalogue, undefined)
    .filter(hasGoal)
    .map(({ name }) => name);
  assert.ok(held.includes("pipelined-1x64-128-sync") && held.includes("start-empty-sync"));
  assert.ok(!held.includes("pipelined-1x1-128-sync") && !held.includes("drain-sync"));
});

test("whoever a goal names is somebody who may be measured", () => {
  const servers = ["OrbitMQ", "RocketMQ 5.5.0", "null broker"];
  const known = new RegExp(`^(${servers.join("|")}|.+ on (${servers.join("|")})|Redis stream.*|NATS.*)$`);
  for (const { workload, flush } of choose(catalogue, undefined)) {
    for (const { of = "OrbitMQ", beside = "OrbitMQ" } of workload.goals(flush)) {
      assert.match(of, known);
      assert.match(beside, known);
    }
  }
});
