/** Our consumers that pop, against the real broker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PushConsumerOptions } from "./consumer/consumer-options.ts";
import { PushConsumer } from "./consumer/push-consumer.ts";
import { SimpleConsumer } from "./consumer/simple-consumer.ts";
import { Producer } from "./producer/producer.ts";
import { RealCluster } from "./testing/real-cluster.ts";

const MINUTES = 60_000;

async function stage() {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a", { defaultMessageRequestMode: "POP" });
  const producer = new Producer(c.host, { namesrv: c.namesrv });
  await c.settle(producer.start());
  const consumer = (options: Partial<PushConsumerOptions> = {}) =>
    new PushConsumer(c.host, {
      namesrv: c.namesrv,
      group: "g",
      from: "first",
      clientRebalance: false,
      ...options,
    });
  const send = (count: number) =>
    c.settle(
      Promise.all(
        Array.from({ length: count }, (_, i) => producer.send({ topic: "orders", body: String(i) })),
      ),
    );
  return { c, producer, consumer, send };
}

test("members of a group pop together, each message once", async () => {
  const { c, producer, consumer, send } = await stage();
  await send(60);
  const heard: string[] = [];
  const members = [consumer(), consumer()];
  for (const member of members) member.listen("orders", (message) => void heard.push(message.text()));
  for (const member of members) await c.settle(member.start());
  await c.until(() => heard.length === 60);
  await send(60);
  await c.until(() => heard.length === 120);
  await c.world.run(3 * MINUTES);
  assert.equal(heard.length, 120);
  for (const member of members) {
    const { queues, popQueues } = member.status();
    assert.deepEqual(popQueues, [
      { queue: { topic: "orders", brokerName: "broker-a", queueId: -1 }, cached: 0 },
    ]);
    assert.deepEqual(
      queues.filter(({ queue }) => queue.topic === "orders"),
      [],
    );
  }
  await c.settle(Promise.all([producer.shutdown(), ...members.map((member) => member.shutdown())]));
});

test("what fails comes again after its pauses, and is a dead letter when it failed as often as it may", async () => {
  const { c, producer, consumer, send } = await stage();
  await send(1);
  const times: [number, number][] = [];
  const one = consumer({ maxReconsumeTimes: 2 });
  one.listen("orders", ({ reconsumeTimes }) => {
    times.push([reconsumeTimes, c.world.nowMs]);
    return "RECONSUME_LATER";
  });
  const dead: string[] = [];
  const undertaker = consumer({ group: "undertaker" });
  undertaker.listen("%DLQ%g", (message) => void dead.push(message.text()));
  await c.settle(Promise.all([one.start(), undertaker.start()]));
  await c.until(() => dead.length === 1, 10 * MINUTES);
  assert.deepEqual(
    times.map(([reconsumeTimes]) => reconsumeTimes),
    [0, 1, 2],
  );
  const gaps = times.slice(1).map(([, atMs], i) => atMs - times[i]![1]);
  assert.ok(gaps[0]! >= 10_000 && gaps[0]! < 25_000, String(gaps));
  assert.ok(gaps[1]! >= 30_000 && gaps[1]! < 45_000, String(gaps));
  await c.world.run(5 * MINUTES);
  assert.equal(times.length, 3);
  await c.settle(Promise.all([producer.shutdown(), one.shutdown(), undertaker.shutdown()]));
});

test("a slow listener's message is nobody else's, as long as it takes", async () => {
  const { c, producer, consumer, send } = await stage();
  await send(3);
  const heard: string[] = [];
  const members = [consumer({ popInvisibleTimeMs: 10_000 }), consumer({ popInvisibleTimeMs: 10_000 })];
  for (const member of members) {
    member.listen("orders", async (message) => {
      heard.push(message.text());
      await new Promise<void>((resolve) => c.host.timers.after(2 * MINUTES, resolve));
    });
  }
  for (const member of members) await c.settle(member.start());
  await c.until(() => members.reduce((sum, member) => sum + member.status().consumed, 0) === 3, 5 * MINUTES);
  await c.world.run(2 * MINUTES);
  assert.deepEqual(heard.sort(), ["0", "1", "2"]);
  await c.settle(Promise.all([producer.shutdown(), ...members.map((member) => member.shutdown())]));
});

test("after kill -9 of the broker every message is heard", async () => {
  const { c, producer, consumer, send } = await stage();
  await send(40);
  const heard: string[] = [];
  const one = consumer({ popInvisibleTimeMs: 10_000 });
  one.listen("orders", (message) => void heard.push(message.text()));
  await c.settle(one.start());
  await c.until(() => heard.length >= 20);
  c.killBroker("broker-a");
  await c.startBroker("broker-a", { defaultMessageRequestMode: "POP" });
  await c.until(() => new Set(heard).size === 40, 5 * MINUTES);
  await c.settle(Promise.all([producer.shutdown(), one.shutdown()]));
});

test("a simple consumer receives, acknowledges, and gets again what it did not", async () => {
  const { c, producer, send } = await stage();
  await send(4);
  const consumer = new SimpleConsumer(c.host, {
    namesrv: c.namesrv,
    group: "s",
    from: "first",
    invisibleMs: 10_000,
  });
  consumer.subscribe("orders");
  await c.settle(consumer.start());
  const got: string[] = [];
  while (got.length < 4) {
    const messages = await c.settle(consumer.receive({ messagesMax: 3 }));
    for (const message of messages) {
      got.push(message.text());
      if (message.text() === "0") await c.settle(consumer.changeInvisible(message, 30_000));
      else if (message.text() !== "1") await c.settle(consumer.ack(message));
    }
  }
  const again: [string, number][] = [];
  const startMs = c.world.nowMs;
  while (again.length < 2) {
    for (const message of await c.settle(consumer.receive())) {
      again.push([message.text(), message.reconsumeTimes]);
      await c.settle(consumer.ack(message));
    }
    assert.ok(c.world.nowMs - startMs < 2 * MINUTES);
  }
  assert.deepEqual(again, [
    ["1", 1],
    ["0", 1],
  ]);
  assert.deepEqual(await c.settle(consumer.receive({ awaitMs: 40_000 })), []);
  await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
});

test("in order, a queue's next messages come when those before are acknowledged", async () => {
  const { c, producer } = await stage();
  await c.settle(producer.send({ topic: "orders", body: "a" }));
  const [queue] = await c.settle(producer.publishQueues("orders"));
  for (const body of ["b", "c"]) await c.settle(producer.send({ topic: "orders", body }, { queue: queue! }));
  const consumer = new SimpleConsumer(c.host, { namesrv: c.namesrv, group: "f", from: "first" });
  consumer.subscribe("orders");
  await c.settle(consumer.start());
  const ofQueue = async () =>
    (await c.settle(consumer.receive({ fifo: true, messagesMax: 1, awaitMs: 2_000 }))).filter(
      (message) => message.queue.queueId === queue!.queueId || message.text() === "a",
    );
  const order: string[] = [];
  for (let round = 0; round < 6 && order.length < 3; round++) {
    for (const message of await ofQueue()) {
      order.push(message.text());
      if (message.text() !== "a") {
        const meanwhile = await ofQueue();
        assert.equal(
          meanwhile.some((other) => other.queue.queueId === queue!.queueId),
          false,
        );
      }
      await c.settle(consumer.ack(message));
    }
  }
  assert.deepEqual(
    order.filter((body) => body !== "a"),
    ["b", "c"],
  );
  await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
});
