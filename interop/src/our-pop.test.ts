/**
 * Our consumers that pop, against the original 5.5.0 broker and against OrbitMQ: the push consumer whose queues the
 * broker assigns, in one group with a Java member, and the simple consumer.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { PushConsumer, type ReceivedMessage, SimpleConsumer } from "@orbitmq/client";
import { startServerProcess } from "orbitmq/testing";
import { assertDelivered, deliveriesIn, deliveryOf } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { Collector, sendAll, startProducer } from "./our-clients.ts";
import { Workshop } from "./workshop.ts";

const timeout = 120_000;
const workshop = new Workshop("our-pop");
let clients: JavaClients;
const namesrvOf = new Map<string, string>();

before(async () => {
  const java = await startJavaServer({ directory: workshop.place("java") });
  workshop.ends(java, (it) => it.kill());
  const ours = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
  namesrvOf.set("RocketMQ 5.5.0", java.namesrv);
  namesrvOf.set("OrbitMQ", ours.namesrvAddr);
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

interface Room {
  readonly namesrv: string;
  readonly topic: string;
  readonly group: string;
}

/** A topic with a group that pops it. */
async function popped(server: string, name: string): Promise<Room> {
  const namesrv = namesrvOf.get(server)!;
  const names = { namesrv, topic: `our-pop-${name}`, group: `g-our-pop-${name}` };
  for (const line of [
    `updateTopic -c DefaultCluster -t ${names.topic} -r 4 -w 4`,
    `updateSubGroup -c DefaultCluster -g ${names.group}`,
    `setConsumeMode -c DefaultCluster -t ${names.topic} -g ${names.group} -m POP -q 0`,
  ]) {
    const [printed] = await clients.run("admin", { line: `${line} -n ${namesrv}` });
    assert.doesNotMatch(String(printed?.["stderr"]), /SubCommandException|^Caused by/m, line);
  }
  return names;
}

const popping = ({ namesrv, group }: Room) => ({ namesrv, group, clientRebalance: false });

for (const server of ["RocketMQ 5.5.0", "OrbitMQ"]) {
  describe(`on ${server}`, { concurrency: true }, () => {
    test("our push consumer pops every message once, beside a Java member", { timeout }, async () => {
      const room = await popped(server, "shared");
      const java = clients.start("consume", {
        ...room,
        instance: `java-${server}`,
        "pop-invisible-ms": 60_000,
      });
      await java.line((line) => line["ready"] === true);
      const ours = new Collector(popping(room), room.topic);
      await ours.consumer.start();
      const shape = { count: 200, tag: "A" };
      await sendAll(await startProducer({ namesrv: room.namesrv }), room.topic, shape);
      const all = () => [...ours.deliveries, ...deliveriesIn(java.lines)];
      await Promise.race([
        ours.until(() => all().length >= shape.count),
        java.until(() => (all().length >= shape.count ? true : undefined)),
      ]);
      await java.stop();
      await ours.consumer.shutdown();
      assertDelivered(all(), shape);
      assert.equal(ours.consumer.status().consumed, ours.deliveries.length);
    });

    test("what our push consumer refuses comes again after its pause, with its count", {
      timeout,
    }, async () => {
      const room = await popped(server, "refused");
      await sendAll(await startProducer({ namesrv: room.namesrv }), room.topic, { count: 10 });
      const consumer = new PushConsumer({ from: "first", ...popping(room) });
      const heard: ReceivedMessage[] = [];
      let all: () => void = () => {};
      const ended = new Promise<void>((resolve) => {
        all = resolve;
      });
      consumer.listen(room.topic, (message) => {
        heard.push(message);
        if (heard.length === 20) all();
        return message.reconsumeTimes === 0 ? "RECONSUME_LATER" : undefined;
      });
      await consumer.start();
      await ended;
      await consumer.shutdown();
      const again = heard.filter(({ reconsumeTimes }) => reconsumeTimes === 1);
      assertDelivered(again.map(deliveryOf), { count: 10 });
      assert.deepEqual(new Set(again.map(({ topic }) => topic)), new Set([room.topic]));
    });

    test("our simple consumer receives, acknowledges, and gets again what it did not", {
      timeout,
    }, async () => {
      const room = await popped(server, "simple");
      await sendAll(await startProducer({ namesrv: room.namesrv }), room.topic, { count: 20 });
      await using consumer = new SimpleConsumer({ ...room, from: "first", invisibleMs: 10_000 });
      consumer.subscribe(room.topic);
      await consumer.start();
      const first: ReceivedMessage[] = [];
      while (first.length < 20) first.push(...(await consumer.receive()));
      assertDelivered(first.map(deliveryOf), { count: 20 });
      const kept = first.slice(0, 5);
      for (const message of first.slice(5)) await consumer.ack(message);
      const again: ReceivedMessage[] = [];
      while (again.length < 5) again.push(...(await consumer.receive({ awaitMs: 20_000 })));
      assert.deepEqual(again.map(({ msgId }) => msgId).sort(), kept.map(({ msgId }) => msgId).sort());
      for (const message of again) {
        assert.equal(message.reconsumeTimes, 1);
        await consumer.ack(message);
      }
      assert.deepEqual(await consumer.receive({ awaitMs: 12_000 }), []);
    });

    test("a message our simple consumer keeps longer comes when that is over", { timeout }, async () => {
      const room = await popped(server, "kept");
      await sendAll(await startProducer({ namesrv: room.namesrv }), room.topic, { count: 1 });
      await using consumer = new SimpleConsumer({ ...room, from: "first", invisibleMs: 10_000 });
      consumer.subscribe(room.topic);
      await consumer.start();
      const [message] = await consumer.receive();
      await consumer.changeInvisible(message!, 20_000);
      assert.deepEqual(await consumer.receive({ awaitMs: 14_000 }), []);
      await consumer.ack(message!);
      assert.deepEqual(await consumer.receive({ awaitMs: 14_000 }), []);
    });
  });
}
