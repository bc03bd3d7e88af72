import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { aResult } from "../testing/a-result.ts";
import { keepResults, parseResult, readResult, readResults, writeResult } from "./result-files.ts";

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bench-results-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("a result that was written is read again, and nothing else lies beside it", (t) => {
  const folder = join(temporary(t), "not/there/yet");
  const result = aResult({ name: "a-sync" });
  writeResult(folder, result);
  writeResult(folder, result);
  assert.deepEqual(readdirSync(folder), ["a-sync.json"]);
  assert.deepEqual(readResult(folder, "a-sync"), result);
  assert.equal(readResult(folder, "b-sync"), undefined);
  assert.equal(readResult(join(folder, "nowhere"), "a-sync"), undefined);
});

test("of two results of one name the later file counts", (t) => {
  const [first, second] = [join(temporary(t), "1"), join(temporary(t), "2")];
  writeResult(first, aResult({ name: "a-sync", title: "old" }));
  writeResult(first, aResult({ name: "b-sync" }));
  writeResult(second, aResult({ name: "a-sync", title: "new" }));
  const found = readResults([first, join(second, "a-sync.json")]);
  assert.deepEqual(
    found.map(({ name, title }) => `${name} ${title}`),
    ["a-sync new", "b-sync a title"],
  );
});

test("what is kept replaces its namesakes and leaves the others", (t) => {
  const folder = join(temporary(t), "kept");
  keepResults(folder, [aResult({ name: "a-sync", title: "old" }), aResult({ name: "b-sync" })]);
  const kept = keepResults(folder, [aResult({ name: "a-sync", title: "new" })]);
  assert.deepEqual(
    kept.map(({ name, title }) => `${name} ${title}`),
    ["a-sync new", "b-sync a title"],
  );
});

test("a file that is no result is not taken for one", (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, "x.json"), "{}");
  assert.throws(() => readResults([folder]), /x.json is no result/);
  assert.throws(() => parseResult('{"format":2,"turns":[]}', "y.json"), /y.json has format 2/);
});
