/**
 * Every crash of the recorded runs, bounded: after each operation on the disk, with what was not synced kept, lost
 * and torn in several ways, the store is recovered and must hold what it promised. `npm run crash-states` looks at
 * more of them.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explore, Tally } from "../testing/crash-states/explore.ts";
import { replay } from "../testing/crash-states/report.ts";
import { RUNS } from "../testing/crash-states/runs.ts";

const WAYS = 16;
const MOMENTS = 48;
const SEED = 1;

describe("every crash state", () => {
  const all = new Tally();

  for (const [kind, record] of Object.entries(RUNS)) {
    it(`of a run of ${kind} keeps all promises`, async (t) => {
      const before = all.images.size;
      const seed = SEED;
      await explore(await record(seed), { ways: WAYS, moments: MOMENTS, seed }, all);
      const [violation] = all.violations;
      assert.equal(
        violation?.message,
        undefined,
        `npm run crash-states -- --ways ${WAYS} --replay "${kind}:${seed}:${violation?.operation}:${violation?.way}"`,
      );
      t.diagnostic(`${all.images.size - before} distinct disk images`);
    });
  }

  it("in which the slots of a cut IndexFile are older than its state finds every message by its key", async () => {
    assert.equal(await replay(RUNS, "truncateTo and appendAt:4:152:13", 40), undefined);
  });

  it("is one of at least 5,000", () => {
    assert.ok(all.images.size >= 5_000, `${all.images.size} distinct disk images`);
  });
});
