import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServerError } from "../../server-error.ts";
import { startingPoint } from "./consume.ts";

describe("consume --from", () => {
  it("takes first and last", () => {
    assert.equal(startingPoint("first"), "first");
    assert.equal(startingPoint("last"), "last");
  });

  it("takes a time in ISO form, as RocketMQ writes it, and in milliseconds", () => {
    const time = new Date("2026-01-31T12:30:45Z");
    for (const text of ["2026-01-31T12:30:45Z", "20260131123045", "1769862645000"])
      assert.deepEqual(startingPoint(text), time);
  });

  it("refuses anything else with what it expects", () => {
    for (const text of ["newest", "", "20261399000000"])
      assert.throws(
        () => startingPoint(text),
        (error) =>
          error instanceof ServerError && error.code === "USAGE" && /first, last/.test(error.message),
      );
  });
});
