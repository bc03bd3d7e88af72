import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "./command-line.ts";

test("a command can be pasted, and names no place of the machine it ran on", () => {
  const args = ["--only", "pipelined-*", "--out", "/home/me", "--folder=/mnt/me", "--rounds", "5"];
  assert.equal(commandLine("compare", args), "npm run bench -- compare --only 'pipelined-*' --rounds 5");
  assert.equal(commandLine("memory", []), "npm run bench -- memory");
});
