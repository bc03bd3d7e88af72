/**
 * What our producer can do beyond sending, at the original 5.5.0 broker and with Java consumers: other compressions,
 * gathered batches, the VIP port, namespaces in both directions.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { OrbitError, Producer, type ProducerOptions } from "@orbitmq/client";
import { assertDelivered, bodyOf, deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { type JavaServer, startJavaServer } from "./java-server.ts";
import { Collector, createTopic, sendAll, startProducer } from "./our-clients.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("our-producer");
let server: JavaServer;
let namesrv: string;
let clients: JavaClients;

before(async () => {
  server = workshop.ends(await startJavaServer({ directory: workshop.place("java") }), (it) => it.kill());
  ({ namesrv } = server);
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

/** Whether this Node has the codec. */
function canSend(options: ProducerOptions): boolean {
  try {
    new Producer(options);
    return true;
  } catch (error) {
    assert.ok(error instanceof OrbitError && error.code === "INVALID_ARGUMENT");
    return false;
  }
}

for (const compressType of ["ZLIB", "LZ4", "ZSTD"] as const) {
  const skip = canSend({ compressType }) ? false : `this Node has no ${compressType}`;
  test(`a Java consumer reads bodies compressed with ${compressType}`, { timeout, skip }, async () => {
    const topic = `ours-${compressType}`;
    const shape = { count: 5, size: 100_000 };
    await sendAll(await startProducer({ namesrv, compressType }), topic, shape);
    const lines = await clients.run("consume", { namesrv, topic, group: `g-${topic}`, count: shape.count });
    assertDelivered(deliveriesIn(lines), shape);
  });
}

test("a Java consumer gets messages gathered into batches, each with the id and place its sender was told", {
  timeout,
}, async () => {
  const topic = "ours-gathered";
  await createTopic(namesrv, topic, 2);
  const producer = await startProducer({ namesrv, autoBatch: true, asyncBackPressure: true });
  const sent = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      producer.send({ topic, body: bodyOf(`key-${i}`, 64), keys: `key-${i}` }),
    ),
  );
  const lines = await clients.run("consume", { namesrv, topic, group: `g-${topic}`, count: 200 });
  const deliveries = deliveriesIn(lines);
  assertDelivered(deliveries, { count: 200 });
  const told = sent.map(({ msgId, queue, queueOffset }) => `${msgId} ${queue.queueId} ${queueOffset}`);
  assert.deepEqual(
    deliveries.map(({ msgId, queueId, queueOffset }) => `${msgId} ${queueId} ${queueOffset}`).sort(),
    told.sort(),
  );
});

test("sends go through the broker's VIP port", { timeout }, async () => {
  const topic = "ours-vip";
  await createTopic(namesrv, topic, 2);
  await sendAll(await startProducer({ namesrv, vipChannelEnabled: true }), topic, { count: 10 });
  const collector = new Collector({ namesrv, group: `g-${topic}`, vipChannelEnabled: true }, topic);
  await collector.consumer.start();
  await collector.received(10);
  await collector.consumer.shutdown();
  assertDelivered(collector.deliveries, { count: 10 });
});

test("in a namespace Java's producers reach our consumers, and ours theirs, retries included", {
  timeout,
}, async () => {
  const namespace = "MQ_INST_1";
  const topic = "spaced";
  await createTopic(namesrv, `${namespace}%${topic}`, 2);
  await clients.run("produce", { namesrv, topic, namespace, count: 20, keys: "java-" });
  await sendAll(await startProducer({ namesrv, namespace }), topic, { count: 20, keys: "ours-" });
  let refused = false;
  const collector = new Collector({ namesrv, namespace, group: "g-spaced" }, topic, "*", (message) => {
    if (!refused && message.keys[0] === "java-0") {
      refused = true;
      throw new Error("once more");
    }
  });
  await collector.consumer.start();
  await collector.received(41);
  await collector.consumer.shutdown();
  const { deliveries } = collector;
  assert.deepEqual(new Set(deliveries.map((delivery) => delivery.topic)), new Set([topic]));
  const again = deliveries.filter(({ reconsumeTimes }) => reconsumeTimes === 1);
  assert.deepEqual(
    again.map(({ key, topic: shown }) => [key, shown]),
    [["java-0", topic]],
  );
  const lines = await clients.run("consume", {
    namesrv,
    topic,
    namespace,
    group: "g-spaced-java",
    count: 40,
  });
  const theirs = deliveriesIn(lines);
  assert.deepEqual(new Set(theirs.map((delivery) => delivery.topic)), new Set([topic]));
  assertDelivered(
    theirs.filter(({ key }) => key.startsWith("ours-")),
    { count: 20, keys: "ours-" },
  );
  // One group of both: what ours has consumed is committed under the same name.
  const rest = await clients.run("consume", {
    namesrv,
    topic,
    namespace,
    group: "g-spaced",
    "idle-ms": 3_000,
  });
  assert.deepEqual(deliveriesIn(rest), []);
});
