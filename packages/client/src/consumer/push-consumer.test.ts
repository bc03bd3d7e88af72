import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProperties, RequestCode } from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { Producer } from "../producer/producer.ts";
import { consumerOf, consuming, stage } from "../testing/consumer-stage.ts";
import { TestWorld } from "../testing/test-world.ts";

const tagged = (tag: string) => formatProperties([["TAGS", tag]]);

test("a received message carries everything its record says", async () => {
  const { w, broker } = stage();
  const properties = formatProperties([
    ["UNIQ_KEY", "0A000001"],
    ["TAGS", "t"],
    ["KEYS", "k1 k2"],
    ["mine", "yes"],
    ["__CRC32#", "0123456789"],
  ]);
  broker.store("orders", 0, '{"id":7}', properties);
  let got: ReceivedMessage | undefined;
  const consumer = await consuming(w, (message) => {
    got = message;
  });
  await w.until(() => got !== undefined);
  const message = got!;
  assert.deepEqual(
    [message.topic, message.msgId, message.tag, message.keys, message.properties["mine"]],
    ["orders", "0A000001", "t", ["k1", "k2"], "yes"],
  );
  assert.equal("__CRC32#" in message.properties, false, "the log's own checksum is not shown");
  assert.deepEqual(message.queue, { topic: "orders", brokerName: "broker-a", queueId: 0 });
  assert.equal(message.queueOffset, 0);
  assert.equal(message.storeHost, "10.1.1.1:10911");
  assert.match(message.offsetMsgId, /^0A010101/);
  assert.ok(message.body instanceof Uint8Array);
  assert.equal(message.value, message.body);
  assert.equal(message.text(), '{"id":7}');
  assert.deepEqual(message.json(), { id: 7 });
  assert.equal(message.reconsumeTimes, 0);
  await w.settle(consumer.shutdown());
});

test("only messages with one of the tags are heard, compared exactly, and the others are passed over", async () => {
  const { w, broker } = stage();
  // "Aa" and "BB" have the same hash: the broker cannot tell them apart.
  for (const tag of ["Aa", "BB", "C", "Aa"]) broker.store("orders", 0, tag, tagged(tag));
  broker.store("orders", 0, "none");
  const got: string[] = [];
  const consumer = consumerOf(w);
  consumer.subscribe("orders", "Aa || C", (message) => void got.push(message.text()));
  await w.settle(consumer.start());
  await w.until(() => broker.offsets.get("g@orders@0") === 5);
  assert.deepEqual(got.sort(), ["Aa", "Aa", "C"]);
  const [subscription] = broker.heartbeats.at(-1)!.consumerDataSet[0]!.subscriptionDataSet;
  assert.deepEqual([...subscription!.tagsSet], ["Aa", "C"]);
  await w.settle(consumer.shutdown());
});

test("heartbeats name the group, the topics and the group's retry topic", async () => {
  const { w, broker } = stage();
  const consumer = await consuming(w, () => {});
  const data = broker.heartbeats.at(-1)!.consumerDataSet[0]!;
  assert.deepEqual(
    [data.groupName, data.consumeType, data.messageModel, data.consumeFromWhere],
    ["g", "CONSUME_PASSIVELY", "CLUSTERING", "CONSUME_FROM_FIRST_OFFSET"],
  );
  assert.deepEqual(
    data.subscriptionDataSet.map((subscription) => subscription.topic),
    ["orders", "%RETRY%g"],
  );
  const before = broker.heartbeats.length;
  await w.run(31_000);
  assert.ok(broker.heartbeats.length > before);
  await w.settle(consumer.shutdown());
});

test("consumer first, topic unknown: a message sent later is heard within a second though from is last", async () => {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("TBW102", [broker], 8, 7);
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), { from: "last" });
  assert.deepEqual(consumer.status().topicsWithoutRoute, ["orders"]);
  assert.equal(consumer.status().ready, true);
  await w.run(20_000);
  const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(producer.start());
  await w.settle(producer.send({ topic: "orders", body: "first" }));
  w.nameServer.setRoute("orders", [broker], 4);
  await w.until(() => got.length === 1, 1_000);
  await w.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
});

test("from last, what was there at the start is skipped and what is sent after start is heard", async () => {
  const { w, broker } = stage(2);
  broker.store("orders", 0, "old");
  broker.store("orders", 1, "old");
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), { from: "last" });
  broker.store("orders", 0, "new");
  broker.store("orders", 1, "new");
  await w.until(() => got.length === 2);
  assert.deepEqual(got, ["new", "new"]);
  await w.settle(consumer.shutdown());
});

test("from a date, messages stored from then on are heard", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "early");
  await w.run(60_000);
  const from = new Date(w.host.clock.wallMs() - 1_000);
  broker.store("orders", 0, "late");
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), { from });
  await w.until(() => got.length === 1);
  await w.run(1_000);
  assert.deepEqual(got, ["late"]);
  await w.settle(consumer.shutdown());
});

test("a group goes on where it was, whatever from says, and a new one's start is logged once", async () => {
  const { w, broker } = stage();
  for (const body of ["0", "1", "2"]) broker.store("orders", 0, body);
  broker.offsets.set("g@orders@0", 1);
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()));
  await w.until(() => got.length === 2);
  assert.deepEqual(got, ["1", "2"]);
  assert.equal(w.log.filter((line) => line.message.includes("is new in")).length, 0);
  await w.settle(consumer.shutdown());
  const other = await consuming(w, () => {}, { group: "fresh", from: "last" });
  await w.run(60_000);
  const lines = w.log.filter((line) => line.message.includes("is new in orders"));
  assert.equal(lines.length, 1);
  assert.deepEqual(lines[0]!.bindings["offsets"], { "broker-a 0": 3 });
  await w.settle(other.shutdown());
});

test("a batch listener gets lists of one queue in order and its result counts for all", async () => {
  const { w, broker } = stage(2);
  broker.takesBack = false;
  for (let i = 0; i < 10; i++) broker.store("orders", i % 2, String(i));
  const batches: string[][] = [];
  const consumer = consumerOf(w);
  let failed = false;
  consumer.listenBatch(
    "orders",
    (messages, context) => {
      assert.ok(messages.every((message) => message.queue.queueId === context.queue.queueId));
      if (!failed) {
        failed = true;
        return "RECONSUME_LATER";
      }
      batches.push(messages.map((message) => message.text()));
      return undefined;
    },
    { messagesMax: 4 },
  );
  await w.settle(consumer.start());
  await w.until(() => batches.flat().length === 10);
  assert.ok(batches.every((batch) => batch.length <= 4));
  assert.ok(batches.some((batch) => batch.length > 1));
  for (const batch of batches) assert.deepEqual(batch, [...batch].sort());
  assert.deepEqual(batches.flat().sort(), [..."0123456789"]);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 5);
});

test("no more listeners run at once than allowed, and all messages get their turn", async () => {
  const { w, broker } = stage(4);
  for (let i = 0; i < 100; i++) broker.store("orders", i % 4, String(i));
  let running = 0;
  let most = 0;
  let done = 0;
  const consumer = await consuming(
    w,
    async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => void w.host.timers.after(10, resolve));
      running -= 1;
      done += 1;
    },
    { concurrency: 5 },
  );
  await w.until(() => done === 100);
  assert.equal(most, 5);
  await w.settle(consumer.shutdown());
});

test("a topic listened to after the start is consumed, and a second listener for it refused", async () => {
  const { w, broker } = stage();
  w.nameServer.setRoute("other", [broker], 1);
  broker.store("other", 0, "x");
  const consumer = await consuming(w, () => {});
  const got: string[] = [];
  consumer.listen("other", (message) => void got.push(message.text()));
  await w.until(() => got.length === 1, 2_000);
  assert.throws(
    () => consumer.listen("other", () => {}),
    (error) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT",
  );
  await w.settle(consumer.shutdown());
  assert.throws(
    () => consumer.listen("third", () => {}),
    (error) => error instanceof OrbitError && error.code === "SHUT_DOWN",
  );
});

test("what is wrong with arguments is refused at once", () => {
  const { w } = stage();
  const refused = (fn: () => unknown) =>
    assert.throws(fn, (error) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT");
  refused(() => consumerOf(w, { group: "" }));
  refused(() => consumerOf(w, { concurrency: 0 }));
  refused(() => consumerOf(w, { from: new Date(Number.NaN) }));
  refused(() => consumerOf(w, { from: "middle" as "last" }));
  const consumer = consumerOf(w);
  refused(() => consumer.listen("bad name!", () => {}));
  refused(() => consumer.listen("orders", undefined as unknown as () => void));
  refused(() => consumer.subscribe("orders", " || ", () => {}));
  refused(() => consumer.listenBatch("orders", () => {}, { messagesMax: 0 }));
});

test("from last, a queue whose first message the broker still has in memory starts with it, and that is logged", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "young");
  broker.script = (request) => {
    if (request.code !== RequestCode.QUERY_CONSUMER_OFFSET) return false;
    const exactly = request.ext.get("setZeroIfNotFound") === "false";
    return exactly ? { code: 22 } : { code: 0, header: (sink) => sink.put("offset", "0") };
  };
  const got: string[] = [];
  const consumer = await consuming(w, (message) => void got.push(message.text()), { from: "last" });
  await w.until(() => got.length === 1);
  const [line] = w.log.filter(({ message }) => message.includes("is new in orders"));
  assert.deepEqual(line?.bindings["offsets"], { "broker-a 0": 0 });
  await w.settle(consumer.shutdown());
});
