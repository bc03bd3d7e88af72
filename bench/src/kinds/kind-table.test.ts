import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoaderResult } from "../load/loader.ts";
import type { KindTurn } from "./kind-rounds.ts";
import { kindTable, kindVerdict } from "./kind-table.ts";

const result = (perSecond: number, cpuSeconds: number): LoaderResult => ({
  acknowledged: perSecond,
  refused: 0,
  firstRefusal: 0,
  perSecond,
  p50Ms: 1,
  p99Ms: 2,
  p999Ms: 3,
  cpuSeconds,
  serverCpuUs: 10,
  serverThreadUs: 9,
  acknowledgedInTotal: perSecond,
});
const turn = (
  round: number,
  kind: KindTurn["kind"],
  sender: KindTurn["sender"],
  rate: number,
  cpu = 0.5,
): KindTurn => ({
  round,
  kind,
  sender,
  rawSyncPerSecond: 1,
  result: result(rate, cpu),
});
const TURNS = [
  turn(1, "plain", "loader", 1_000),
  turn(1, "transaction", "loader", 500),
  turn(2, "plain", "loader", 2_000),
  turn(2, "transaction", "loader", 600),
  turn(3, "plain", "loader", 1_000),
  turn(3, "transaction", "loader", 410),
  turn(1, "plain", "client", 1_000, 0.99),
  turn(1, "transaction", "client", 100),
];

test("a ratio is the median of what each round says, and the loader's decides", () => {
  const { lines, passed } = kindVerdict(TURNS, "transaction", 0.4);
  assert.equal(passed, true);
  assert.match(
    lines[0]!,
    /the loader: 41 % \(30 % to 50 %\), at least 40 %: pass; the loader has room \(0\.50/,
  );
  assert.match(lines[1]!, /our client: 10 % .*falls short; the client itself is the bottleneck \(0\.99/);
  assert.equal(kindVerdict(TURNS, "transaction", 0.42).passed, false);
});

test("a row stands for each kind and sender, medians with their ranges", () => {
  const rows = kindTable(TURNS);
  assert.equal(rows.length, 6);
  assert.match(rows[3]!, /^\| transaction \| loader \| 500 \(410–600\) \|/);
  assert.match(rows[5]!, /^\| transaction \| our client \| 100 \| 1\.00 \|/);
});
