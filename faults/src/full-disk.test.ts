/** A file system that fills up, gets room, and fills up again, twice, under a real server. Needs root, for tmpfs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as later } from "node:timers/promises";
import { Producer, PushConsumer } from "@orbitmq/client";
import { startTestServer } from "./test-server.ts";
import { checkFound, newLedger, readAll, startLoad } from "./workload.ts";

const TOPIC = "FullDisk";
/** Twice the reserve must be free for messages to be taken again; besides, an IndexFile may take 20 MiB. */
const SIZE_MIB = 96;
const options = ["-o", "mappedFileSizeCommitLog=1048576", "-o", "cleanResourceInterval=2000"];
const skip =
  process.getuid?.() !== 0
    ? "mounting a tmpfs needs root"
    : spawnSync("mount", ["--version"]).status !== 0
      ? "there is no mount"
      : false;

function mountSmall(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "orbitmq-faults-"));
  // One hook, in this order: a folder that something is mounted on cannot be removed.
  t.after(() => {
    spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MIB}m`, "tmpfs", folder]);
  if (status === 0) return folder;
  t.skip(`a tmpfs cannot be mounted here: ${stderr}`);
  return undefined;
}

/** Takes all the space there is, as somebody else's file would. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (const bytes of [1 << 20, 4096]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(bytes, 1));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      }
    }
  } finally {
    closeSync(file);
  }
}

/** A member of group `audit` that has taken every message in `wanted`; its offsets are committed. */
async function consume(namesrv: string, wanted: ReadonlySet<string>): Promise<string[]> {
  const taken: string[] = [];
  const missing = new Set(wanted);
  const consumer = new PushConsumer({ namesrv, group: "audit", from: "first" });
  const done = new Promise<void>((resolve) => {
    consumer.listen(TOPIC, (message) => {
      taken.push(message.text());
      missing.delete(message.text());
      if (missing.size === 0) resolve();
    });
  });
  await consumer.start();
  await done;
  await consumer.shutdown();
  return taken;
}

test("a full disk refuses sends clearly, serves reads and commits, and takes sends again by itself", {
  skip,
  timeout: 240_000,
}, async (t) => {
  const folder = mountSmall(t);
  if (folder === undefined) return;
  const home = join(folder, "store");
  const filler = join(folder, "filler");
  const ledger = newLedger();
  let server = await startTestServer(t, home, { options });
  let consumed = new Set<string>();
  for (const round of [1, 2, 3]) {
    const before = await startLoad(server.namesrvAddr, TOPIC, `before-${round}`, 2, 8, ledger, 1000);
    await before.acknowledgedReaches(200);
    fill(filler);
    const refusal = await before.firstFailure;
    await before.stop();
    assert.equal(refusal.outcome, "refused");
    assert.match(refusal.message, /disk is full/);
    assert.equal(refusal.responseCode, 14);

    // Reads and commits go on; what a group has committed now it does not get again later.
    checkFound(ledger, await readAll(server.namesrvAddr, TOPIC));
    const fresh = new Set([...ledger.acknowledged.keys()].filter((body) => !consumed.has(body)));
    const taken = await consume(server.namesrvAddr, fresh);
    assert.equal(taken.filter((body) => consumed.has(body)).length, 0, "what was committed came again");
    consumed = new Set([...consumed, ...taken]);
    if (round === 2) {
      // A server that stops and starts on the full disk still serves what it has, and has kept what was committed.
      await server.stop();
      server = await startTestServer(t, home, { options });
      checkFound(ledger, await readAll(server.namesrvAddr, TOPIC));
    }

    rmSync(filler);
    const producer = new Producer({ namesrv: server.namesrvAddr, group: "resumed", retryTimes: 0 });
    await producer.start();
    // What was zeroed before the disk filled up is taken at once; the rest when the server has found space, which
    // it looks for every some seconds. Refused senders try again as applications do: a little later.
    for (let accepted = 0, attempt = 0; accepted < 300; attempt++) {
      const body = `resumed-${round}/${attempt}/`.padEnd(1000, "-");
      try {
        ledger.acknowledged.set(body, await producer.send({ topic: TOPIC, body }));
        accepted++;
      } catch (error) {
        assert.match(String(error), /disk is full/);
        accepted = 0;
        await later(50);
      }
    }
    await producer.shutdown();
  }
  assert.equal((await server.stop()).code, 0);
  const again = await startTestServer(t, home, { options });
  checkFound(ledger, await readAll(again.namesrvAddr, TOPIC));
  assert.equal((await again.stop()).code, 0);
  t.diagnostic(
    `acknowledged ${ledger.acknowledged.size}, refused ${ledger.refused.size}, unknown ${ledger.unknown.size}`,
  );
});
