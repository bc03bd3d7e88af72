import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServerError } from "./server-error.ts";
import { duration, programName, wholeNumber } from "./terminal.ts";

describe("flag values", () => {
  it("take a time in seconds or with a unit", () => {
    const read = duration("--stop-timeout");
    assert.deepEqual(
      ["20", "1.5", "500ms", "2s", "1m", "1h"].map(read),
      [20_000, 1_500, 500, 2_000, 60_000, 3_600_000],
    );
  });

  it("refuse what is no time and no whole number, naming the flag", () => {
    for (const call of [
      () => duration("--stop-timeout")("soon"),
      () => wholeNumber("--count", 1)("0"),
      () => wholeNumber("--count", 1)("1.5"),
      () => wholeNumber("--count", 1)("-1"),
    ])
      assert.throws(
        call,
        (error) => error instanceof ServerError && error.code === "USAGE" && /--/.test(error.message),
      );
  });
});

describe("the program's name in lines to try", () => {
  it("is how it was called", () => {
    assert.equal(programName("/usr/local/bin/orbitmq", "/home/li"), "orbitmq");
    assert.equal(programName("/home/li/app/node_modules/.bin/orbitmq", "/home/li/app"), "npx orbitmq");
    assert.equal(programName("/home/li/orbitmq/packages/orbitmq/bin/orbitmq.mjs", "/"), "npx orbitmq");
    assert.equal(
      programName("/home/li/orbitmq/packages/orbitmq/dist/cli.js", "/home/li/orbitmq"),
      "node packages/orbitmq/dist/cli.js",
    );
  });
});
