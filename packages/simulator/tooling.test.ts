import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { applyPatch, PatchError } from "./tooling.mjs";

const tree = mkdtempSync(join(tmpdir(), "sim-patch-"));
after(() => rmSync(tree, { recursive: true, force: true }));
mkdirSync(join(tree, "packages"));
const file = join(tree, "packages/a.ts");
const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
const write = (content: readonly string[]) => writeFileSync(file, content.join("\n"));
const read = () => readFileSync(file, "utf8").split("\n");

const PATCH = `diff --git a/packages/a.ts b/packages/a.ts
--- a/packages/a.ts
+++ b/packages/a.ts
@@ -4,3 +4,4 @@
 line 4
-line 5
+line five
+and a half
 line 6
@@ -15,2 +16,1 @@ context
 line 15
-line 16
`;

test("a unified diff is applied hunk by hunk", () => {
  write(lines);
  applyPatch(tree, PATCH, "x.patch");
  const after = read();
  assert.deepEqual(after.slice(3, 7), ["line 4", "line five", "and a half", "line 6"]);
  assert.ok(!after.includes("line 16"));
  assert.equal(after.length, 20);
});

test("hunks are found again when the file has grown before them", () => {
  write([...Array.from({ length: 7 }, () => "new"), ...lines]);
  applyPatch(tree, PATCH, "x.patch");
  assert.equal(read()[11], "line five");
});

test("a patch whose context is gone, whose file is gone, or that is cut short says so", () => {
  write(lines.filter((line) => line !== "line 6"));
  assert.throws(
    () => applyPatch(tree, PATCH, "x.patch"),
    /x\.patch does not apply: packages\/a\.ts has no place/,
  );
  assert.throws(
    () => applyPatch(tree, PATCH.replaceAll("a.ts", "b.ts"), "x.patch"),
    /there is no packages\/b\.ts/,
  );
  write(lines);
  assert.throws(() => applyPatch(tree, PATCH.slice(0, 120), "x.patch"), PatchError);
  assert.throws(() => applyPatch(tree, "nothing\n", "x.patch"), /holds no change/);
});

test("a patch cannot leave the tree", () => {
  assert.throws(
    () => applyPatch(tree, PATCH.replaceAll("packages/a.ts", "../a.ts"), "x.patch"),
    /outside the tree/,
  );
});
