import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { formatDelayOffsets, parseDelayOffsets } from "./delay-offsets.ts";

const java = readFileSync(
  new URL("../../../wire/testdata/store/config/delayOffset.json", import.meta.url),
  "utf8",
);

describe("delayOffset.json", () => {
  it("is read and written as a Java broker wrote it", () => {
    const offsets = parseDelayOffsets(java);
    assert.deepEqual(Object.fromEntries(offsets.offsets), { 1: 3 });
    assert.equal(formatDelayOffsets(offsets), java.trimEnd());
  });

  it("keeps what is sensible of one that somebody edited", () => {
    const { offsets } = parseDelayOffsets('{"offsetTable":{"1":7,2:-3,"x":4,0:9}}');
    assert.deepEqual(Object.fromEntries(offsets), { 1: 7 });
    assert.throws(() => parseDelayOffsets("[]"), { code: "JSON_MALFORMED" });
    assert.throws(() => parseDelayOffsets('{"offsetTable":{"1":"far"}}'), { code: "JSON_MALFORMED" });
  });
});
