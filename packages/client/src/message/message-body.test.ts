import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageBody } from "./message-body.ts";

test("a body is a view of its bytes that reads itself as text and as JSON", () => {
  const bytes = Buffer.from('xx{"cents":990,"name":"é"}');
  const body = MessageBody.over(bytes.subarray(2));
  assert.equal(body.text(), '{"cents":990,"name":"é"}');
  assert.deepEqual(body.json(), { cents: 990, name: "é" });
  assert.ok(body instanceof Uint8Array);
  assert.equal(body.buffer, bytes.buffer);
  assert.equal(body.byteLength, bytes.length - 2);
});

test("slices of a body are plain bytes", () => {
  const body = MessageBody.over(Buffer.from("abc"));
  assert.equal(body.slice(1) instanceof MessageBody, false);
  assert.deepEqual([...body.slice(1)], [98, 99]);
});

test("a body that is no JSON says so", () => {
  assert.throws(() => MessageBody.over(Buffer.from("{")).json(), SyntaxError);
});
