/** Java clients and ours on one OrbitMQ broker: each reads what the other wrote, and they share groups and offsets. */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, bodyOf, deliveriesIn, deliveryOf, sha256 } from "./delivery.ts";
import { type JavaVersion, javaVersions } from "./java-classpath.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { Collector, consume, createTopic, readAll, sendAll, startProducer } from "./our-clients.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("mixed-clients");
let server: ServerProcess;
let namesrv: string;
const clientsOf = new Map<JavaVersion, JavaClients>();
const java = (version: JavaVersion): JavaClients => clientsOf.get(version)!;

before(async () => {
  server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
  namesrv = server.namesrvAddr;
  for (const version of javaVersions) {
    const clients = await startJavaClients({ home: workshop.folder, version });
    clientsOf.set(
      version,
      workshop.ends(clients, (it) => it.stop()),
    );
  }
});

describe("what Java sends, ours consumes", () => {
  for (const compress of ["ZLIB", "LZ4", "ZSTD"]) {
    test(`bodies a 5.5.0 producer compressed with ${compress}`, { timeout }, async () => {
      const topic = `compressed-${compress}`;
      const shape = { count: 5, size: 100_000, tag: "Big" };
      const sent = await java("5.5.0").run("produce", { namesrv, topic, compress, ...shape });
      const deliveries = await consume({ namesrv, group: `g-${topic}` }, topic, shape.count);
      assertDelivered(deliveries, shape);
      const ids = sent.filter((line) => "msgId" in line).map((line) => line["msgId"]);
      assert.deepEqual(deliveries.map(({ msgId }) => msgId).sort(), ids.sort());
      assertDelivered(await readAll({ namesrv }, topic), shape);
    });
  }

  test("bodies a 4.9.8 producer compressed, whose flags name no kind", { timeout }, async () => {
    const topic = "compressed-by-4.9".replaceAll(".", "-");
    const shape = { count: 5, size: 100_000 };
    await java("4.9.8").run("produce", { namesrv, topic, ...shape });
    assertDelivered(await consume({ namesrv, group: `g-${topic}` }, topic, shape.count), shape);
  });

  test("batches, one-way messages, tags, keys, properties of both versions", { timeout }, async () => {
    const topic = "from-java";
    for (const version of javaVersions) {
      const clients = java(version);
      const property = "colour=grün";
      await clients.run("produce", { namesrv, topic, count: 20, keys: `s${version}-`, tag: "A", property });
      await clients.run("produce", {
        namesrv,
        topic,
        count: 20,
        keys: `b${version}-`,
        mode: "batch",
        tag: "B",
      });
      await clients.run("produce", { namesrv, topic, count: 20, keys: `o${version}-`, mode: "oneway" });
    }
    const deliveries = await consume({ namesrv, group: `g-${topic}` }, topic, 120);
    const expected = javaVersions.flatMap((version) => [
      { keys: `s${version}-`, count: 20, tag: "A" },
      { keys: `b${version}-`, count: 20, tag: "B" },
      { keys: `o${version}-`, count: 20 },
    ]);
    assertDelivered(deliveries, ...expected);
    for (const { key, properties } of deliveries)
      assert.equal(properties["colour"], key.startsWith("s") ? "grün" : undefined, key);
    const tagged = await consume({ namesrv, group: `g-${topic}-B` }, topic, 40, "B");
    assertDelivered(tagged, ...expected.filter(({ tag }) => tag === "B"));
  });
});

describe("what ours sends, Java consumes", () => {
  for (const version of javaVersions) {
    test(`with ${version}: sync, async, one-way, batches, compressed bodies`, { timeout }, async () => {
      const topic = `to-java-${version.replaceAll(".", "")}`;
      const producer = await startProducer({ namesrv });
      const message = (key: string, size: number, tag?: string) => ({
        topic,
        body: bodyOf(key, size),
        keys: key,
        tag,
        flag: 7,
        properties: { colour: "grün 🎈" },
      });
      const result = await producer.send(message("key-0", 64, "A"));
      await sendAll(producer, topic, { keys: "big-", count: 5, size: 100_000 });
      await Promise.all(
        Array.from(
          { length: 50 },
          (_, i) =>
            new Promise((resolve, reject) => {
              producer.sendAsync(message(`async-${i}`, 64), { onSuccess: resolve, onException: reject });
            }),
        ),
      );
      await producer.send(Array.from({ length: 10 }, (_, i) => message(`batch-${i}`, 64, "B")));
      for (let i = 0; i < 10; i++) await producer.sendOneway(message(`oneway-${i}`, 64));
      await producer.shutdown();

      const options = { namesrv, topic, group: `g-${topic}`, count: 76 };
      const deliveries = deliveriesIn(await java(version).run("consume", options));
      assertDelivered(
        deliveries,
        { count: 1, tag: "A" },
        { keys: "big-", count: 5, size: 100_000 },
        { keys: "async-", count: 50 },
        { keys: "batch-", count: 10, tag: "B" },
        { keys: "oneway-", count: 10 },
      );
      const first = deliveries.find(({ key }) => key === "key-0")!;
      const { queueId, queueOffset, msgId, flag, properties } = first;
      assert.deepEqual(
        { queueId, queueOffset, msgId, flag, colour: properties["colour"] },
        {
          queueId: result.queue.queueId,
          queueOffset: result.queueOffset,
          msgId: result.msgId,
          flag: 7,
          colour: "grün 🎈",
        },
      );
      const tagged = { namesrv, topic, group: `g-${topic}-B`, count: 10, tag: "B || none" };
      assertDelivered(deliveriesIn(await java(version).run("consume", tagged)), {
        keys: "batch-",
        count: 10,
        tag: "B",
      });
    });
  }

  test("a body of 4 MiB, not compressed, both ways", { timeout }, async () => {
    const topic = "largest";
    const producer = await startProducer({ namesrv, compressOverBytes: Number.POSITIVE_INFINITY });
    const key = "key-0";
    const body = bodyOf(key, 4 * 1024 * 1024);
    await producer.send({ topic, body, keys: key });
    await producer.shutdown();
    const line = (await java("5.5.0").run("consume", { namesrv, topic, group: `g-${topic}`, count: 1 })).find(
      (one) => "bodySha256" in one,
    );
    assert.equal(line?.["bodySha256"], sha256(body));
    const back = { namesrv, topic, count: 1, size: 4 * 1024 * 1024, "compress-over": 5_000_000 };
    await java("5.5.0").run("produce", { ...back, keys: "java-" });
    const [, ours] = await consume({ namesrv, group: "ours" }, topic, 2);
    assert.equal(ours?.bodyBytes, 4 * 1024 * 1024);
  });
});

for (const version of javaVersions) {
  describe(`one group of a ${version} consumer and ours`, () => {
    const name = version.replaceAll(".", "");

    test("shares the queues, and each takes over from the other", { timeout }, async () => {
      const topic = `mixed-${name}`;
      const group = `g-${topic}`;
      const clients = java(version);
      await createTopic(namesrv, topic, 4);
      const ours = new Collector({ namesrv, group }, topic);
      await ours.consumer.start();
      const theirs = clients.start("consume", { namesrv, topic, group });
      await theirs.until(() => {
        const newest = theirs.lines.filter((line) => line["topic"] === topic && "assigned" in line).at(-1);
        return (newest?.["assigned"] as unknown[] | undefined)?.length === 2 ? true : undefined;
      });
      await ours.holds(2);
      await clients.run("produce", { namesrv, topic, count: 100, mode: "async" });
      const everything = () => [...ours.deliveries, ...deliveriesIn(theirs.lines)];
      await Promise.race([
        ours.until(() => everything().length >= 100),
        theirs.until(() => (everything().length >= 100 ? true : undefined)),
      ]);
      assert.ok(deliveriesIn(theirs.lines).length > 0 && ours.deliveries.length > 0);
      await theirs.stop();
      await ours.holds(4);
      await clients.run("produce", { namesrv, topic, count: 40, keys: "ours-" });
      await ours.until(() => everything().length >= 140);

      const again = clients.start("consume", { namesrv, topic, group });
      await again.line((line) => "assigned" in line && (line["assigned"] as unknown[]).length === 2);
      await ours.consumer.shutdown();
      await again.until(() => {
        const newest = again.lines.filter((line) => line["topic"] === topic && "assigned" in line).at(-1);
        return (newest?.["assigned"] as unknown[] | undefined)?.length === 4 ? true : undefined;
      });
      await clients.run("produce", { namesrv, topic, count: 40, keys: "theirs-" });
      await again.until(() => (deliveriesIn(again.lines).length >= 40 ? true : undefined));
      await again.stop();
      assertDelivered(
        [...everything(), ...deliveriesIn(again.lines)],
        { count: 100 },
        { keys: "ours-", count: 40 },
        { keys: "theirs-", count: 40 },
      );
    });

    test("goes on where the other stopped", { timeout }, async () => {
      const topic = `offsets-${name}`;
      const group = `g-${topic}`;
      const clients = java(version);
      const round = (keys: string) => ({ namesrv, topic, keys, count: 30, mode: "async" });
      await clients.run("produce", round("a-"));
      const first = deliveriesIn(await clients.run("consume", { namesrv, topic, group, count: 30 }));
      assertDelivered(first, { keys: "a-", count: 30 });
      await clients.run("produce", round("b-"));
      assertDelivered(await consume({ namesrv, group }, topic, 30), { keys: "b-", count: 30 });
      await clients.run("produce", round("c-"));
      const third = deliveriesIn(await clients.run("consume", { namesrv, topic, group, count: 30 }));
      assertDelivered(third, { keys: "c-", count: 30 });
    });
  });
}

test("a message a Java listener refuses comes again", { timeout }, async () => {
  const topic = "refused";
  const clients = java("5.5.0");
  await clients.run("produce", { namesrv, topic, count: 2 });
  const options = { namesrv, topic, group: `g-${topic}`, count: 2, refuse: 1, "refuse-delay-level": 1 };
  const lines = await clients.run("consume", options);
  assertDelivered(deliveriesIn(lines), { count: 2 });
  assert.equal(lines.filter((line) => line["accepted"] === false).length, 2);
});

test("old clients reach the broker through its VIP port", { timeout }, async () => {
  const topic = "vip";
  const clients = await startJavaClients({
    home: workshop.folder,
    version: "4.9.8",
    systemProperties: { "com.rocketmq.sendMessageWithVIPChannel": "true" },
  });
  try {
    await clients.run("produce", { namesrv, topic, count: 10 });
    assertDelivered(await readAll({ namesrv }, topic), { count: 10 });
  } finally {
    await clients.stop();
  }
});

test("tags with the same hash are told apart by consumers of both kinds", { timeout }, async () => {
  const topic = "same-hash";
  // "Aa" and "BB" have one hash code in Java, and the broker filters by that.
  for (const tag of ["Aa", "BB"])
    await java("5.5.0").run("produce", {
      namesrv,
      topic,
      count: 10,
      keys: `${tag}-`,
      tag,
      "default-queues": 1,
    });
  await java("5.5.0").run("produce", { namesrv, topic, count: 1, keys: "last-", tag: "Aa" });
  const wanted = [
    { keys: "Aa-", count: 10, tag: "Aa" },
    { keys: "last-", count: 1, tag: "Aa" },
  ];
  assertDelivered(await consume({ namesrv, group: "ours-hash" }, topic, 11, "Aa"), ...wanted);
  for (const version of javaVersions) {
    const options = { namesrv, topic, group: `hash-${version.replaceAll(".", "")}`, count: 11, tag: "Aa" };
    assertDelivered(deliveriesIn(await java(version).run("consume", options)), ...wanted);
  }
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);
test("clients of both kinds reach a server that has only IPv6", {
  timeout,
  skip: hasIpv6 ? false : "this machine has no ::1",
}, async () => {
  const six = await startServerProcess({ home: workshop.place("six"), options: ["--host", "::1"] });
  workshop.ends(six, (it) => it.stop());
  const topic = "six";
  const producer = await startProducer({ namesrv: six.namesrvAddr });
  await sendAll(producer, topic, { keys: "ours-", count: 10 });
  await producer.shutdown();
  for (const version of javaVersions)
    await java(version).run("produce", { namesrv: six.namesrvAddr, topic, count: 10, keys: `${version}-` });
  const expected = ["ours-", "5.5.0-", "4.9.8-"].map((keys) => ({ keys, count: 10 }));
  const ours = await consume({ namesrv: six.namesrvAddr, group: "ours" }, topic, 30);
  assertDelivered(ours, ...expected);
  assert.ok(
    ours.every(({ bornHost, storeHost }) => /::1|0:0:1/.test(bornHost) && /::1|0:0:1/.test(storeHost)),
  );
  for (const version of javaVersions) {
    const options = { namesrv: six.namesrvAddr, topic, group: `g${version.slice(0, 1)}`, count: 30 };
    assertDelivered(deliveriesIn(await java(version).run("consume", options)), ...expected);
  }
});

test("our typed view and Java's see the same message", { timeout }, async () => {
  const topic = "same-message";
  const [result] = (await java("5.5.0").run("produce", { namesrv, topic, count: 1, tag: "T" })).filter(
    (line) => "offsetMsgId" in line,
  );
  const lines = await java("5.5.0").run("consume", { namesrv, topic, group: "same-java", count: 1 });
  const [theirs] = deliveriesIn(lines);
  const collected: ReturnType<typeof deliveryOf>[] = [];
  const seen = new Promise<string>((resolve) => {
    const collector = new Collector({ namesrv, group: "same-ours" }, topic, "*", (message) => {
      collected.push(deliveryOf(message));
      resolve(message.offsetMsgId);
    });
    workshop.ends(collector, (it) => it.consumer.shutdown());
    collector.consumer.start().catch((error: unknown) => assert.fail(String(error)));
  });
  assert.equal(await seen, result?.["offsetMsgId"]);
  // The first and last offsets of the queue are told beside the message; Java adds them, too. The record's own checksum,
  // a property on disk, is shown by Java's client only.
  const { properties: ourProperties, ...ours } = collected[0]!;
  const { properties: theirProperties, ...javas } = theirs!;
  assert.deepEqual(ours, javas);
  const stored = ({
    MIN_OFFSET: _min,
    MAX_OFFSET: _max,
    CONSUME_START_TIME: _start,
    "__CRC32#": _checksum,
    ...rest
  }: Readonly<Record<string, string>>) => rest;
  assert.deepEqual(stored(ourProperties), stored(theirProperties));
});
