import assert from "node:assert/strict";
import { test } from "node:test";
import { sendFrames, writeId } from "./send-frame.ts";

test("there is a frame for each queue of each topic, topics taking turns", () => {
  const frames = sendFrames(["A", "B"], 12, 100);
  assert.equal(frames.length, 24);
  const text = (index: number) => frames[index]!.bytes.toString("latin1");
  assert.match(text(0), /A.*/);
  assert.ok(text(1).includes("B"));
  assert.ok(text(23).includes("11"), "queue ids may have two digits");
});

test("an id names its lane and its count, and nothing else of the frame changes", () => {
  const { bytes, idAt } = sendFrames(["A"], 1, 4)[0]!;
  const before = Buffer.from(bytes);
  writeId(bytes, idAt, 63, 0x01abcdef);
  assert.equal(bytes.toString("latin1", idAt, idAt + 32), `7F0000010000${"0".repeat(8)}003F01ABCDEF`);
  assert.deepEqual(bytes.subarray(0, idAt), before.subarray(0, idAt));
  assert.deepEqual(bytes.subarray(idAt + 32), before.subarray(idAt + 32));
});
