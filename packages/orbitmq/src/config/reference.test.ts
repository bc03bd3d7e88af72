import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { configurationReference } from "./reference.ts";

it("docs/configuration.md is what the key table says (npm run docs writes it)", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/configuration.md"), "utf8");
  assert.equal(page, configurationReference());
});
