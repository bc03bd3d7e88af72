import assert from "node:assert/strict";
import { test } from "node:test";
import type { PopWhereabouts } from "@orbitmq/wire";
import { CheckPoint, CheckPoints } from "../popping/check-points.ts";
import { ManualHost } from "../testing/manual-host.ts";
import { PopScan } from "./pop-scan.ts";

function stage(count: number) {
  const host = new ManualHost();
  const table = new CheckPoints();
  const add = (startOffset: number, offsets: number[], group = "g") => {
    const record = {
      group,
      topic: "orders",
      queueId: 0,
      startOffset,
      popTime: host.clock.wallMs(),
      brokerName: "broker-a",
      invisibleTime: 60_000,
      offsets,
      ackedBits: 0,
      rePutTimes: 0,
    };
    const checkPoint = new CheckPoint(record, 0, host.clock.monotonicMs() + 60_000);
    table.add(checkPoint, table.size);
    return checkPoint;
  };
  for (let i = 0; i < count; i++) add(1_000_000 + i, [1_000_000 + i]);
  return { host, table, add, scan: new PopScan(host.clock, host.timers, table) };
}

const place = (queueOffset: number) => ({ topic: "orders", queueId: 0, queueOffset });

test("pops of a message are found by its place, each group's, with what became of it", () => {
  const { host, table, add, scan } = stage(5);
  const mine = add(3, [3, 4, 6]);
  mine.poppedBy = "10.0.0.9:1";
  add(3, [3], "other").revivedBits = 1;
  table.acknowledge(mine, mine.bitsOf([4]));
  let found: readonly (readonly PopWhereabouts[])[] = [];
  scan.find([place(3), place(4), place(5)], (pops) => {
    found = pops;
  });
  host.endTurn();
  assert.deepEqual(
    found.map((pops) => pops.map(({ group, state, poppedBy }) => [group, state, poppedBy])),
    [
      [
        ["g", "open", "10.0.0.9:1"],
        ["other", "revived", undefined],
      ],
      [["g", "acknowledged", "10.0.0.9:1"]],
      [],
    ],
  );
  assert.equal(found[0]![0]!.visibleAtMs, host.clock.wallMs() + 60_000);
});

test("very many checkpoints are looked through a part per turn, and who asks meanwhile is served by the next look", () => {
  const { host, scan } = stage(25_000);
  const answered: number[] = [];
  const ask = (index: number) =>
    scan.find([place(1_024_999)], (pops) => {
      assert.equal(pops[0]!.length, 1);
      answered.push(index);
    });
  ask(1);
  ask(2);
  ask(3);
  assert.deepEqual(answered, []);
  let turns = 0;
  while (answered.length < 3 && turns < 20) {
    host.endTurn();
    turns++;
    if (answered.length === 1) assert.ok(turns >= 2, `${turns}`);
  }
  assert.deepEqual(answered, [1, 2, 3]);
});
