import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { OrbitError, Producer } from "@orbitmq/client";
import type { ServerProcess } from "orbitmq/testing";
import { startTestServer, temporaryHome } from "./test-server.ts";
import { findAll, newLedger, startLoad } from "./workload.ts";

const TOPIC = "FailingDisk";
const strace = spawnSync("strace", ["-V"]).status === 0;
const skip = strace ? false : "strace is not installed";

/** From each thread's `when`-th fdatasync on, the disk answers EIO. */
const failingSync = (when: number) =>
  `strace -D -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:error=EIO:when=${when}+`.split(" ");

/** Loads the server until its disk fails; returns what every send was told. */
async function loadUntilFailure(server: ServerProcess) {
  const ledger = newLedger();
  const load = await startLoad(server.namesrvAddr, TOPIC, "eio", 4, 4, ledger);
  await load.firstFailure;
  await load.stop();
  return ledger;
}

test("after a failed fdatasync nothing is acknowledged, reads go on, and a restart finds every acknowledged message", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const home = temporaryHome(t);
  const server = await startTestServer(t, home, { wrapper: failingSync(40) });
  const ledger = await loadUntilFailure(server);
  assert.ok(ledger.acknowledged.size > 0, "the disk worked for a while");
  assert.ok(ledger.unknown.size > 0, "sends waiting for the failed sync learn that nothing is known");

  const producer = new Producer({ namesrv: server.namesrvAddr, group: "after", retryTimes: 0 });
  await producer.start();
  for (let attempt = 0; attempt < 20; attempt++) {
    await assert.rejects(
      producer.send({ topic: TOPIC, body: `after/${attempt}` }),
      (error: unknown) =>
        error instanceof OrbitError && error.responseCode === 14 && error.outcome === "refused",
    );
  }
  await producer.shutdown();

  const wanted = new Set(ledger.acknowledged.keys());
  await findAll(server.namesrvAddr, TOPIC, "drain-while-failed", wanted);
  await server.logged(/fdatasync|EIO/);
  await server.kill();

  const restarted = await startTestServer(t, home);
  const { copies } = await findAll(restarted.namesrvAddr, TOPIC, "audit", wanted);
  for (const [body, result] of ledger.acknowledged) {
    assert.ok(copies.get(body)?.has(`${result.queue.queueId}@${result.queueOffset}`), body);
  }
  for (const body of copies.keys()) assert.ok(!body.startsWith("after/"), `${body} was refused and is there`);
  assert.equal((await restarted.stop()).code, 0);
  t.diagnostic(
    `acknowledged ${ledger.acknowledged.size}, unknown ${ledger.unknown.size}, found ${copies.size}`,
  );
});

test("--on-write-failure exit ends the process with code 5", { skip, timeout: 120_000 }, async (t) => {
  const home = temporaryHome(t);
  const server = await startTestServer(t, home, {
    wrapper: failingSync(30),
    options: ["--on-write-failure", "exit"],
  });
  const ledger = await loadUntilFailure(server);
  assert.equal((await server.exited).code, 5);

  const restarted = await startTestServer(t, home);
  await findAll(restarted.namesrvAddr, TOPIC, "audit", new Set(ledger.acknowledged.keys()));
  assert.equal((await restarted.stop()).code, 0);
});
