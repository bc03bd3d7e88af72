import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../testing/crash-model.ts";
import { message, StoreDriver } from "../testing/store-driver.ts";

/** What a lookup says, by the times of a queue's messages from `first` on: the plain model. */
function model(times: readonly number[], first: number, at: number, boundary: "lower" | "upper"): number {
  if (boundary === "lower") {
    const index = times.findIndex((time) => time >= at);
    return first + (index < 0 ? times.length : index);
  }
  const index = times.findLastIndex((time) => time <= at);
  return first + Math.max(0, index);
}

function find(driver: StoreDriver, queueId: number, at: number, boundary: "lower" | "upper"): number {
  let found: number | undefined;
  driver.store.offsetByTime("T", queueId, at, boundary, (offset) => {
    found = offset;
  });
  driver.host.settle();
  assert.ok(found !== undefined, "the lookup has come to an end");
  return found;
}

describe("a lookup by time", () => {
  it("says what a plain list would, for any times, in memory and on disk, before and after a restart", async () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const random = seededRandom(seed);
      const driver = await StoreDriver.open({ hotTailBytes: 4096 });
      const base = driver.host.wall;
      const times: number[][] = [[], [], []];
      const count = 1 + Math.floor(random() * 150);
      let latest = 0;
      for (let index = 0; index < count; index += 1) {
        // The wall clock stands still, runs, leaps, and goes back by hours: stored times never do.
        const step = random();
        if (step < 0.5) driver.host.wall += Math.floor(random() * 20);
        else if (step < 0.55) driver.host.wall += 3_600_000;
        else if (step < 0.6) driver.host.wall -= 7_200_000;
        latest = Math.max(latest, driver.host.wall);
        const queueId = Math.floor(random() * 3);
        const { storeTimestamp } = driver.sendNow(
          message("x".repeat(Math.floor(random() * 300)), { queueId }),
        );
        assert.equal(storeTimestamp, latest, "the latest time so far");
        times[queueId]!.push(storeTimestamp);
      }
      if (seed % 3 === 0) driver.host.advance(15_000);
      for (const store of [driver, await driver.killed({ hotTailBytes: 4096 })]) {
        for (let ask = 0; ask < 60; ask += 1) {
          const queueId = Math.floor(random() * 3);
          const known = times[queueId]!;
          const one = known[Math.floor(random() * known.length)] ?? base;
          const at = ask === 0 ? 0 : one + Math.floor(random() * 5) - 2;
          for (const boundary of ["lower", "upper"] as const) {
            const expected = model(known, 0, at, boundary);
            const what = `seed ${seed}: queue ${queueId}, ${boundary} of ${at - base}`;
            assert.equal(find(store, queueId, at, boundary), expected, what);
          }
        }
      }
    }
  });

  it("goes no further back than the first message still stored", async () => {
    const driver = await StoreDriver.open();
    const times: number[] = [];
    for (let index = 0; index < 60; index += 1) {
      times.push(driver.sendNow(message("y".repeat(600))).storeTimestamp);
      driver.host.wall += 10;
    }
    driver.host.advance(15_000);
    await driver.stop();
    const image = driver.host.files.image();
    const files = new Map(
      [...image.files].filter(([path]) => !path.endsWith("/commitlog/00000000000000000000")),
    );
    const again = await StoreDriver.open({}, { ...image, files });
    const first = again.store.minOffset("T", 0);
    assert.ok(first > 0 && first < 60, `the first is ${first}`);
    const left = times.slice(first);
    for (const at of [
      0,
      times[0]!,
      times[first]! - 1,
      times[first]!,
      times[first]! + 5,
      times[59]!,
      times[59]! + 1,
    ]) {
      for (const boundary of ["lower", "upper"] as const) {
        assert.equal(find(again, 0, at, boundary), model(left, first, at, boundary), `${boundary} ${at}`);
      }
    }
    assert.deepEqual(again.bodies().length, 60 - first);
    const { result } = again.read(0);
    assert.deepEqual([result.status, result.nextBeginOffset], ["OFFSET_TOO_SMALL", first]);
  });
});
