import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readOptions } from "./options.ts";

const command = {
  name: "weigh",
  usage: "[options]: weighs.\n\n  --rounds 5",
  options: { rounds: { type: "string", default: "5" }, list: { type: "boolean", default: false } },
} as const;

describe("the options of a measurement", () => {
  it("are read", () => {
    const read = readOptions(command, ["--rounds", "7"]);
    assert.ok("values" in read);
    assert.deepEqual({ ...read.values }, { rounds: "7", list: false });
  });

  it("are told when help is asked for", () => {
    const text = "npm run bench -- weigh [options]: weighs.\n\n  --rounds 5";
    assert.deepEqual(readOptions(command, ["--list", "--help"]), { status: 0, text });
  });

  for (const args of [["--nonsense"], ["--list=yes"], ["--rounds"], ["surplus"]]) {
    it(`are refused in one line: ${args}`, () => {
      const read = readOptions(command, args);
      assert.ok("status" in read);
      assert.equal(read.status, 2);
      assert.match(read.text, /^bench weigh: .*; --help lists its options$/);
    });
  }
});
