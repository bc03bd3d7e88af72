import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fillSection } from "./sections.ts";

test("what lies between the comments is replaced, and nothing else", () => {
  const page = "a\n<!-- bench:x -->\nold\nolder\n<!-- /bench:x -->\nb\n";
  const filled = fillSection(page, "x", "new");
  assert.equal(filled, "a\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\nb\n");
  assert.equal(fillSection(filled, "x", "new"), filled);
});

test("a page without the section is refused", () => {
  assert.throws(() => fillSection("a", "x", "new"), /no section x/);
  assert.throws(() => fillSection("<!-- /bench:x --> <!-- bench:x -->", "x", "new"), /no section x/);
});

test("docs/performance.md has every section that is filled", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/performance.md"), "utf8");
  for (const name of ["machine", "goals", "profile", "plots", "figures"]) fillSection(page, name, "");
});
