/** Timed messages whose part of the log is removed before their time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import { SimBroker } from "../testing/sim-broker.ts";
import { timedSend } from "../testing/timed-send.ts";

const TOPIC = "TopicTest";
const TIMER_TOPIC = "rmq_sys_wheel_timer";
const HOUR_S = 3_600;

/** The store forgets after an hour what the broker would keep for days, as forced cleaning does. */
async function room(): Promise<SimBroker> {
  const sim = new SimBroker({ timerWheelSlots: 65_536 }, 1, { fileReservedTime: 1 });
  await sim.start();
  return sim;
}

async function removeOldest(sim: SimBroker): Promise<void> {
  const body = "x".repeat(60_000);
  for (let count = 0; count < 20; count++) await sim.send("filler", body);
  await sim.run(2.5 * HOUR_S * 1_000);
  sim.store.deleteExpiredFiles();
  await sim.run(15_000);
}

describe("a timed message", () => {
  it("is carried on before its part of the log is removed, and comes once, in its second, if it was not recalled", async () => {
    const sim = await room();
    const dueMs = sim.host.clock.wallMs() + 4 * HOUR_S * 1_000;
    await timedSend(sim, TOPIC, "soon", { TIMER_DELAY_SEC: 60 });
    for (const body of ["kept", "recalled"]) await timedSend(sim, TOPIC, body, { TIMER_DELIVER_MS: dueMs });
    await timedSend(sim, TOPIC, "deletion", {
      TIMER_DELIVER_MS: dueMs,
      TIMER_DEL_UNIQKEY: `${TOPIC}+key-recalled`,
    });
    await removeOldest(sim);
    assert.ok(sim.store.minOffset(TIMER_TOPIC, 0) >= 4, "their part of the log is gone");
    assert.equal(sim.store.readableEnd(TIMER_TOPIC, 0), 7, "what was delivered is not carried");
    await sim.stop();
    await sim.start();
    await sim.run(2 * HOUR_S * 1_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["soon", "kept"]);
    const info = (await sim.ask(RequestCode.GET_BROKER_RUNTIME_INFO)).body.toString();
    assert.match(info, /"timerRemoved":"0"/);
    const [, message] = await sim.messages(TOPIC);
    assert.ok(message!.storeTimestamp >= dueMs && message!.storeTimestamp <= dueMs + 1_200);
  });

  it("that cannot be carried keeps its part of the log, and comes once", async () => {
    const sim = await room();
    await timedSend(sim, TOPIC, "a", { TIMER_DELAY_SEC: 4 * HOUR_S });
    const { store } = sim;
    const append = store.append.bind(store);
    let isFull = true;
    store.append = (message, durability, waiter) =>
      isFull && message.topic === TIMER_TOPIC
        ? { status: "refused", reason: "DISK_FULL", remark: "full" }
        : append(message, durability, waiter);
    await removeOldest(sim);
    assert.equal(store.status().minOffset, 0);
    isFull = false;
    store.deleteExpiredFiles();
    await sim.run(5_000);
    assert.ok(store.minOffset(TIMER_TOPIC, 0) > 0);
    await sim.run(2 * HOUR_S * 1_000);
    assert.deepEqual(await sim.bodies(TOPIC), ["a"]);
    const info = (await sim.ask(RequestCode.GET_BROKER_RUNTIME_INFO)).body.toString();
    assert.match(info, /"timerRemoved":"0"/);
  });

  it("keeps its part of the log when more than half of that waits", async () => {
    const sim = await room();
    const body = "x".repeat(60_000);
    for (let count = 0; count < 20; count++)
      await timedSend(sim, TOPIC, body, { UNIQ_KEY: `key-${count}`, TIMER_DELAY_SEC: 4 * HOUR_S });
    await removeOldest(sim);
    assert.equal(sim.store.status().minOffset, 0);
    assert.equal(sim.store.readableEnd(TIMER_TOPIC, 0), 20);
    await sim.run(2 * HOUR_S * 1_000);
    assert.equal((await sim.messages(TOPIC)).length, 20);
  });
});
