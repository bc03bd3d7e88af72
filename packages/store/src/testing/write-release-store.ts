/**
 * Leaves a store of this release in packages/store/testdata/stores, stopped and killed, for later versions to open:
 *
 *   node --conditions=orbitmq-source --import tsx packages/store/src/testing/write-release-store.ts
 *
 * One that is there is never replaced: it is what that release wrote.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeReleaseStore } from "./release-store.ts";

const root = join(import.meta.dirname, "../../../..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const folder = join(root, "packages/store/testdata/stores");
mkdirSync(folder, { recursive: true });
for (const how of ["stopped", "killed"] as const) {
  const path = join(folder, `${version}-${how}.json.gz`);
  if (existsSync(path)) {
    console.log(`${path} is there`);
    continue;
  }
  writeFileSync(path, gzipSync(JSON.stringify(await makeReleaseStore(version, how)), { level: 9 }));
  console.log(`${path} written`);
}
