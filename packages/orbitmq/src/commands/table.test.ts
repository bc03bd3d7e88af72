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
