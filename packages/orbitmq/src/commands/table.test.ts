import assert from "node:assert/strict";
import { it } from "node:test";
import { table } from "./table.ts";

it("a table lines up texts to the left and numbers to the right", () => {
  assert.equal(
    table(
      ["BROKER", "QUEUE", "LAST"],
      [
        ["broker-a", 0, "never"],
        ["b", 15, "2026"],
      ],
    ),
    "BROKER    QUEUE  LAST\nbroker-a      0  never\nb            15  2026\n",
  );
  assert.equal(table(["A", "B"], []), "A  B\n");
});

it("rates are numbers although they are texts, and a cell that says nothing does not change that", () => {
  assert.equal(
    table(
      ["A", "RATE"],
      [
        ["a", "10.5"],
        ["b", ""],
        ["c", "1.0"],
      ],
    ),
    "A  RATE\na  10.5\nb\nc   1.0\n",
  );
});
