import assert from "node:assert/strict";
import { test } from "node:test";
import { type Part, partNames } from "./parts.ts";
import { type ProfiledLoad, profileTables } from "./profile-table.ts";

function aLoad(
  server: string,
  load: string,
  time: Partial<Record<Part, number>>,
  perSecond?: number,
): ProfiledLoad {
  const all = Object.fromEntries(partNames.map((part) => [part, time[part] ?? 0])) as Record<Part, number>;
  return { server, load, time: all, perSecond };
}

const cellsOf = (line: string | undefined) => line?.split("|").map((cell) => cell.trim());

test("a table for each server, with shares and microseconds a message", () => {
  const tables = profileTables([
    aLoad("OrbitMQ", "a-sync", { gc: 250, log: 750 }, 100_000),
    aLoad("null broker", "a-sync", { gc: 1_000 }, 200_000),
    aLoad("OrbitMQ", "b-sync", { gc: 500, wire: 500 }),
  ]);
  const rows = tables.map(cellsOf);
  assert.deepEqual(
    [rows[0], rows[2], rows[3], rows[4], rows[5], rows[6]],
    [
      ["", "OrbitMQ: share · µs a message", "a-sync", "b-sync", ""],
      ["", "garbage collection", "25.0 % · 2.50", "50.0 %", ""],
      ["", "`wire`: frames, headers, properties, batches", "0.0 % · 0.00", "50.0 %", ""],
      ["", "`store`: commit log", "75.0 % · 7.50", "0.0 %", ""],
      ["", "**all**", "100.0 % · 10.00", "100.0 %", ""],
      ["", "messages/s", "100,000", "", ""],
    ],
  );
  assert.equal(tables[7], "");
  assert.deepEqual(cellsOf(tables[8]), ["", "null broker: share · µs a message", "a-sync", ""]);
  assert.equal(tables.length, 13);
});
