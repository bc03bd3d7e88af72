import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProperties, RequestCode } from "@orbitmq/wire";
import type { ReceivedMessage } from "../message/received-message.ts";
import { consumerOf, consuming, stage } from "../testing/consumer-stage.ts";
import { pullHeader } from "../testing/fake-broker.ts";
import { TestWorld } from "../testing/test-world.ts";

test("a broker's notice that the group changed makes a waiting topic looked for at once", async () => {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("TBW102", [broker], 8, 7);
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.run(20_000);
  broker.store("orders", 0, "x");
  w.nameServer.setRoute("orders", [broker], 1);
  broker.notifyGroup("g");
  await w.until(() => got.length === 1, 50);
  await w.settle(consumer.shutdown());
});

test("two consumers share the queues, and when one leaves the other takes over where it stopped", async () => {
  const { w, broker } = stage(4);
  const got: [string, string][] = [];
  const hear = (name: string) => (message: ReceivedMessage) => void got.push([name, message.text()]);
  const one = await consuming(w, hear("one"));
  const two = await consuming(w, hear("two"));
  await w.until(() => one.status().queues.length === 2 && two.status().queues.length === 2);
  for (let i = 0; i < 8; i++) broker.store("orders", i % 4, String(i));
  await w.until(() => got.length === 8);
  assert.equal(got.filter(([name]) => name === "one").length, 4);
  await w.settle(one.shutdown());
  await w.until(() => two.status().queues.length === 4, 2_000);
  for (let i = 8; i < 12; i++) broker.store("orders", i % 4, String(i));
  await w.until(() => got.length === 12);
  await w.run(10_000);
  assert.equal(got.length, 12);
  await w.settle(two.shutdown());
});

test("after a broker's restart consuming goes on, with a heartbeat before the pull and offsets told again", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "before");
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.until(() => got.length === 1);
  await w.until(() => broker.offsets.get("g@orders@0") === 1);
  w.killBroker(broker);
  await w.run(10_000);
  const again = w.startBroker("broker-a");
  again.store("orders", 0, "before");
  again.store("orders", 0, "after");
  await w.until(() => got.length === 2, 5_000);
  assert.deepEqual(got, ["before", "after"]);
  await w.until(() => again.offsets.get("g@orders@0") === 2, 6_000);
  await w.settle(consumer.shutdown());
});

test("offsets are told again to a broker that was reconnected, though nothing was consumed since", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  const consumer = await consuming(w, () => {});
  await w.run(12_000);
  assert.equal(broker.offsets.get("g@orders@0"), 1);
  w.killBroker(broker);
  await w.run(1_000);
  const again = w.startBroker("broker-a");
  again.store("orders", 0, "x");
  again.script = (request) => request.code === RequestCode.PULL_MESSAGE;
  await w.until(() => again.offsets.get("g@orders@0") === 1, 10_000);
  await w.settle(consumer.shutdown());
});

test("consuming goes on while every NameServer is gone", async () => {
  const { w, broker } = stage();
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  w.world.kill(w.nameServerHost);
  await w.run(90_000);
  broker.store("orders", 0, "x");
  await w.until(() => got.length === 1, 1_000);
  await w.settle(consumer.shutdown());
});

test("a queue added to the topic is consumed after the next look at the route", async () => {
  const { w, broker } = stage(1);
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  w.nameServer.setRoute("orders", [broker], 2);
  broker.store("orders", 1, "in the new queue");
  await w.until(() => got.length === 1, 35_000);
  await w.settle(consumer.shutdown());
});

test("an offset the broker does not have is replaced by the one it names", async () => {
  const { w, broker } = stage();
  broker.offsets.set("g@orders@0", 1_000);
  broker.store("orders", 0, "first");
  broker.script = (request) => {
    if (request.code !== RequestCode.PULL_MESSAGE || request.ext.get("queueOffset") !== "1000") return false;
    return { code: 21, header: pullHeader(0, 1) };
  };
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.until(() => got.length === 1);
  await w.until(() => broker.offsets.get("g@orders@0") === 1);
  assert.ok(w.log.some((line) => line.message.includes("moved the offset")));
  await w.settle(consumer.shutdown());
});

test("a failing pull is repeated after a second, a limited one after 20 ms", async () => {
  const { w, broker } = stage();
  const askedMs: number[] = [];
  const answers = [{ code: 1, remark: "boom" }, { code: 215 }];
  broker.script = (request) => {
    if (request.code !== RequestCode.PULL_MESSAGE) return false;
    askedMs.push(w.world.nowMs);
    return answers[askedMs.length - 1] ?? false;
  };
  broker.store("orders", 0, "x");
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.until(() => got.length === 1);
  const [first, second, third] = askedMs as [number, number, number];
  assert.ok(second - first >= 1_000 && second - first < 1_100, String(second - first));
  assert.ok(third - second >= 20 && third - second < 60, String(third - second));
  await w.settle(consumer.shutdown());
});

test("messages sent back to the group's retry topic go to their own topic's listener", async () => {
  const { w, broker } = stage();
  w.nameServer.setRoute("%RETRY%g", [broker], 1);
  broker.store("%RETRY%g", 0, "again", formatProperties([["RETRY_TOPIC", "orders"]]));
  const got: ReceivedMessage[] = [];
  const consumer = await consuming(w, (message) => void got.push(message), { from: "last" });
  await w.until(() => got.length === 1);
  assert.equal(got[0]!.topic, "orders");
  assert.equal(got[0]!.queue.topic, "%RETRY%g");
  await w.until(() => broker.offsets.get("g@%RETRY%g@0") === 1);
  await w.settle(consumer.shutdown());
});

test("dead letters go to whoever listens to them, not to a listener of where they came from", async () => {
  const { w, broker } = stage();
  w.nameServer.setRoute("%DLQ%other", [broker], 1);
  broker.store("%DLQ%other", 0, "dead", formatProperties([["RETRY_TOPIC", "orders"]]));
  const got: ReceivedMessage[] = [];
  const consumer = consumerOf(w);
  consumer.listen("%DLQ%other", (message) => void got.push(message));
  await w.settle(consumer.start());
  await w.until(() => got.length === 1);
  assert.equal(got[0]!.topic, "%DLQ%other");
  await w.settle(consumer.shutdown());
});

test("start does not wait for ever for a broker that does not answer, and consuming begins when it does", async () => {
  const { w, broker } = stage();
  broker.script = () => true;
  broker.store("orders", 0, "x");
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), { startTimeoutMs: 4_000 });
  assert.equal(consumer.status().state, "running");
  assert.equal(consumer.status().ready, false);
  broker.script = undefined;
  await w.until(() => got.length === 1, 10_000);
  assert.equal(consumer.status().ready, true);
  await w.settle(consumer.shutdown());
});

test("what was consumed of a queue that is taken away is committed at once", async () => {
  const { w, broker } = stage(1);
  let pulls = 0;
  broker.script = (request) => request.code === RequestCode.PULL_MESSAGE && ++pulls > 1;
  broker.store("orders", 0, "x");
  const one = await consuming(w, () => {}, { clientId: "b", offsetPersistIntervalMs: 600_000 });
  await w.until(() => one.status().consumed === 1);
  assert.equal(broker.offsets.get("g@orders@0"), 0);
  const two = await consuming(w, () => {}, { clientId: "a", offsetPersistIntervalMs: 600_000 });
  await w.until(() => broker.offsets.get("g@orders@0") === 1, 1_000);
  await w.settle(Promise.all([one.shutdown(), two.shutdown()]));
});

test("an idle consumer commits nothing again", async () => {
  const { w, broker } = stage(2);
  const consumer = await consuming(w, () => {});
  broker.store("orders", 0, "x");
  await w.run(20_000);
  const commits = broker.count(RequestCode.UPDATE_CONSUMER_OFFSET);
  await w.run(60_000);
  assert.equal(broker.count(RequestCode.UPDATE_CONSUMER_OFFSET), commits);
  await w.settle(consumer.shutdown());
});

test("a broker that forgot the group is told again as soon as a pull shows it", async () => {
  const { w, broker } = stage();
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  broker.clients.clear();
  broker.store("orders", 0, "1");
  await w.until(() => got.length === 1);
  broker.store("orders", 0, "2");
  await w.until(() => got.length === 2, 100);
  await w.settle(consumer.shutdown());
});

test("a broker that lists the group without this client is told of it, and the queues held stay", async () => {
  const { w, broker } = stage(2);
  const one = await consuming(w, () => {});
  const two = await consuming(w, () => {});
  await w.until(() => one.status().queues.length === 1 && two.status().queues.length === 1);
  const heartbeats = broker.heartbeats.length;
  broker.clients.delete(one.status().clientId);
  broker.notifyGroup("g");
  const forgotten = broker.clients.get(two.status().clientId)!;
  assert.deepEqual(forgotten.groups, ["g"]);
  await w.until(() => broker.clients.has(one.status().clientId), 21_000);
  assert.ok(broker.heartbeats.length > heartbeats);
  await w.until(() => one.status().queues.length === 1 && two.status().queues.length === 1, 2_000);
  await w.settle(Promise.all([one.shutdown(), two.shutdown()]));
});

test("a changed route is acted on at once, without waiting for the periodic rebalance", async () => {
  const { w, broker } = stage(1);
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), {
    rebalanceIntervalMs: 3_600_000,
  });
  await w.run(120_000);
  w.nameServer.setRoute("orders", [broker], 2);
  broker.store("orders", 1, "x");
  await w.until(() => got.length === 1, 31_000);
  await w.settle(consumer.shutdown());
});

test("after a reconnection the heartbeat goes before the pull, so that no pull is refused", async () => {
  const { w, broker } = stage();
  const consumer = await consuming(w, () => {});
  w.killBroker(broker);
  await w.run(3_000);
  const again = w.startBroker("broker-a");
  await w.until(() => again.codes.includes(RequestCode.PULL_MESSAGE), 5_000);
  assert.ok(again.codes.indexOf(RequestCode.HEART_BEAT) < again.codes.indexOf(RequestCode.PULL_MESSAGE));
  await w.settle(consumer.shutdown());
});
