import assert from "node:assert/strict";
import { test } from "node:test";
import { ResponseCode, type WireErrorCode, wireErrors } from "@orbitmq/wire";
import { type AttemptFailure, outcomeOf, type RetryQuestion, shouldSendAgain } from "./retry.ts";

const question = (part: Partial<RetryQuestion>): RetryQuestion => ({
  mode: "sync",
  failure: { kind: "response", code: ResponseCode.SYSTEM_BUSY },
  queuePinned: false,
  attempts: 1,
  attemptsMax: 3,
  remainingMs: 1000,
  retriesStoredBadly: false,
  ...part,
});
const response = (code: number): AttemptFailure => ({ kind: "response", code });
const rpc = (code: WireErrorCode, sent = true): AttemptFailure => ({ kind: "rpc", code, sent });
const codes = Object.values(ResponseCode).filter((code) => code > 0);

test("send is tried again after exactly the eight response codes of RocketMQ", () => {
  const retried = codes.filter((code) => shouldSendAgain(question({ failure: response(code) })));
  assert.deepEqual(
    retried.sort((a, b) => a - b),
    [1, 2, 14, 16, 17, 204, 205, 1500],
  );
});

test("send is tried again when the broker could not be reached, also when too many requests are in flight", () => {
  const retried = (Object.keys(wireErrors) as WireErrorCode[]).filter((code) =>
    shouldSendAgain(question({ failure: rpc(code) })),
  );
  assert.deepEqual(retried.sort(), [
    "CONNECTION_CLOSED",
    "CONNECT_FAILED",
    "PEER_NOT_READING",
    "REQUEST_TIMEOUT",
    "TOO_MANY_REQUESTS",
  ]);
  assert.ok(shouldSendAgain(question({ failure: { kind: "no-address" } })));
});

test("sendAsync is tried again only when the broker could not be reached, or is about to go", () => {
  const mode = "async";
  const retried = codes.filter((code) => shouldSendAgain(question({ mode, failure: response(code) })));
  assert.deepEqual(retried, [ResponseCode.GO_AWAY]);
  assert.ok(shouldSendAgain(question({ mode, failure: rpc("CONNECT_FAILED") })));
  assert.ok(shouldSendAgain(question({ mode, failure: rpc("REQUEST_TIMEOUT") })));
  assert.ok(!shouldSendAgain(question({ mode, failure: rpc("TOO_MANY_REQUESTS") })));
  assert.ok(!shouldSendAgain(question({ mode, failure: { kind: "no-address" } })));
});

test("nothing is tried again oneway, without attempts left, without time left, or after the end of the client", () => {
  assert.ok(!shouldSendAgain(question({ mode: "oneway", failure: rpc("CONNECT_FAILED") })));
  assert.ok(!shouldSendAgain(question({ attempts: 3 })));
  assert.ok(!shouldSendAgain(question({ remainingMs: 0 })));
  assert.ok(!shouldSendAgain(question({ failure: rpc("RPC_STOPPED") })));
});

test("a given queue is not tried again by send and is by sendAsync", () => {
  const failure = rpc("CONNECT_FAILED");
  assert.ok(!shouldSendAgain(question({ queuePinned: true, failure })));
  assert.ok(shouldSendAgain(question({ mode: "async", queuePinned: true, failure })));
});

test("a message is refused only if the broker refused it before storing or nothing was sent", () => {
  assert.equal(outcomeOf(response(ResponseCode.MESSAGE_ILLEGAL)), "refused");
  assert.equal(outcomeOf(response(ResponseCode.SYSTEM_BUSY)), "refused");
  for (const code of [
    ResponseCode.SYSTEM_ERROR,
    ResponseCode.FLUSH_DISK_TIMEOUT,
    ResponseCode.FLUSH_SLAVE_TIMEOUT,
    ResponseCode.SLAVE_NOT_AVAILABLE,
    999,
  ]) {
    assert.equal(outcomeOf(response(code)), "unknown", String(code));
  }
  assert.equal(outcomeOf({ kind: "response", code: 14, mayExist: true }), "unknown");
  assert.equal(outcomeOf({ kind: "response", code: 14 }), "refused");
  assert.equal(outcomeOf(rpc("CONNECTION_CLOSED", true)), "unknown");
  assert.equal(outcomeOf(rpc("CONNECTION_CLOSED", false)), "refused");
  assert.equal(outcomeOf({ kind: "no-address" }), "refused");
});

test("another broker is tried for what was stored badly only when asked to", () => {
  for (const code of [10, 11, 12]) {
    const asked = question({ failure: response(code), retriesStoredBadly: true });
    assert.equal(shouldSendAgain(question({ failure: response(code) })), false);
    assert.equal(shouldSendAgain(asked), true);
    assert.equal(shouldSendAgain({ ...asked, mode: "async" }), false);
  }
});
