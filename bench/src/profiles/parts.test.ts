import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { PLACES, partNames, partOf } from "./parts.ts";

const root = join(import.meta.dirname, "../../..");

test("every place that is told apart is there", () => {
  for (const [prefix] of PLACES) {
    if (!prefix.startsWith("node:")) assert.ok(existsSync(join(root, prefix)), prefix);
  }
});

test("a place is not hidden by one before it", () => {
  for (const [prefix, part] of PLACES) assert.equal(partOf(prefix), part, prefix);
});

test("every package of the server has its part, and Node's modules for files and sockets theirs", () => {
  for (const name of ["host", "wire", "store", "broker"]) {
    assert.notEqual(partOf(`packages/${name}/src/index.ts`), "loop", name);
  }
  for (const name of ["fs", "net", "stream"]) assert.ok(builtinModules.includes(name));
  assert.deepEqual([partOf("node:fs"), partOf("node:net")], ["files", "sockets"]);
});

test("there are few enough to be read", () => {
  assert.ok(partNames.length <= 12, `${partNames.length}`);
});
