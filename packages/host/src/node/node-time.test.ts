import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { nodeHost } from "./node-host.ts";

const { clock, timers } = nodeHost();

test("functions given to afterTurn run in order, and what they add runs a turn later", async () => {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    timers.afterTurn(() => {
      seen.push("first");
      timers.afterTurn(() => {
        seen.push("added");
        resolve();
      });
    });
    timers.afterTurn(() => seen.push("second"));
    setImmediate(() => seen.push("another immediate of the same turn"));
  });
  assert.deepEqual(seen, ["first", "second", "another immediate of the same turn", "added"]);
});

test("a function that throws after the turn does not take the others with it", () => {
  const program = `
    import { nodeHost } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    process.on("uncaughtException", (error) => console.log(error.message));
    const { timers } = nodeHost();
    timers.afterTurn(() => { throw new Error("thrown"); });
    timers.afterTurn(() => console.log("survived"));
  `;
  const { stdout } = spawnSync(
    process.execPath,
    [...process.execArgv.filter((arg) => !arg.startsWith("--test")), "--input-type=module", "-e", program],
    { encoding: "utf8" },
  );
  assert.equal(stdout, "thrown\nsurvived\n");
});

test("a timer never fires before its delay, even when set late in a long turn", async () => {
  const blockUntil = clock.monotonicMs() + 30;
  while (clock.monotonicMs() < blockUntil);
  const start = clock.monotonicMs();
  await new Promise<void>((resolve) => void timers.after(15, resolve));
  assert.ok(clock.monotonicMs() - start >= 15);
});

test("a cancelled timer never fires, and cancelling twice is fine", async () => {
  let fired = false;
  const doomed = timers.after(1, () => {
    fired = true;
  });
  const repeating = timers.every(1, () => {
    fired = true;
  });
  doomed.cancel();
  doomed.cancel();
  repeating.cancel();
  await new Promise<void>((resolve) => void timers.after(10, resolve));
  assert.equal(fired, false);
});

test("a delay beyond 2^31 ms is waited for instead of firing at once", async () => {
  let fired = false;
  const far = timers.after(2 ** 40, () => {
    fired = true;
  });
  await new Promise<void>((resolve) => void timers.after(10, resolve));
  far.cancel();
  assert.equal(fired, false);
});

test("an interval fires again and again", async () => {
  let count = 0;
  await new Promise<void>((resolve) => {
    const every = timers.every(1, () => {
      if (++count < 3) return;
      every.cancel();
      resolve();
    });
  });
  assert.equal(count, 3);
});
