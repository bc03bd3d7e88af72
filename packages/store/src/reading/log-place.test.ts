import assert from "node:assert/strict";
import { test } from "node:test";
import { message, StoreDriver } from "../testing/store-driver.ts";
import type { LogPlace } from "./log-place.ts";

function placeAt(driver: StoreDriver, position: number): LogPlace {
  let found: LogPlace | undefined;
  driver.store.placeAt(position, (place) => {
    found = place;
  });
  driver.host.settle();
  assert.ok(found !== undefined, "the look has come to an end");
  return found;
}

test("a place tells its record, its file and where in it; one where nothing is says why", async () => {
  const driver = await StoreDriver.open();
  const sent = Array.from({ length: 60 }, (_, i) => driver.sendNow(message(`${i} ${"x".repeat(500)}`)));
  const { physicalOffset, queueOffset } = sent.at(-1)!;
  const place = placeAt(driver, physicalOffset);
  assert.ok(place.state === "whole");
  const segmentBytes = 16 * 1024;
  assert.equal(Number(place.file) + place.fileOffset, physicalOffset);
  assert.ok(Number(place.file) > 0 && place.fileOffset < segmentBytes && place.file.length === 20);
  assert.equal(place.record.readInt32BE(16), 0);
  assert.equal(Number(place.record.readBigInt64BE(20)), queueOffset);
  const first = placeAt(driver, 0);
  assert.ok(first.state === "whole" && first.file === "0".repeat(20), "read from disk as well");
  assert.equal(placeAt(driver, physicalOffset + 1).state, "unreadable");
  assert.equal(placeAt(driver, 1e9).state, "absent");
  assert.equal(placeAt(driver, Number.NaN).state, "absent");
  await driver.stop();
  assert.equal(placeAt(driver, 0).state, "unreadable");
});

test("the span of the index of keys begins with the oldest message it knows", async () => {
  const driver = await StoreDriver.open();
  assert.deepEqual(driver.store.keyIndexSpan(), { enabled: true, behindBytes: 0, fromMs: 0 });
  const { storeTimestamp } = driver.sendNow(message("one"));
  driver.sendNow(message("two"));
  assert.deepEqual(driver.store.keyIndexSpan(), { enabled: true, behindBytes: 0, fromMs: storeTimestamp });
  await driver.stop();
  const without = await StoreDriver.open({ messageIndexEnable: false });
  assert.equal(without.store.keyIndexSpan().enabled, false);
  await without.stop();
});
