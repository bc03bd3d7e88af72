import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../wire-error.ts";
import { decodeRecallHandle, encodeRecallHandle } from "./recall-message.ts";

const HANDLE = { topic: "orders", brokerName: "broker-a", timestampMs: 1_700_000_000_001, uniqKey: "0A00" };

test("a recall handle is padded base64url of its five parts, and read back", () => {
  const text = encodeRecallHandle(HANDLE);
  assert.equal(Buffer.from(text, "base64url").toString(), "v1 orders broker-a 1700000000001 0A00");
  assert.equal(text.length % 4, 0);
  assert.deepEqual(decodeRecallHandle(text), HANDLE);
});

test("what is no recall handle is refused", () => {
  const encoded = (text: string) => Buffer.from(text).toString("base64url");
  for (const text of [
    "",
    "not base64!",
    "x".repeat(2_000),
    encoded("v2 orders broker-a 1 k"),
    encoded("v1 orders broker-a 1"),
    encoded("v1 orders broker-a soon k"),
    encoded("v1 orders broker-a 1 k\u0001v"),
    encoded("v1  broker-a 1 k"),
  ]) {
    assert.throws(() => decodeRecallHandle(text), WireError, text);
  }
});
