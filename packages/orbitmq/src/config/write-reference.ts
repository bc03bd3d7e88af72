/** Writes the pages of docs/ that are generated: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliReference } from "../commands/cli-reference.ts";
import { configurationReference } from "./reference.ts";

const docs = join(import.meta.dirname, "../../../../docs");
writeFileSync(join(docs, "configuration.md"), configurationReference());
writeFileSync(join(docs, "cli.md"), cliReference());
