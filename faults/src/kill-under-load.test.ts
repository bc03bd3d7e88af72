/**
 * kill -9 while messages come in, and while the server starts, on stores whose segments and queue files are so small
 * that every round rolls them. ORBITMQ_KILL_ROUNDS sets how many (default 200), shared by two servers.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as later } from "node:timers/promises";
import { serverCommand } from "orbitmq/testing";
import { startTestServer, temporaryHome } from "./test-server.ts";
import { checkFound, newLedger, readAll, startLoad } from "./workload.ts";

const ROUNDS = Number(process.env["ORBITMQ_KILL_ROUNDS"] ?? 200);
const LANES = 2;
const TOPIC = "KillUnderLoad";
const SMALL_FILES = ["-o", "mappedFileSizeCommitLog=65536", "-o", "mappedFileSizeConsumeQueue=2000"];

/** Ends a server that is on its way up, some time before or after it has recovered the store. */
async function killWhileStarting(home: string, afterMs: number): Promise<void> {
  const [program, ...args] = serverCommand({ home, options: SMALL_FILES });
  const child = spawn(program!, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  // The fault itself is a moment in time; nothing is waited for.
  await later(afterMs);
  child.kill("SIGKILL");
  await exited;
}

test(`every acknowledged message is there after ${ROUNDS} rounds of kill -9 under load`, {
  timeout: 900_000,
}, async (t) => {
  const lane = async (index: number) => {
    const home = temporaryHome(t);
    const ledger = newLedger();
    const readyMs: number[] = [];
    for (let round = index; round < ROUNDS; round += LANES) {
      if (round % 5 === 4) {
        await killWhileStarting(home, 40 + ((round * 7919) % 400));
        continue;
      }
      const server = await startTestServer(t, home, { options: SMALL_FILES });
      readyMs.push(server.readyMs);
      const load = await startLoad(server.namesrvAddr, TOPIC, `round-${round}`, 2, 8, ledger);
      await load.acknowledgedReaches(40 + ((round * 7919) % 500));
      await server.kill();
      await load.stop();
    }
    const server = await startTestServer(t, home, { options: SMALL_FILES });
    const found = await readAll(server.namesrvAddr, TOPIC);
    assert.equal((await server.stop()).code, 0);
    checkFound(ledger, found);
    readyMs.sort((a, b) => a - b);
    t.diagnostic(
      `server ${index}: sent ${ledger.sent}, acknowledged ${ledger.acknowledged.size}, found ${found.copies.size}, ` +
        `unknown ${ledger.unknown.size}, ready after: median ${readyMs[readyMs.length >> 1]?.toFixed(0)} ms, ` +
        `worst ${readyMs.at(-1)?.toFixed(0)} ms`,
    );
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
});
