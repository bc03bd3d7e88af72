/** Our client and command against the original 5.5.0 NameServer and broker. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { Admin, OrbitError } from "@orbitmq/client";
import { assertDelivered, assertQueuesWhole, bodyOf, deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { type JavaServer, startJavaBroker, startJavaServer } from "./java-server.ts";
import { Collector, consume, createTopic, readAll, sendAll, startProducer } from "./our-clients.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("java-broker");
let server: JavaServer;
let namesrv: string;
let clients: JavaClients;

before(async () => {
  const started = await startJavaServer({
    directory: workshop.place("java"),
    brokerProperties: { messageDelayLevel: "1s 5s" },
  });
  server = workshop.ends(started, (it) => it.kill());
  namesrv = server.namesrv;
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

const bigAndSmall = [
  { keys: "sync-", count: 20, tag: "A" },
  { keys: "big-", count: 5, size: 100_000, tag: "B" },
  { keys: "async-", count: 200 },
  { keys: "batch-", count: 10, tag: "B" },
  { keys: "oneway-", count: 20 },
] as const;

async function sendEverything(topic: string): Promise<void> {
  const producer = await startProducer({ namesrv });
  const [sync, big, async, batch, oneway] = bigAndSmall;
  const message = (keys: string, i: number, tag?: string) => ({
    topic,
    body: bodyOf(`${keys}${i}`, 64),
    keys: `${keys}${i}`,
    tag,
  });
  await sendAll(producer, topic, sync);
  await sendAll(producer, topic, big);
  const sends = Array.from({ length: async.count }, (_, i) => producer.send(message(async.keys, i)));
  await Promise.all(sends);
  const batched = Array.from({ length: batch.count }, (_, i) => message(batch.keys, i, batch.tag));
  const { msgId, offsetMsgId } = await producer.send(batched);
  assert.equal(msgId.split(",").length, batch.count);
  assert.equal(offsetMsgId.split(",").length, batch.count);
  for (let i = 0; i < oneway.count; i++) await producer.sendOneway(message(oneway.keys, i));
  await producer.shutdown();
}

test("what ours sends, ours and Java consume: sync, async, one-way, batches, compressed bodies", {
  timeout,
}, async () => {
  const topic = "everything";
  await sendEverything(topic);
  const count = bigAndSmall.reduce((sum, part) => sum + part.count, 0);
  const deliveries = await consume({ namesrv, group: "ours" }, topic, count);
  assertDelivered(deliveries, ...bigAndSmall);
  assertQueuesWhole(deliveries);
  assertDelivered(await readAll({ namesrv }, topic), ...bigAndSmall);
  const java = await clients.run("consume", { namesrv, topic, group: "java", count });
  assertDelivered(deliveriesIn(java), ...bigAndSmall);
  const tagged = await consume({ namesrv, group: "tagged" }, topic, 30, "A || B");
  assert.deepEqual(new Set(tagged.map(({ tag }) => tag)), new Set(["A", "B"]));
});

test("what Java sends, ours consumes, whatever the compression", { timeout }, async () => {
  const topic = "from-java";
  const parts = ["ZLIB", "LZ4", "ZSTD"].map((compress) => ({
    keys: `${compress}-`,
    count: 5,
    size: 100_000,
  }));
  for (const part of parts)
    await clients.run("produce", { namesrv, topic, compress: part.keys.slice(0, -1), ...part });
  await clients.run("produce", { namesrv, topic, count: 20, mode: "batch", keys: "batch-" });
  assertDelivered(await consume({ namesrv, group: "ours" }, topic, 35), ...parts, {
    keys: "batch-",
    count: 20,
  });
});

test("a message one of our listeners refuses comes again from Java's broker, and is counted", {
  timeout,
}, async () => {
  const topic = "refused";
  await createTopic(namesrv, topic, 1);
  const producer = await startProducer({ namesrv });
  await sendAll(producer, topic, { count: 3 });
  await producer.shutdown();
  const refused = new Set<string>();
  const first = new Collector({ namesrv, group: "refusing" }, topic, "*", ({ msgId }) => {
    if (refused.has(msgId)) return;
    refused.add(msgId);
    throw new Error("not yet");
  });
  await first.consumer.start();
  await first.received(6);
  await first.consumer.shutdown();
  assert.equal(new Set(first.deliveries.map(({ key }) => key)).size, 3);
  const times = first.deliveries.map(({ reconsumeTimes }) => reconsumeTimes);
  assert.deepEqual(times.sort(), [0, 0, 0, 1, 1, 1]);
  const next = deliveriesIn(
    await clients.run("consume", { namesrv, topic, group: "refusing", "idle-ms": 2_000 }),
  );
  assert.deepEqual(next, []);
});

test("messages Java's broker brings back for a retry reach our listener", { timeout }, async () => {
  const topic = "retried";
  const group = "g-retried";
  await clients.run("produce", { namesrv, topic, count: 3 });
  // Refused once by a Java member, which then leaves; the broker delivers them again after level 2, five seconds.
  const java = clients.start("consume", { namesrv, topic, group, refuse: 1, "refuse-delay-level": 2 });
  await java.until(() =>
    java.lines.filter((line) => line["accepted"] === false).length === 3 ? true : undefined,
  );
  await java.stop();
  const ours = new Collector({ namesrv, group }, topic);
  await ours.consumer.start();
  await ours.received(3);
  await ours.consumer.shutdown();
  assertDelivered(ours.deliveries, { count: 3 });
  assert.deepEqual(
    ours.deliveries.map(({ reconsumeTimes }) => reconsumeTimes),
    [1, 1, 1],
  );
});

test("two of our consumers share a group, and share it with a Java one", { timeout }, async () => {
  const topic = "shared";
  const group = "g-shared";
  await createTopic(namesrv, topic, 6);
  const ours = [1, 2].map(() => new Collector({ namesrv, group }, topic));
  for (const { consumer } of ours) await consumer.start();
  const java = clients.start("consume", { namesrv, topic, group });
  await Promise.all(ours.map((collector) => collector.holds(2)));
  await java.until(() => {
    const newest = java.lines.filter((line) => "assigned" in line && line["topic"] === topic).at(-1);
    return (newest?.["assigned"] as unknown[] | undefined)?.length === 2 ? true : undefined;
  });
  const producer = await startProducer({ namesrv });
  await sendAll(producer, topic, { count: 120 });
  await producer.shutdown();
  const everything = () => [...ours.flatMap(({ deliveries }) => deliveries), ...deliveriesIn(java.lines)];
  await Promise.race([
    ...ours.map((collector) => collector.until(() => everything().length >= 120)),
    java.until(() => (everything().length >= 120 ? true : undefined)),
  ]);
  await Promise.all([java.stop(), ...ours.map(({ consumer }) => consumer.shutdown())]);
  assertDelivered(everything(), { count: 120 });
  assert.ok(ours.every(({ deliveries }) => deliveries.length > 0));
});

test("our admin reads and writes what mqadmin does", { timeout }, async () => {
  await using admin = new Admin({ namesrv });
  await admin.start();
  const topic = "administered";
  assert.deepEqual(await admin.createTopic(topic, { queues: 3, perm: 6 }), {
    topic,
    queues: 3,
    perm: 6,
    brokers: ["broker-a"],
  });
  assert.ok((await admin.topicList()).includes(topic));
  const route = await admin.topicRoute(topic);
  assert.deepEqual(route.queues, [{ brokerName: "broker-a", readQueueNums: 3, writeQueueNums: 3, perm: 6 }]);
  assert.deepEqual(route.brokers[0]?.addresses, { "0": server.broker });
  await clients.run("produce", { namesrv, topic, count: 6, queue: 1 });
  const end = async () => (await admin.topicStatus(topic)).queues.map(({ maxOffset }) => maxOffset);
  while ((await end())[1] !== 6);
  assert.deepEqual(await end(), [0, 6, 0]);
  const { clusters } = await admin.clusterInfo();
  assert.deepEqual(clusters, { DefaultCluster: ["broker-a"] });
});

test("the command sends, consumes and administers", { timeout }, async () => {
  const cli = join(import.meta.dirname, "../../packages/orbitmq/dist/cli.js");
  const orbitmq = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [cli, ...args, "-n", namesrv])).stdout;
  await orbitmq("topic", "create", "by-command", "--queues", "2");
  assert.match(await orbitmq("topic", "route", "by-command"), /broker-a/);
  await orbitmq("send", "by-command", "héllo", "--tag", "A", "--key", "k", "--property", "a=b");
  const [line] = (await orbitmq("consume", "by-command", "--from", "first", "--count", "1", "--json")).split(
    "\n",
  );
  const message = JSON.parse(line ?? "");
  assert.equal(message.body, "héllo");
  const grouped = await orbitmq("consume", "by-command", "--from", "first", "--count", "1", "--group", "cg");
  assert.match(grouped, /héllo/);
  assert.match(await orbitmq("topic", "status", "by-command"), /broker-a/);
});

test("a refusal keeps Java's code and words", { timeout }, async () => {
  const producer = await startProducer({ namesrv, messageBytesMax: 5_000_000, compressOverBytes: 5_000_000 });
  await assert.rejects(
    producer.send({ topic: "too-large", body: new Uint8Array(4_500_000) }),
    (error) => error instanceof OrbitError && error.responseCode === 13 && error.outcome === "refused",
  );
  await producer.shutdown();
});

test("our clients go on by themselves when the Java broker is killed and comes back", {
  timeout: 120_000,
}, async () => {
  const topic = "restarted";
  const producer = await startProducer({ namesrv });
  const collector = new Collector({ namesrv, group: "g-restarted" }, topic);
  await collector.consumer.start();
  await sendAll(producer, topic, { keys: "before-", count: 20 });
  await collector.received(20);
  const { broker } = server.parts;
  await broker.kill();
  await assert.rejects(producer.send({ topic, body: "nobody there" }, { timeoutMs: 500 }), OrbitError);
  const again = await startJavaBroker({ directory: broker.directory, port: broker.port, namesrv });
  workshop.ends(again, (it) => it.kill());
  await sendAll(producer, topic, { keys: "after-", count: 20 });
  await collector.until(
    () => collector.deliveries.filter(({ key }) => key.startsWith("after-")).length >= 20,
  );
  await producer.shutdown();
  await collector.consumer.shutdown();
  // What was consumed but not yet committed when the broker died may come again.
  const unique = [...new Map(collector.deliveries.map((one) => [one.key, one])).values()];
  assertDelivered(unique, { keys: "before-", count: 20 }, { keys: "after-", count: 20 });
});
