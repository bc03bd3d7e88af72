import assert from "node:assert/strict";
import { it } from "node:test";
import { folderOf, offsetName, parseOffsetName } from "./store-paths.ts";

it("the folder of a path is told for absolute, relative and bare names", () => {
  assert.deepEqual(["/a/b", "/a", "/", "a/b", "./a", "a", "."].map(folderOf), [
    "/a",
    "/",
    "/",
    "a",
    ".",
    ".",
    ".",
  ]);
});

it("names of twenty digits are offsets, and nothing else is", () => {
  assert.equal(parseOffsetName(offsetName(1_073_741_824)), 1_073_741_824);
  assert.deepEqual(["1", "", "0000000000000000000x", "99999999999999999999"].map(parseOffsetName), [
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
