/** Writes the pages of docs/ that are generated: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configurationReference } from "./reference.ts";

writeFileSync(join(import.meta.dirname, "../../../../docs/configuration.md"), configurationReference());
