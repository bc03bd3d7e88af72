import assert from "node:assert/strict";
import { it } from "node:test";
import { explore, Tally } from "@orbitmq/store/testing";
import { offsetRuns } from "../testing/offset-runs.ts";

const WAYS = 16;

for (const [kind, record] of Object.entries(offsetRuns)) {
  it(`no crash of a run of ${kind} makes a group skip a message`, async () => {
    const tally = new Tally();
    for (const seed of [1, 2, 3, 4]) {
      await explore(await record(seed), { ways: WAYS, seed }, tally);
      const [violation] = tally.violations;
      assert.equal(
        violation?.message,
        undefined,
        `npm run crash-states -- --ways ${WAYS} --replay "${kind}:${seed}:${violation?.operation}:${violation?.way}"`,
      );
    }
    assert.ok(tally.images.size > 200, `${tally.images.size} distinct disk images`);
  });
}
