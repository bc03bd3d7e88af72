import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { cliReference } from "./cli-reference.ts";

it("docs/cli.md is what the command says of itself (npm run docs writes it)", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/cli.md"), "utf8");
  assert.equal(page, cliReference());
});
