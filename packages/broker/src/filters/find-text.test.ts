import assert from "node:assert/strict";
import { it } from "node:test";
import { textFinder } from "./find-text.ts";

it("finds what includes finds", () => {
  let seed = 3;
  const int = (bound: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % bound;
  };
  const letters = (length: number, of: number) => Array.from({ length }, () => "abcé"[int(of)]).join("");
  const seen = [0, 0];
  for (let run = 0; run < 2_000; run++) {
    const text = letters(200 + int(200), 1 + int(3)) + letters(int(20), 4);
    const wanted =
      int(2) === 0 ? letters(1 + int(60), 1 + int(2)) : text.slice(int(300)).slice(0, 1 + int(40)) || "x";
    const isIn = text.includes(wanted);
    assert.equal(textFinder(wanted)(text), isIn, `${wanted} in ${text}`);
    seen[Number(isIn)]!++;
  }
  assert.ok(Math.min(...seen) > 200, String(seen));
});
