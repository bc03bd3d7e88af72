import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin } from "./admin/admin.ts";
import type { PushConsumerOptions } from "./consumer/consumer-options.ts";
import { LitePullConsumer } from "./consumer/lite-pull-consumer.ts";
import { PushConsumer } from "./consumer/push-consumer.ts";
import { Reader } from "./consumer/reader/reader.ts";
import { Producer } from "./producer/producer.ts";
import { RealCluster } from "./testing/real-cluster.ts";

async function stage(brokers: readonly string[] = ["broker-a"]) {
  const c = new RealCluster();
  await c.startNameServer();
  for (const name of brokers) await c.startBroker(name);
  const producer = new Producer(c.host, { namesrv: c.namesrv });
  await c.settle(producer.start());
  const consumer = (options: Partial<PushConsumerOptions> = {}) =>
    new PushConsumer(c.host, { namesrv: c.namesrv, group: "g", from: "first", ...options });
  return { c, producer, consumer };
}

test("a message goes through the real broker and store, and says that it is on disk", async () => {
  const { c, producer, consumer } = await stage();
  const result = await c.settle(producer.send({ topic: "orders", body: "hello", tag: "t", keys: "k" }));
  assert.deepEqual([result.durability, result.region, result.queueOffset], ["disk", "DefaultRegion", 0]);
  const got: string[] = [];
  const one = consumer();
  one.subscribe("orders", "t", (message) => {
    assert.deepEqual([message.msgId, message.offsetMsgId], [result.msgId, result.offsetMsgId]);
    assert.deepEqual([message.keys, message.queue], [["k"], result.queue]);
    got.push(message.text());
  });
  await c.settle(one.start());
  await c.until(() => got.length === 1);
  await c.settle(Promise.all([producer.shutdown(), one.shutdown()]));
});

test("a batch, a compressed body and oneway messages arrive as they were sent", async () => {
  const { c, producer, consumer } = await stage();
  const long = "abc".repeat(10_000);
  await c.settle(producer.send([1, 2, 3].map((n) => ({ topic: "orders", body: `batch ${n}` }))));
  await c.settle(producer.send({ topic: "orders", body: long }));
  await c.settle(producer.sendOneway({ topic: "orders", body: "oneway" }));
  const got: string[] = [];
  const one = consumer();
  one.listen("orders", (message) => void got.push(message.text()));
  await c.settle(one.start());
  await c.until(() => got.length === 5);
  assert.deepEqual(got.sort(), [long, "batch 1", "batch 2", "batch 3", "oneway"].sort());
  await c.settle(Promise.all([producer.shutdown(), one.shutdown()]));
});

test("consumer first, topic unknown, from last: what is sent next is heard within a second", async () => {
  const { c, producer, consumer } = await stage();
  const one = consumer({ from: "last" });
  const got: string[] = [];
  one.listen("orders", (message) => void got.push(message.text()));
  await c.settle(one.start());
  await c.world.run(30_000);
  await c.settle(producer.send({ topic: "orders", body: "first" }));
  await c.until(() => got.length === 1, 1_000);
  for (let i = 0; i < 8; i++) await c.settle(producer.send({ topic: "orders", body: String(i) }));
  await c.until(() => got.length === 9, 1_000);
  await c.settle(Promise.all([producer.shutdown(), one.shutdown()]));
});

test("a topic that appears while its group has long been waiting is heard within 200 ms, whenever that is", async () => {
  const { c, producer, consumer } = await stage();
  const topics = [1, 2, 3, 4].map((n) => `late-${n}`);
  const one = consumer();
  const got: string[] = [];
  for (const topic of topics) one.listen(topic, (message) => void got.push(message.topic));
  await c.settle(one.start());
  for (const topic of topics) {
    await c.world.run(3_130);
    await c.settle(producer.send({ topic, body: "first" }));
    await c.until(() => got.includes(topic), 200);
  }
  await c.settle(Promise.all([producer.shutdown(), one.shutdown()]));
});

test("kill -9 of the broker under load: every acknowledged message is heard, by the same clients", async () => {
  const { c, producer, consumer } = await stage();
  const acknowledged = new Set<string>();
  const heard = new Set<string>();
  const one = consumer();
  one.listen("orders", (message) => void heard.add(message.text()));
  await c.settle(one.start());
  let next = 0;
  let running = true;
  const load = async () => {
    while (running) {
      const body = String(next++);
      await producer.send({ topic: "orders", body }, { timeoutMs: 1_000 }).then(
        () => acknowledged.add(body),
        () => new Promise<void>((resolve) => void c.host.timers.after(50, resolve)),
      );
    }
  };
  const loads = [load(), load(), load(), load()];
  for (let round = 0; round < 3; round++) {
    const before = acknowledged.size;
    await c.until(() => acknowledged.size > before + 50);
    c.killBroker("broker-a");
    await c.world.run(500);
    await c.startBroker("broker-a");
  }
  const before = acknowledged.size;
  await c.until(() => acknowledged.size > before + 50);
  running = false;
  await c.settle(Promise.all(loads));
  await c.until(() => [...acknowledged].every((body) => heard.has(body)), 20_000);
  assert.ok(acknowledged.size > 200);
  await c.settle(Promise.all([producer.shutdown(), one.shutdown()]));
});

test("a group shares the queues of two brokers and goes on after one of its members and one broker left", async () => {
  const { c, producer, consumer } = await stage(["broker-a", "broker-b"]);
  const admin = new Admin(c.host, { namesrv: c.namesrv });
  await c.settle(admin.start());
  await c.settle(admin.createTopic("orders", { queues: 4 }));
  assert.deepEqual(
    (await c.settle(admin.topicRoute("orders"))).queues.map(({ brokerName, readQueueNums }) => [
      brokerName,
      readQueueNums,
    ]),
    [
      ["broker-a", 4],
      ["broker-b", 4],
    ],
  );
  const held = (member: PushConsumer) =>
    member.status().queues.filter(({ queue }) => queue.topic === "orders").length;
  const heard = new Set<string>();
  const members = [consumer(), consumer()];
  for (const member of members) member.listen("orders", (message) => void heard.add(message.text()));
  for (const member of members) await c.settle(member.start());
  await c.until(() => members.every((member) => held(member) === 4));
  for (let i = 0; i < 40; i++) await c.settle(producer.send({ topic: "orders", body: `a${i}` }));
  await c.until(() => heard.size === 40);
  await c.settle(members[0]!.shutdown());
  await c.until(() => held(members[1]!) === 8, 3_000);
  c.killBroker("broker-b");
  for (let i = 0; i < 40; i++) await c.settle(producer.send({ topic: "orders", body: `b${i}` }));
  await c.until(() => heard.size === 80);
  await c.settle(Promise.all([producer.shutdown(), members[1]!.shutdown(), admin.shutdown()]));
});

test("a group that comes back goes on where it stopped", async () => {
  const { c, producer, consumer } = await stage();
  for (let i = 0; i < 20; i++) await c.settle(producer.send({ topic: "orders", body: String(i) }));
  const first: string[] = [];
  const one = consumer();
  one.listen("orders", (message) => void first.push(message.text()));
  await c.settle(one.start());
  await c.until(() => first.length === 20);
  await c.settle(one.shutdown());
  c.killBroker("broker-a");
  await c.startBroker("broker-a");
  await c.settle(producer.send({ topic: "orders", body: "after" }));
  const second: string[] = [];
  const two = consumer();
  two.listen("orders", (message) => void second.push(message.text()));
  await c.settle(two.start());
  await c.until(() => second.includes("after"));
  await c.world.run(5_000);
  await c.settle(Promise.all([producer.shutdown(), two.shutdown()]));
});

test("the reader and the admin see what is there and change nothing", async () => {
  const { c, producer } = await stage();
  for (let i = 0; i < 50; i++)
    await c.settle(producer.send({ topic: "orders", body: String(i), tag: `t${i % 2}` }));
  const reader = new Reader(c.host, { namesrv: c.namesrv });
  await c.settle(reader.start());
  const read = async (tags: string) => {
    const got: string[] = [];
    for await (const message of reader.read("orders", { follow: false, tags })) got.push(message.text());
    return got;
  };
  assert.equal((await c.settle(read("*"))).length, 50);
  assert.equal((await c.settle(read("t1"))).length, 25);
  const admin = new Admin(c.host, { namesrv: c.namesrv });
  await c.settle(admin.start());
  const status = await c.settle(admin.topicStatus("orders"));
  assert.equal(
    status.queues.reduce((sum, { maxOffset, minOffset }) => sum + maxOffset - minOffset, 0),
    50,
  );
  assert.ok((await c.settle(admin.topicList())).includes("orders"));
  const { clusters, brokers } = await c.settle(admin.clusterInfo());
  assert.deepEqual(clusters, { DefaultCluster: ["broker-a"] });
  assert.deepEqual(brokers[0]!.addresses, { "0": "broker-a:10911" });
  await c.settle(Promise.all([producer.shutdown(), reader.shutdown(), admin.shutdown()]));
});

test("a message that fails comes again after its delays and is a dead letter in the end; delayed ones come late", async () => {
  const { c, producer, consumer } = await stage();
  const one = consumer({ maxReconsumeTimes: 2 });
  const heard: [string, number, string, number][] = [];
  one.listen("orders", (message) => {
    heard.push([message.text(), message.reconsumeTimes, message.topic, c.world.nowMs]);
    return message.text() === "bad" ? "RECONSUME_LATER" : undefined;
  });
  await c.settle(one.start());
  const sentMs = c.world.nowMs;
  await c.settle(producer.send({ topic: "orders", body: "bad" }));
  await c.settle(producer.send({ topic: "orders", body: "late", delayLevel: 2 }));
  await c.until(() => heard.length === 4);
  const bad = heard.filter(([body]) => body === "bad");
  assert.deepEqual(
    bad.map(([, times, topic]) => [times, topic]),
    [
      [0, "orders"],
      [1, "orders"],
      [2, "orders"],
    ],
  );
  const pauses = [bad[1]![3] - bad[0]![3], bad[2]![3] - bad[1]![3]];
  assert.ok(pauses[0]! >= 10_000 && pauses[0]! < 11_000 && pauses[1]! >= 30_000, String(pauses));
  const late = heard.find(([body]) => body === "late")!;
  assert.ok(late[3] - sentMs >= 5_000, String(late[3] - sentMs));
  const reader = new Reader(c.host, { namesrv: c.namesrv });
  await c.settle(reader.start());
  await c.until(() => one.status().sentBack === 3);
  const dead = reader.read("%DLQ%g")[Symbol.asyncIterator]();
  const { value } = await c.settle(dead.next());
  assert.deepEqual([value?.text(), value?.reconsumeTimes], ["bad", 3]);
  await c.settle(Promise.all([producer.shutdown(), one.shutdown(), reader.shutdown()]));
});

test("in order, over members that come and go: each queue's messages once and in order, the hopeless one a dead letter", async () => {
  const { c, producer, consumer } = await stage();
  for (let i = 0; i < 40; i++) {
    const queue = { topic: "orders", brokerName: "broker-a", queueId: i % 4 };
    await c.settle(producer.send({ topic: "orders", body: String(i) }, { queue }));
  }
  const heard: number[] = [];
  const running = new Set<number>();
  const member = (clientId: string) => {
    const one = consumer({ clientId, maxReconsumeTimes: 1 });
    one.listenOrderly("orders", async (message, { queue: { queueId } }) => {
      assert.ok(!running.has(queueId), `two listeners on ${queueId}`);
      running.add(queueId);
      await new Promise<void>((resolve) => void c.host.timers.after(100, resolve));
      running.delete(queueId);
      if (message.text() === "20") return "SUSPEND_CURRENT_QUEUE_A_MOMENT";
      heard.push(Number(message.text()));
      return "SUCCESS";
    });
    return one;
  };
  const members = [member("a"), member("b")];
  await c.settle(members[0]!.start());
  await c.world.run(300);
  await c.settle(members[1]!.start());
  await c.until(() => heard.length > 20);
  await c.settle(members[0]!.shutdown());
  await c.until(() => heard.length >= 39);
  assert.equal(new Set(heard).size, 39);
  for (let queueId = 0; queueId < 4; queueId++) {
    const ofQueue = heard.filter((n) => n % 4 === queueId);
    assert.deepEqual(
      ofQueue,
      ofQueue.toSorted((a, b) => a - b),
    );
  }
  const reader = new Reader(c.host, { namesrv: c.namesrv });
  await c.settle(reader.start());
  const { value } = await c.settle(reader.read("%DLQ%g")[Symbol.asyncIterator]().next());
  assert.deepEqual([value?.text(), value?.reconsumeTimes], ["20", 2]);
  await c.settle(Promise.all([producer.shutdown(), members[1]!.shutdown(), reader.shutdown()]));
});

test("a request is answered by whoever consumes it, on either of two brokers; without an answer it times out", async () => {
  const { c, producer, consumer } = await stage(["broker-a", "broker-b"]);
  const answering = new Producer(c.host, { namesrv: c.namesrv, group: "answering" });
  await c.settle(answering.start());
  const one = consumer();
  const long = "x".repeat(10_000);
  one.listen("questions", async (message) => {
    if (message.text() === "silence") return;
    await answering.reply(message, `${message.text()}! ${long}`, { tag: "t", properties: { mine: "1" } });
  });
  await c.settle(producer.send({ topic: "questions", body: "silence" }));
  await c.settle(one.start());
  const questions = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `${n}?`);
  const replies = await c.settle(
    Promise.all(
      questions.map((body) => producer.request({ topic: "questions", body }, { timeoutMs: 20_000 })),
    ),
  );
  assert.deepEqual(
    replies.map((reply) => reply.text()),
    questions.map((body) => `${body}! ${long}`),
  );
  assert.deepEqual([replies[0]!.tag, replies[0]!.properties["mine"]], ["t", "1"]);
  const silent = producer.request({ topic: "questions", body: "silence" }, { timeoutMs: 1_000 });
  await assert.rejects(c.settle(silent), { code: "TIMEOUT", outcome: "unknown" });
  const controller = new AbortController();
  const given = producer.request({ topic: "questions", body: "silence" }, { signal: controller.signal });
  const failed = assert.rejects(given, { code: "ABORTED" });
  controller.abort();
  await c.settle(failed);
  const left = assert.rejects(producer.request({ topic: "questions", body: "silence" }), {
    code: "SHUT_DOWN",
  });
  await c.settle(producer.shutdown({ deadlineMs: 500 }));
  await c.settle(left);
  await assert.rejects(answering.reply(replies[0]!, "x"), { code: "INVALID_ARGUMENT" });
  await c.settle(Promise.all([answering.shutdown(), one.shutdown()]));
});

test("lite pull consumers share a topic, hand it over without a gap, and filter by tag", async () => {
  const { c, producer } = await stage();
  const sent: string[] = [];
  for (let i = 0; i < 60; i++) {
    const queue = { topic: "orders", brokerName: "broker-a", queueId: i % 4 };
    await c.settle(
      producer.send({ topic: "orders", body: String(i), tag: i % 3 === 0 ? "no" : "yes" }, { queue }),
    );
    if (i % 3 > 0) sent.push(String(i));
  }
  const done = new Set<string>();
  const member = async (clientId: string, leaveAfter: number) => {
    const options = { namesrv: c.namesrv, group: "lite", from: "first", clientId } as const;
    const one = new LitePullConsumer(c.host, options);
    one.subscribe("orders", { tags: "yes" });
    await one.start();
    let previous: string | undefined;
    let count = 0;
    for await (const message of one.messages()) {
      if (previous !== undefined) done.add(previous);
      previous = message.text();
      if (++count === leaveAfter) break;
    }
  };
  const first = member("a", 15);
  const second = member("b", Number.POSITIVE_INFINITY);
  await c.settle(first);
  await c.until(() => done.size >= sent.length - 1, 60_000);
  for (const body of done) assert.ok(sent.includes(body));
  await c.settle(producer.shutdown());
  void second;
});
