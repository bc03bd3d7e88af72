import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { ProfiledStretch } from "../profiles/cpu-profile.ts";
import { PROFILING, watchServer } from "./server-watch.ts";

const probe = pathToFileURL(join(import.meta.dirname, "cpu-profile-probe.mjs")).href;
/** Computes for a tenth of a second of its core each time it is asked, in a new function, which V8 cannot have merged into its caller. */
const busy = `
  let count = 0;
  process.stdin.on("data", () => {
    const compute = require("node:vm").runInThisContext(\`(function compute() {
      const begin = process.cpuUsage().user;
      let sum = \${++count};
      while (process.cpuUsage().user - begin < 100_000) for (let index = 0; index < 1e5; index++) sum += index;
      return sum;
    })\`);
    process.stdout.write(String(compute()));
  });
  process.stdout.write("ready");`;

/** Resolves when the folder holds the file. */
async function appeared(folder: string, file: string): Promise<void> {
  const watcher = watch(folder);
  try {
    for await (const [, filename] of on(watcher, "change")) if (filename === file) return;
  } finally {
    watcher.close();
  }
}

test("a server with the probe is profiled for as long as it is watched, again and again", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "orbitmq-probe-"));
  const child = spawn(process.execPath, ["--import", probe, "-e", busy], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, BENCH_PROFILE_FOLDER: folder },
  });
  context.after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
    delete process.env[PROFILING];
  });
  await once(child.stdout, "data");
  process.env[PROFILING] = "yes";
  for (const number of [1, 2]) {
    const begun = appeared(folder, `${number}.begun`);
    const ended = appeared(folder, `${number}.json`);
    const end = watchServer([child.pid as number]);
    await begun;
    child.stdin.write("compute");
    await once(child.stdout, "data");
    end();
    await ended;
    const stretch = JSON.parse(readFileSync(join(folder, `${number}.json`), "utf8")) as ProfiledStretch;
    assert.ok(stretch.coreUs > 0 && stretch.readyUs >= 0);
    assert.equal(stretch.profile.samples.length, stretch.profile.timeDeltas.length);
    assert.ok(stretch.profile.nodes.some(({ callFrame }) => callFrame.functionName === "compute"));
  }
});

test("only where a measurement profiles is a server told, and of its processes the first", (context) => {
  const told = context.mock.method(process, "kill", () => true);
  watchServer([process.pid, 1])();
  assert.equal(told.mock.callCount(), 0);
  process.env[PROFILING] = "yes";
  context.after(() => delete process.env[PROFILING]);
  watchServer([])();
  const end = watchServer([process.pid, 1]);
  assert.deepEqual(
    told.mock.calls.map((call) => call.arguments),
    [[process.pid, "SIGURG"]],
  );
  end();
  assert.deepEqual(told.mock.calls[1]?.arguments, [process.pid, "SIGCONT"]);
  assert.equal(told.mock.callCount(), 2);
});
