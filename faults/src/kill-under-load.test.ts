import assert from "node:assert/strict";
import { test } from "node:test";
import { Producer } from "@orbitmq/client";
import { startTestServer, temporaryHome } from "./test-server.ts";
import { findAll, newLedger, startLoad } from "./workload.ts";

const ROUNDS = Number(process.env["ORBITMQ_KILL_ROUNDS"] ?? 30);
const TOPIC = "KillUnderLoad";

test(`every acknowledged message is consumed after ${ROUNDS} rounds of kill -9 under load`, {
  timeout: 600_000,
}, async (t) => {
  const home = temporaryHome(t);
  const ledger = newLedger();
  const firstAcknowledgementMs: number[] = [];

  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    const server = await startTestServer(t, home);
    const probe = new Producer({ namesrv: server.namesrvAddr, group: "probe" });
    await probe.start();
    ledger.sent++;
    ledger.acknowledged.set(`probe/${round}`, await probe.send({ topic: TOPIC, body: `probe/${round}` }));
    firstAcknowledgementMs.push(performance.now() - begin);
    await probe.shutdown();

    const load = await startLoad(server.namesrvAddr, TOPIC, `round-${round}`, 4, 8, ledger);
    await load.acknowledgedReaches(50 + ((round * 7919) % 700));
    await server.kill();
    await load.stop();
  }

  const server = await startTestServer(t, home);
  const wanted = new Set(ledger.acknowledged.keys());
  const { copies } = await findAll(server.namesrvAddr, TOPIC, "audit", wanted);
  assert.equal((await server.stop()).code, 0);

  for (const [body, result] of ledger.acknowledged) {
    const place = `${result.queue.queueId}@${result.queueOffset}`;
    assert.ok(copies.get(body)?.has(place), `${body} was acknowledged at ${place} and is not there`);
  }
  for (const body of copies.keys()) {
    assert.ok(
      ledger.acknowledged.has(body) || ledger.unknown.has(body),
      `${body} was never sent, or was refused`,
    );
  }
  firstAcknowledgementMs.sort((a, b) => a - b);
  t.diagnostic(
    `rounds ${ROUNDS}, sent ${ledger.sent}, acknowledged ${ledger.acknowledged.size}, ` +
      `found ${copies.size}, unknown ${ledger.unknown.size}, start to first acknowledgement: ` +
      `median ${firstAcknowledgementMs[ROUNDS >> 1]?.toFixed(0)} ms, worst ${firstAcknowledgementMs.at(-1)?.toFixed(0)} ms`,
  );
});
