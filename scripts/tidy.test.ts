import assert from "node:assert/strict";
import { test } from "node:test";
import { findDeadFiles } from "./tidy/dead-files.ts";
import { rules } from "./tidy/rules.ts";
import { blankLiterals, parseSource } from "./tidy/source.ts";

const OPENING = "/** Why. */\n";
const findingsOf = (path: string, text: string) =>
  rules.flatMap((rule) => rule(parseSource(path, text))).map(({ line, message }) => `${line} ${message}`);

test("each rule refuses a sample that breaks it", () => {
  const samples: [path: string, text: string, expected: RegExp][] = [
    ["packages/store/src/a.ts", "const now = Date.now();", /Date is the machine's/],
    ["packages/store/src/a.ts", "const d = new Date();", /Date is the machine's/],
    ["packages/broker/src/a.ts", "setTimeout(() => {}, 1);", /setTimeout is the machine's/],
    ["packages/broker/src/a.ts", "const r = Math.random();", /Math.random/],
    ["packages/client/src/a.ts", "const p = process.pid;", /process is the machine's/],
    ["packages/client/src/a.ts", "queueMicrotask(f);", /queueMicrotask/],
    ["packages/host/src/sim/a.ts", "setImmediate(f);", /setTimeout is the machine's/],
    ["packages/client/src/a.ts", "console.log(1);", /console/],
    ["packages/store/src/a.ts", 'import { readFileSync } from "node:fs";', /node:fs is not for/],
    ["packages/wire/src/a.ts", 'import { x } from "@orbitmq/store";', /may not import/],
    ["packages/client/src/a.ts", 'import { nodeHost } from "@orbitmq/host/node";', /may not import/],
    ["packages/store/src/a.ts", 'import { x } from "../../broker/src/b.ts";', /leaves the package/],
    ["packages/store/src/a.ts", 'import { x } from "./b";', /name the file/],
    ["packages/store/src/a.ts", 'export * from "./b.ts";', /export names/],
    ["packages/store/src/a.ts", "export default 1;", /not a default/],
    ["packages/store/src/a.ts", "try { f(); } catch {}", /empty catch/],
    ["packages/store/src/a.ts", "p.catch(() => {});", /silent catch/],
    ["packages/store/src/a.ts", `// ${"TO"}DO later`, /do it/],
    ["packages/store/src/a.ts", "x;\n".repeat(701), /split it/],
    ["packages/store/src/a.test.ts", 'test.only("x", f);', /narrowed/],
    ["packages/nowhere/a.ts", "", /no room/],
  ];
  for (const [path, text, expected] of samples) {
    const found = findingsOf(path, OPENING + text);
    assert.match(found.join("\n"), expected, `${path}: ${text.slice(0, 60)}`);
  }
  assert.match(findingsOf("packages/store/src/a.ts", "export const a = 1;").join(), /why it exists/);
});

test("what the rules allow passes without a finding", () => {
  assert.deepEqual(
    findingsOf("packages/host/src/node/clock.ts", `${OPENING}export const now = () => Date.now();`),
    [],
  );
  assert.deepEqual(findingsOf("packages/host/src/sim/loop.ts", `${OPENING}queueMicrotask(f);`), []);
  assert.deepEqual(
    findingsOf("packages/store/src/a.ts", `${OPENING}// Date.now() in a comment\nconst s = "Math.random";\n`),
    [],
  );
  assert.deepEqual(
    findingsOf("packages/store/src/a.ts", `${OPENING}host.timers.after(1, f); peer.process.x;`),
    [],
  );
});

test("blanking keeps positions and sees through templates and regular expressions", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: source text under test
  const text = "a = `x ${Date.now()} y`; b = /Date.now()/; c = 'Date.now()';";
  const code = blankLiterals(text);
  assert.equal(code.length, text.length);
  assert.equal(code.match(/Date/g)?.length, 1);
});

test("a file nobody imports is found, one reached from a door or a test is not", () => {
  const sources = [
    parseSource("packages/a/src/index.ts", 'export { b } from "./b.ts";'),
    parseSource("packages/a/src/b.ts", ""),
    parseSource("packages/a/src/c.ts", ""),
    parseSource("packages/a/src/d.ts", ""),
    parseSource("packages/a/src/c.test.ts", 'import "./c.ts"; run(join(here, "process.ts"));'),
    parseSource("packages/a/src/process.ts", ""),
  ];
  const dead = findDeadFiles(sources, ["packages/a/src/index.ts"]).map((finding) => finding.path);
  assert.deepEqual(dead, ["packages/a/src/d.ts"]);
});
