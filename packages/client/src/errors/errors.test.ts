import assert from "node:assert/strict";
import { test } from "node:test";
import { ResponseCode, WireError, type WireErrorCode, wireErrors } from "@orbitmq/wire";
import { fromResponse, fromUnknown, fromWireError } from "./error-from.ts";
import { OrbitError, type OrbitErrorCode, orbitErrors } from "./errors.ts";

test("every code has a description and a hint, and an error carries both answers of the table", () => {
  for (const code of Object.keys(orbitErrors) as OrbitErrorCode[]) {
    const { description, hint, retriable } = orbitErrors[code];
    assert.ok(description.length > 10 && hint.length > 10, code);
    const error = new OrbitError(code, "m");
    assert.deepEqual(
      [error.retriable, error.hint, error.outcome, error.attempts],
      [retriable, hint, "refused", 0],
    );
    assert.equal("cause" in error, false);
  }
});

test("every failure of the wire has a code", () => {
  for (const code of Object.keys(wireErrors) as WireErrorCode[]) {
    const cause = new WireError(code, "what happened");
    const error = fromWireError(cause, "broker-a");
    assert.ok(error.code in orbitErrors);
    assert.equal(error.cause, cause);
    assert.equal(error.broker, "broker-a");
    assert.match(error.message, /broker-a.*what happened/);
  }
});

test("a response that refuses keeps its number, name and remark", () => {
  const error = fromResponse(ResponseCode.NO_PERMISSION, "the topic is read-only", "broker-a");
  assert.deepEqual(
    [error.code, error.responseCode, error.remark],
    ["NO_PERMISSION", 16, "the topic is read-only"],
  );
  assert.match(error.message, /16 NO_PERMISSION: the topic is read-only/);
  assert.equal(fromResponse(4711, undefined, "x").code, "BROKER_REFUSED");
});

test("anything else that was thrown becomes INTERNAL with its cause, an OrbitError stays itself", () => {
  const own = new OrbitError("TIMEOUT", "m");
  assert.equal(fromUnknown(own), own);
  const cause = new RangeError("deep down");
  const error = fromUnknown(cause, "x");
  assert.deepEqual([error.code, error.message, error.cause], ["INTERNAL", "deep down", cause]);
  assert.equal(fromUnknown("a string").message, "a string");
});
