import assert from "node:assert/strict";
import { test } from "node:test";
import { buildSync } from "esbuild";
import { bundledModules } from "./bundled-modules.ts";

test("a line of a bundle is of the file whose heading was last", () => {
  const modules = bundledModules(
    [
      "#!/usr/bin/env node",
      "// packages/a/src/x.ts",
      "one",
      "two",
      "// ../../packages/b/src/y.mjs",
      "three",
    ].join("\n"),
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 99].map((line) => modules.at(line)),
    [undefined, ...Array(3).fill("packages/a/src/x.ts"), ...Array(3).fill("packages/b/src/y.mjs")],
  );
});

test("a comment that is no file's name begins nothing", () => {
  const modules = bundledModules("// packages/a/src/x.ts\n// see y.ts\n  // packages/b/src/y.ts\ncode");
  assert.equal(modules.at(3), "packages/a/src/x.ts");
});

test("bundles of esbuild have such headings", () => {
  const [file] = buildSync({
    entryPoints: [import.meta.filename],
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["esbuild"],
    write: false,
  }).outputFiles;
  const text = file?.text ?? "";
  const line = text.split("\n").findIndex((content) => content.includes("function bundledModules("));
  assert.match(bundledModules(text).at(line) ?? "", /bundled-modules\.ts$/);
});
