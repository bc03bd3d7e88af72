import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StateFile } from "@orbitmq/store";
import { parseProperties, type RecordInput, RequestCode, ResponseCode } from "@orbitmq/wire";
import { SCHEDULE_TOPIC } from "../names.ts";
import { brokerRoom } from "../testing/broker-room.ts";
import { SimBroker } from "../testing/sim-broker.ts";
import { parseDelayOffsets } from "./delay-offsets.ts";

const delay = (level: number | string): { i: string } => ({
  i: `DELAY\u0001${level}\u0002TAGS\u0001t\u0002`,
});

function kept(sim: SimBroker): Record<string, number> {
  const bytes = sim.host.files.readWholeSync("/store/config/delayOffset.json");
  if (bytes === undefined) return {};
  return Object.fromEntries(parseDelayOffsets(Buffer.from(bytes).toString()).offsets);
}

const home = "REAL_TOPIC\u0001orders\u0002REAL_QID\u00012\u0002";
const waiter = { appendSettled: () => {} };

function message(body: string, properties = home): RecordInput {
  return {
    topic: SCHEDULE_TOPIC,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: Uint8Array.of(10, 0, 0, 2, 0, 0, 0, 1),
    storeHost: Uint8Array.of(10, 0, 0, 1, 0, 0, 0, 1),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties,
  };
}

describe("ScheduleService", () => {
  it("keeps in its file only what is on disk, and at stop waits for what is under way", () => {
    const saves: string[] = [];
    const delayFile = {
      load: () => undefined,
      save: (text: string) => void saves.push(text),
      saveSync: (text: string) => void saves.push(text),
      close: () => {},
    } as unknown as StateFile;
    const { store, host, schedule, clock } = brokerRoom({ delayFile });
    store.realRecords = true;
    store.nowMs = clock.wallMs;
    store.appended.length = 0;
    schedule.start();
    store.append(message("a"), "flushed", waiter);
    host.advance(10);
    store.autoFlush = false;
    host.advance(11_000);
    const kept = () => Object.fromEntries(parseDelayOffsets(saves.at(-1)!).offsets);
    assert.equal(schedule.progress().get(1)?.delivered, 1);
    assert.deepEqual(kept(), {}, "appended, not on disk");
    let stopped = false;
    schedule.stop(5_000, () => {
      stopped = true;
    });
    host.endTurn();
    assert.equal(stopped, false);
    store.flush();
    assert.equal(stopped, true);
    schedule.save();
    assert.deepEqual(kept(), { 1: 1 });
  });

  it("tries again when the store takes nothing, and passes over what says not where it belongs", () => {
    const room = brokerRoom();
    const { store, host, schedule } = room;
    store.realRecords = true;
    store.nowMs = room.clock.wallMs;
    schedule.start();
    store.append(message("a"), "flushed", waiter);
    store.append(message("lost", ""), "flushed", waiter);
    store.append(message("b"), "flushed", waiter);
    host.advance(500);
    store.refusal = { reason: "DISK_FULL", remark: "full" };
    host.advance(3_000);
    assert.equal(store.queues.get("orders@2"), undefined);
    store.refusal = undefined;
    host.advance(1_000);
    assert.deepEqual(
      store.queues.get("orders@2")?.map(({ body }) => body),
      ["a", "b"],
    );
    assert.deepEqual(schedule.progress().get(1), { delivered: 3, end: 3 });
    assert.equal(host.timerCount, 2, "only the statistics' timers");
  });
});

describe("delayed messages", () => {
  it("come when their level's time has passed, not before, with all they were sent with", async () => {
    const sim = await SimBroker.started();
    const sent = await sim.send("orders", "later", { ...delay(1), e: 0 });
    assert.equal(sent.code, 0);
    assert.equal(sent.ext.get("queueId"), "0");
    await sim.run(980);
    assert.deepEqual(await sim.bodies("orders"), []);
    await sim.run(40);
    const [message] = await sim.messages("orders");
    assert.equal(Buffer.from(message!.body).toString(), "later");
    const properties = parseProperties(message!.properties);
    assert.equal(properties.get("TAGS"), "t");
    assert.equal(properties.get("DELAY"), "1");
    assert.equal(properties.get("REAL_TOPIC"), "orders");
    assert.equal(properties.get("REAL_QID"), "0");
    assert.notEqual(properties.get("UNIQ_KEY"), undefined);
    const [waiting] = await sim.messages(SCHEDULE_TOPIC, 0);
    assert.ok(message!.storeTimestamp - waiting!.storeTimestamp >= 1_000);
  });

  it("of one level come in the order they were sent, and levels do not wait for each other", async () => {
    const sim = await SimBroker.started();
    for (let i = 0; i < 100; i++) await sim.send("orders", `five-${i}`, delay(2));
    await sim.send("orders", "one", delay(1));
    await sim.run(2_000);
    assert.deepEqual(await sim.bodies("orders"), ["one"]);
    await sim.run(6_000);
    assert.deepEqual(await sim.bodies("orders"), [
      "one",
      ...Array.from({ length: 100 }, (_, i) => `five-${i}`),
    ]);
  });

  it("take the last level when they ask for more, and none when they ask for zero or less", async () => {
    const sim = await SimBroker.started({
      messageDelayLevel: "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
    });
    await sim.send("orders", "far", delay(99));
    await sim.send("orders", "now", delay(0));
    await sim.send("orders", "also now", delay(-1));
    await sim.run(100);
    assert.deepEqual(await sim.bodies("orders"), ["now", "also now"]);
    const [far] = await sim.messages(SCHEDULE_TOPIC, 17);
    assert.equal(parseProperties(far!.properties).get("DELAY"), "18");
    await sim.run(7_200_000);
    assert.deepEqual(await sim.bodies("orders"), ["now", "also now", "far"]);
  });

  it("are not early when the clock is set forward, nor late when it is set back", async () => {
    const sim = await SimBroker.started();
    await sim.send("orders", "a", delay(3));
    await sim.run(2_000);
    sim.machine.stepWallClock(3_600_000);
    await sim.run(7_000);
    assert.deepEqual(await sim.bodies("orders"), []);
    await sim.run(1_100);
    assert.deepEqual(await sim.bodies("orders"), ["a"]);
    await sim.send("orders", "b", delay(3));
    await sim.run(2_000);
    sim.machine.stepWallClock(-7_200_000);
    await sim.send("orders", "c", delay(3));
    await sim.run(7_000);
    assert.deepEqual(await sim.bodies("orders"), ["a"]);
    await sim.run(1_100);
    assert.deepEqual(await sim.bodies("orders"), ["a", "b"]);
    await sim.run(2_000);
    assert.deepEqual(await sim.bodies("orders"), ["a", "b", "c"]);
  });

  it("come once when the broker stops in order, and in time when it was down meanwhile", async () => {
    const sim = await SimBroker.started();
    await sim.send("orders", "a", delay(1));
    await sim.run(1_020);
    await sim.send("orders", "b", delay(2));
    await sim.send("orders", "c", delay(3));
    await sim.stop();
    await sim.run(7_000);
    await sim.start();
    assert.deepEqual(kept(sim), { 1: 1 });
    await sim.run(500);
    assert.deepEqual(await sim.bodies("orders"), ["a", "b"]);
    await sim.run(4_000);
    assert.deepEqual(await sim.bodies("orders"), ["a", "b", "c"]);
  });

  it("come to their topic though topics.json was lost before it had any other message", async () => {
    const sim = await SimBroker.started();
    await sim.send("orders", "a", delay(2));
    await sim.run(1_000);
    for (const name of sim.host.files.listSync("/store/config")) {
      if (name.startsWith("topics.json")) sim.host.files.unlinkSync(`/store/config/${name}`);
    }
    sim.kill();
    await sim.start();
    const pull = () =>
      sim.ask(RequestCode.PULL_MESSAGE, {
        consumerGroup: "workers",
        topic: "orders",
        queueId: 0,
        queueOffset: 0,
        maxMsgNums: 32,
        sysFlag: 4,
        commitOffset: 0,
        suspendTimeoutMillis: 0,
        subscription: "*",
        subVersion: 0,
      });
    assert.equal((await pull()).code, ResponseCode.TOPIC_NOT_EXIST);
    await sim.run(6_000);
    assert.equal((await pull()).code, ResponseCode.SUCCESS);
  });

  it("come at least once when the broker is killed, whatever it was doing", async () => {
    const sim = await SimBroker.started();
    const bodies = Array.from({ length: 40 }, (_, i) => `m${i}`);
    for (const body of bodies) await sim.send("orders", body, delay(1));
    for (let kills = 0; kills < 6; kills++) {
      await sim.run(600 + kills * 37);
      sim.kill();
      await sim.start();
    }
    await sim.run(3_000);
    assert.deepEqual([...new Set(await sim.bodies("orders"))].sort(), [...bodies].sort());
  });

  it("keep behind what is delivered in delayOffset.json, and come twice at most after a kill", async () => {
    const sim = await SimBroker.started();
    await sim.send("orders", "a", delay(1));
    await sim.run(12_000);
    assert.deepEqual(kept(sim), { 1: 1 });
    await sim.send("orders", "b", delay(1));
    await sim.run(1_500);
    assert.deepEqual(kept(sim), { 1: 1 });
    sim.kill();
    await sim.start();
    await sim.run(1_500);
    assert.deepEqual(await sim.bodies("orders"), ["a", "b", "b"]);
  });

  it("are told of in the broker's runtime info", async () => {
    const sim = await SimBroker.started();
    await sim.send("orders", "a", delay(1));
    await sim.send("orders", "b", delay(2));
    await sim.run(1_500);
    const { body } = await sim.ask(28);
    const { table } = JSON.parse(body.toString()) as { table: Record<string, string> };
    assert.equal(table["scheduleMessageOffset_1"], "1,1");
    assert.equal(table["scheduleMessageOffset_2"], "0,1");
  });

  it("are refused when their level is no number, and within a batch", async () => {
    const sim = await SimBroker.started();
    assert.equal((await sim.send("orders", "x", delay("3x"))).code, 13);
    assert.equal((await sim.send(SCHEDULE_TOPIC, "x")).code, 16);
  });
});
