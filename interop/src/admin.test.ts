/** Our Admin against the original 5.5.0 NameServer and broker: each call does there what it says. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Admin, type OrbitError, Producer, PushConsumer } from "@orbitmq/client";
import { type JavaServer, startJavaServer } from "./java-server.ts";
import { until } from "./until.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("admin");
let server: JavaServer;
let admin: Admin;
let producer: Producer;

before(async () => {
  const started = await startJavaServer({ directory: workshop.place("java") });
  server = workshop.ends(started, (it) => it.kill());
  const { namesrv } = server;
  admin = workshop.ends(new Admin({ namesrv, requestTimeoutMs: 10_000 }), (it) => it.shutdown());
  await admin.start();
  producer = workshop.ends(new Producer({ namesrv, group: "makers" }), (it) => it.shutdown());
  await producer.start();
});

async function send(topic: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++)
    await producer.send(
      { topic, body: `m${at}`, keys: [`k${at}`] },
      { selector: (queues) => queues.find(({ queueId }) => queueId === 0) },
    );
}

test("topics are created, changed, shown, listed and deleted", { timeout }, async () => {
  const { brokers } = await admin.createTopic("one", { queues: 4, attributes: { "message.type": "FIFO" } });
  await admin.createTopics(["two", "three"], { queues: 2 });
  const settings = await admin.topicSettings("one");
  assert.deepEqual(
    settings.brokers.map(({ brokerName, writeQueueNums, perm, attributes }) => [
      brokerName,
      writeQueueNums,
      perm,
      attributes,
    ]),
    [[brokers[0], 4, 6, { "message.type": "FIFO" }]],
  );
  const names = (await admin.brokerTopics(brokers[0] ?? "")).map(({ topic }) => topic);
  for (const name of ["one", "two", "three"]) assert.ok(names.includes(name), name);
  await until("the NameServer lists it", async () => (await admin.topicList()).includes("three"));
  const { clusters } = await admin.clusterInfo();
  const [cluster = ""] = Object.keys(clusters);
  assert.ok((await admin.topicList({ cluster })).includes("two"));
  assert.ok((await admin.systemTopics()).includes("TBW102"));
  await admin.deleteTopic("two");
  await until("it is gone", async () => !(await admin.topicList()).includes("two"));
  // 5.5.0 does not know the request for several.
  assert.deepEqual(await admin.deleteTopics(["one", "three"]), [
    { topic: "one", brokers },
    { topic: "three", brokers },
  ]);
  await until("they are gone", async () => {
    const left = await admin.topicList();
    return !left.includes("one") && !left.includes("three");
  });
  assert.deepEqual(await admin.cleanUnusedTopics(), brokers);
});

test("groups keep what a change does not name, may be forbidden a topic, popped, and deleted", {
  timeout,
}, async () => {
  await admin.putGroup("g", { retryMaxTimes: 3 });
  await admin.putGroup("g", { consumeTimeoutMinute: 20 });
  const groupOf = async () => (await admin.groupList()).groups.find(({ group }) => group === "g");
  const group = await groupOf();
  assert.deepEqual([group?.retryMaxTimes, group?.consumeTimeoutMinute], [3, 20]);
  await admin.createTopic("secret");
  await admin.forbidGroup("g", { topic: "secret" });
  assert.deepEqual((await groupOf())?.forbiddenTopics, ["secret"]);
  await admin.forbidGroup("g", { topic: "secret", forbidden: false });
  assert.deepEqual((await groupOf())?.forbiddenTopics, []);
  const [brokerName = ""] = await admin.setRequestMode("g", { topic: "secret", mode: "POP" });
  assert.deepEqual(
    (await admin.requestModes(brokerName)).map(({ topic, mode }) => [topic, mode]),
    [["secret", "POP"]],
  );
  await admin.deleteGroup("g", { cleanOffsets: true });
  assert.equal(await groupOf(), undefined);
  const several = ["g1", "g2"];
  for (const name of several) await admin.putGroup(name);
  assert.deepEqual(await admin.deleteGroups(several, { cleanOffsets: true }), [brokerName]);
  const left = (await admin.groupList()).groups.filter(({ group: name }) => several.includes(name));
  assert.deepEqual(left, []);
});

test("members, what they do and how far they are is shown, and one consumes a message by hand", {
  timeout,
}, async () => {
  await admin.createTopic("watched", { queues: 1 });
  await send("watched", 5);
  const heard: string[] = [];
  const consumer = new PushConsumer({
    namesrv: server.namesrv,
    group: "watchers",
    clientId: "one",
    from: "first",
  });
  consumer.listen("watched", (message) => void heard.push(message.text()));
  await consumer.start();
  await until("all are heard", async () => heard.length >= 5);
  const { connections, subscriptions } = await admin.consumerConnections("watchers");
  assert.deepEqual(
    connections.map(({ clientId, version }) => [clientId, version]),
    [["one", "V5_5_0"]],
  );
  assert.ok(subscriptions.some(({ topic }) => topic === "watched"));
  const told = await admin.consumerSubscription("watchers", "watched");
  assert.deepEqual(
    told.subscriptions.map(({ expressionType, expression }) => [expressionType, expression]),
    [["TAG", "*"]],
  );
  assert.deepEqual((await admin.consumerSubscription("nobody", "watched")).subscriptions, []);
  const info = await admin.consumerRunningInfo("watchers", "one");
  assert.ok(info.queues.some(({ queue }) => queue.topic === "watched"));
  await until("offsets are kept", async () => (await admin.groupStatus("watchers")).lag === 0);
  const { groups } = await admin.groupsOfTopic("watched");
  assert.deepEqual(groups, ["watchers"]);
  assert.ok((await admin.topicsOfGroup("watchers")).topics.includes("watched"));
  const progress = await admin.consumeProgress();
  assert.ok(
    progress.groups.some(({ group, topic, lag }) => group === "watchers" && topic === "watched" && lag === 0),
  );
  const spans = await admin.consumeTimeSpans("watchers", "watched");
  assert.deepEqual(
    spans.queues.map(({ queue }) => queue.queueId),
    [0],
  );
  const [brokerName = ""] = connections[0]?.brokers ?? [];
  const { offsetMsgId } = await admin.messageAt({ topic: "watched", brokerName, queueId: 0 }, 2);
  const result = await admin.consumeDirectly(brokerName, {
    group: "watchers",
    topic: "watched",
    offsetMsgId,
  });
  assert.deepEqual([result.consumeResult, heard.at(-1)], ["CR_SUCCESS", "m2"]);
  assert.deepEqual(Object.keys((await admin.memberOffsets("watchers", "watched")).members), ["one"]);
  assert.equal((await admin.producerConnections("makers")).connections.length, 1);
  assert.ok((await admin.producerList()).producers.some(({ group }) => group === "makers"));
  await consumer.shutdown();
});

test("groups are moved to a time, the begin, the end and an offset, as planned; and cloned", {
  timeout,
}, async () => {
  const topic = "moved";
  const { brokers } = await admin.createTopic(topic, { queues: 2 });
  const queue = { topic, brokerName: brokers[0] ?? "", queueId: 0 };
  await send(topic, 5);
  await until("queues have them", async () => (await admin.queueBounds(queue)).maxOffset === 5);
  await admin.putGroup("mover");
  await admin.putGroup("follower");
  const offsets = (rows: readonly { offset: number }[]) => rows.map(({ offset }) => offset);
  for (const [to, expected] of [
    ["end", [5, 0]],
    ["begin", [0, 0]],
    [new Date(0), [0, 0]],
    [new Date(Date.now() + 60_000), [5, 0]],
  ] as const) {
    assert.deepEqual(offsets(await admin.planReset("mover", topic, to)), expected, `plan to ${to}`);
    assert.deepEqual(offsets(await admin.resetOffsets("mover", topic, to)), expected, `reset to ${to}`);
  }
  await admin.resetOffsets("mover", topic, 3, { queue });
  const at = (group: string) => admin.consumerOffset(group, queue);
  await until("the offset is kept", async () => (await at("mover")) === 3);
  await admin.cloneOffsets({ from: "mover", to: "follower", topic });
  assert.equal(await at("follower"), 3);
  await admin.setConsumerOffset("follower", queue, 1);
  assert.equal(await at("follower"), 1);
  assert.equal((await admin.messageAt(queue, 4)).text(), "m4");
  await assert.rejects(admin.messageAt(queue, 9), (error: OrbitError) => error.code === "QUERY_NOT_FOUND");
  const units = await admin.consumeQueue(queue, { count: 2 });
  assert.equal(units.queueData?.length, 2);
});

test("brokers tell of themselves, are set up while they run, clean up, and are steered around", {
  timeout,
}, async () => {
  const { brokers } = await admin.brokerRuntimes();
  const [runtime] = brokers;
  assert.equal(runtime?.version, "V5_5_0");
  const { brokerName = "", address = "" } = runtime ?? {};
  assert.equal((await admin.brokerRuntime(address)).brokerName, brokerName);
  const config = await admin.brokerConfig(brokerName);
  assert.equal(config["brokerName"], brokerName);
  await admin.updateBrokerConfig({ maxMessageSize: "1048576" }, { broker: brokerName });
  assert.equal((await admin.brokerConfig(brokerName))["maxMessageSize"], "1048576");
  // What it counted shows with its next sample; that there is such a counter, at once.
  assert.equal((await admin.brokerStats("TOPIC_PUT_NUMS", "watched")).brokers.length, 1);
  assert.deepEqual((await admin.brokerStats("TOPIC_PUT_NUMS", "nothing")).brokers, []);
  assert.deepEqual(await admin.cleanExpiredConsumeQueue(), [brokerName]);
  assert.deepEqual(await admin.deleteExpiredCommitLog(), [brokerName]);
  assert.equal((await admin.haStatus(brokerName)).master, true);
  assert.ok(Object.values(await admin.wipeWritePerm(brokerName)).every((count) => count > 0));
  const permOf = async () => (await admin.topicRoute("watched")).queues[0]?.perm;
  assert.equal(await permOf(), 4);
  await admin.addWritePerm(brokerName);
  assert.equal(await permOf(), 6);
});

test("NameServers keep values and are set up while they run", { timeout }, async () => {
  const { namesrv } = server;
  await admin.putKv("ns", "a", "1");
  assert.deepEqual((await admin.getKv("ns", "a")).servers, { [namesrv]: "1" });
  assert.deepEqual((await admin.listKv("ns")).servers, { [namesrv]: { a: "1" } });
  await admin.deleteKv("ns", "a");
  assert.deepEqual((await admin.getKv("ns", "a")).servers, { [namesrv]: undefined });
  await admin.updateNameServerConfig({ orderMessageEnable: "true" });
  const { servers } = await admin.nameServerConfig();
  assert.equal(servers[namesrv]?.["orderMessageEnable"], "true");
});
