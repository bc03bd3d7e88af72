import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCommand, endTransactionRequestHeader } from "@orbitmq/wire";
import { binaryFrame } from "./binary-frame.ts";
import { commitFrame, writePlaces } from "./commit-frame.ts";
import { writeId } from "./send-frame.ts";

test("a commit names the half that the answer tells of", () => {
  const id = "7F00000100002A9F00000000000004D2";
  const answer = binaryFrame(0, [
    ["msgId", id],
    ["queueId", "0"],
    ["queueOffset", "77"],
  ]).frame;
  const frame = commitFrame("group");
  const out = Buffer.from(frame.bytes);
  writePlaces(out, 0, frame, answer, 8);
  for (const at of [frame.idAt, frame.transactionIdAt]) writeId(out, at, 3, 255);
  const header = endTransactionRequestHeader.decode(decodeCommand(out).ext);
  const own = `7F0000010000${"0".repeat(8)}0003000000FF`;
  assert.equal(header.commitLogOffset, 0x4d2);
  assert.equal(header.tranStateTableOffset, 77);
  assert.equal(header.commitOrRollback, 8);
  assert.deepEqual([header.msgId, header.transactionId], [own, own]);
  assert.throws(() => writePlaces(out, 0, frame, binaryFrame(0, [["msgId", id]]).frame, 8), /where it lies/);
});
