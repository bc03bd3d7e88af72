/**
 * A disk that fails a sync, or a write, of the log at many different moments, one server after the other over the
 * same store. ORBITMQ_FAILING_MOMENTS sets how many of each (default 20).
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { OrbitError, Producer } from "@orbitmq/client";
import type { ServerProcess } from "orbitmq/testing";
import { failingCall, skipWithoutStrace } from "./disk-injection.ts";
import { startTestServer, temporaryHome } from "./test-server.ts";
import { checkFound, type Ledger, newLedger, readAll, startLoad } from "./workload.ts";

const MOMENTS = Number(process.env["ORBITMQ_FAILING_MOMENTS"] ?? 20);
const TOPIC = "FailingMoments";
const SEGMENT_BYTES = 65_536;
const options = ["-o", `mappedFileSizeCommitLog=${SEGMENT_BYTES}`, "-o", "mappedFileSizeConsumeQueue=2000"];

/** The log fails from its `when`-th call on; returns whether the server came up at all. */
async function failAt(
  t: TestContext,
  call: "fdatasync" | "pwrite64",
  when: number,
  home: string,
  ledger: Ledger,
): Promise<boolean> {
  let server: ServerProcess;
  try {
    server = await startTestServer(t, home, {
      options,
      wrapper: failingCall(call, when, home, SEGMENT_BYTES),
    });
  } catch (error) {
    assert.match(String(error), /EIO/, "a server that does not start on a failing disk names it");
    return false;
  }
  const load = await startLoad(server.namesrvAddr, TOPIC, `${call}-${when}`, 2, 8, ledger);
  await load.firstFailure;
  await load.stop();
  await checkReadOnly(server, ledger, `${call}-${when}`);
  if (when % 2 === 0) await server.kill();
  else assert.equal((await server.stop()).code, 5, "a failed store is not closed in order");
  return true;
}

/** Sends are refused for good; what was acknowledged is served. */
async function checkReadOnly(server: ServerProcess, ledger: Ledger, name: string): Promise<void> {
  const producer = new Producer({ namesrv: server.namesrvAddr, group: "after", retryTimes: 0 });
  await producer.start();
  await assert.rejects(
    producer.send({ topic: TOPIC, body: `after/${name}` }),
    (error: unknown) =>
      error instanceof OrbitError && error.responseCode === 14 && error.outcome === "refused",
  );
  await producer.shutdown();
  checkFound(ledger, await readAll(server.namesrvAddr, TOPIC));
}

describe("a log that fails", { concurrency: 2, skip: skipWithoutStrace, timeout: 600_000 }, () => {
  for (const call of ["fdatasync", "pwrite64"] as const) {
    it(`with EIO at ${MOMENTS} moments of ${call} keeps what was acknowledged, serves it, and takes nothing more`, async (t) => {
      const home = temporaryHome(t);
      const ledger = newLedger();
      let started = 0;
      for (let moment = 1; moment <= MOMENTS; moment++) {
        // Syncs are shared out to the threads of a pool, and counted for each.
        const when = call === "fdatasync" ? moment : moment * 2 - 1;
        if (await failAt(t, call, when, home, ledger)) started++;
      }
      const server = await startTestServer(t, home, { options });
      checkFound(ledger, await readAll(server.namesrvAddr, TOPIC));
      assert.equal((await server.stop()).code, 0);
      assert.ok(started > MOMENTS / 2, `${started} servers came up`);
      t.diagnostic(
        `${started} of ${MOMENTS} servers came up, acknowledged ${ledger.acknowledged.size}, unknown ${ledger.unknown.size}`,
      );
    });
  }
});
