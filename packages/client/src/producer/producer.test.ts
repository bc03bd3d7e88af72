import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { getProperty, inflateBounded, MessageSysFlag, RequestCode } from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { TestWorld } from "../testing/test-world.ts";
import { Producer } from "./producer.ts";
import type { ProducerOptions } from "./producer-options.ts";
import { selectByHash } from "./selectors.ts";
import type { SendResult } from "./send-result.ts";

interface Stage {
  readonly w: TestWorld;
  readonly producer: Producer;
  readonly brokers: FakeBroker[];
}

/** A started producer and `brokerCount` brokers with four queues each of the topic `orders`. */
async function stage(brokerCount = 1, options: ProducerOptions = {}): Promise<Stage> {
  const w = new TestWorld();
  const brokers = ["broker-a", "broker-b", "broker-c"].slice(0, brokerCount).map((name) => w.addBroker(name));
  w.nameServer.setRoute("orders", brokers);
  const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger, ...options });
  await w.settle(producer.start());
  return { w, producer, brokers };
}

const message = { topic: "orders", body: "hello" };

test("a message sent to an existing topic is acknowledged with its place", async () => {
  const { w, producer, brokers } = await stage();
  const result = await w.settle(producer.send({ ...message, tag: "t", keys: ["k1", "k2"] }));
  assert.equal(result.status, "SEND_OK");
  assert.equal(result.durability, "disk");
  assert.equal(result.region, "DefaultRegion");
  assert.equal(result.queueOffset, 0);
  assert.match(result.msgId, /^[0-9A-F]{32}$/);
  assert.match(result.offsetMsgId, /^[0-9A-F]{32}$/);
  assert.equal(result.queue.brokerName, "broker-a");
  const [stored] = brokers[0]!.messages("orders");
  assert.equal(Buffer.from(stored!.body).toString(), "hello");
  assert.equal(stored!.queueId, result.queue.queueId);
  assert.equal(getProperty(stored!.properties, "UNIQ_KEY"), result.msgId);
  assert.equal(getProperty(stored!.properties, "TAGS"), "t");
  assert.equal(getProperty(stored!.properties, "KEYS"), "k1 k2");
  assert.equal(getProperty(stored!.properties, "WAIT"), "true");
  assert.deepEqual(await w.settle(producer.shutdown()), { settled: 0, left: 0 });
  assert.deepEqual(brokers[0]!.unregistered, ["ORBITMQ_PRODUCER"]);
});

test("messages go round all queues of all brokers", async () => {
  const { w, producer, brokers } = await stage(2);
  for (let i = 0; i < 16; i++) await w.settle(producer.send(message));
  for (const broker of brokers) {
    for (let queueId = 0; queueId < 4; queueId++) assert.equal(broker.queue("orders", queueId).length, 2);
  }
  await w.settle(producer.shutdown());
});

test("a batch is stored in one queue, each message with an id of its own", async () => {
  const { w, producer, brokers } = await stage();
  const batch = ["a", "b", "c"].map((body) => ({ topic: "orders", body, tag: body }));
  const result = await w.settle(producer.send(batch));
  const stored = brokers[0]!.messages("orders");
  assert.deepEqual(
    stored.map(({ body }) => Buffer.from(body).toString()),
    ["a", "b", "c"],
  );
  assert.equal(new Set(stored.map(({ queueId }) => queueId)).size, 1);
  const ids = stored.map(({ properties }) => getProperty(properties, "UNIQ_KEY"));
  assert.equal(result.msgId, ids.join(","));
  assert.equal(new Set(ids).size, 3);
  assert.equal(brokers[0]!.count(RequestCode.SEND_BATCH_MESSAGE), 1);
  await w.settle(producer.shutdown());
});

test("a long body travels compressed and says so", async () => {
  const { w, producer, brokers } = await stage();
  await w.settle(producer.send({ topic: "orders", body: "x".repeat(5_000) }));
  const [stored] = brokers[0]!.messages("orders");
  assert.ok(stored!.body.length < 200);
  assert.equal(stored!.sysFlag, MessageSysFlag.COMPRESSED | MessageSysFlag.COMPRESSION_ZLIB);
  assert.equal(inflateBounded(stored!.body).toString(), "x".repeat(5_000));
  await w.settle(producer.shutdown());
});

test("a refusal RocketMQ does not retry is told at once, as refused", async () => {
  const { w, producer, brokers } = await stage(2);
  for (const broker of brokers) broker.script = sends({ code: 13, remark: "the properties are too long" });
  const error = await w.failure(producer.send(message));
  assert.ok(error instanceof OrbitError);
  assert.equal(error.code, "MESSAGE_ILLEGAL");
  assert.equal(error.responseCode, 13);
  assert.equal(error.remark, "the properties are too long");
  assert.match(error.message, /the properties are too long/);
  assert.match(error.broker ?? "", /broker-[ab]/);
  assert.deepEqual([error.attempts, error.retriable, error.outcome], [1, false, "refused"]);
  assert.ok(error.hint.length > 0);
  assert.equal(sendCount(brokers), 1);
  await w.settle(producer.shutdown());
});

test("a busy broker's message goes to the other broker under the same id", async () => {
  const { w, producer, brokers } = await stage(2);
  const [a, b] = brokers as [FakeBroker, FakeBroker];
  const ids: (string | undefined)[] = [];
  a.script = (request) => {
    if (request.code !== RequestCode.SEND_MESSAGE_V2) return false;
    ids.push(getProperty(request.ext.get("i") ?? "", "UNIQ_KEY"));
    return { code: 2, remark: "[REJECTREQUEST]" };
  };
  const results: SendResult[] = [];
  for (let i = 0; i < 4; i++) results.push(await w.settle(producer.send(message)));
  assert.ok(results.every(({ queue }) => queue.brokerName === "broker-b"));
  assert.ok(ids.length > 0);
  const stored = b.messages("orders").map(({ properties }) => getProperty(properties, "UNIQ_KEY"));
  for (const id of ids) assert.ok(stored.includes(id!));
  await w.settle(producer.shutdown());
});

test("three attempts are all: the last refusal is told, with what any attempt made unknown", async () => {
  const { w, producer, brokers } = await stage(2);
  let answered = 0;
  for (const broker of brokers) {
    broker.script = (request) => {
      if (request.code !== RequestCode.SEND_MESSAGE_V2) return false;
      answered += 1;
      return answered === 1 ? { code: 1, remark: "boom" } : { code: 14, remark: "shutting down" };
    };
  }
  const error = (await w.failure(producer.send(message))) as OrbitError;
  assert.deepEqual([error.code, error.attempts, error.outcome], ["SERVICE_NOT_AVAILABLE", 3, "unknown"]);
  assert.equal(answered, 3);
  await w.settle(producer.shutdown());
});

test("a broker that says the message may exist is believed", async () => {
  const { w, producer, brokers } = await stage(1, { retryTimes: 0 });
  brokers[0]!.script = sends({ code: 14, header: (sink) => sink.put("outcome", "unknown") });
  const error = (await w.failure(producer.send(message))) as OrbitError;
  assert.deepEqual([error.code, error.outcome], ["SERVICE_NOT_AVAILABLE", "unknown"]);
  await w.settle(producer.shutdown());
});

test("a message stored but not flushed in time is an error and its outcome unknown", async () => {
  const { w, producer, brokers } = await stage(2);
  for (const broker of brokers) broker.script = sends({ code: 10 });
  const error = (await w.failure(producer.send(message))) as OrbitError;
  assert.deepEqual([error.code, error.outcome, error.attempts], ["FLUSH_DISK_TIMEOUT", "unknown", 1]);
  await w.settle(producer.shutdown());
});

test("sendAsync does not retry a broker's refusal, and does retry a broken connection", async () => {
  const { w, producer, brokers } = await stage(2);
  for (const broker of brokers) broker.script = sends({ code: 2, remark: "busy" });
  const refused = (await w.failure(sendAsync(producer))) as OrbitError;
  assert.deepEqual([refused.code, refused.attempts, sendCount(brokers)], ["SYSTEM_BUSY", 1, 1]);
  let broken = 0;
  for (const broker of brokers) {
    broker.script = (request, exchange) => {
      if (request.code !== RequestCode.SEND_MESSAGE_V2 || broken > 0) return false;
      broken += 1;
      exchange.peer.close();
      return true;
    };
  }
  const result = await w.settle(sendAsync(producer));
  assert.equal(result.status, "SEND_OK");
  assert.equal(broken, 1);
  await w.settle(producer.shutdown());
});

test("a broker that does not answer fails the send after three seconds in total, outcome unknown", async () => {
  const { w, producer, brokers } = await stage(2);
  for (const broker of brokers) broker.script = (request) => request.code === RequestCode.SEND_MESSAGE_V2;
  const startedMs = w.world.nowMs;
  const error = (await w.failure(producer.send(message))) as OrbitError;
  const tookMs = w.world.nowMs - startedMs;
  assert.deepEqual([error.code, error.outcome, error.attempts], ["TIMEOUT", "unknown", 1]);
  assert.ok(tookMs >= 3_000 && tookMs < 4_200, `${tookMs} ms`);
  await w.settle(producer.shutdown());
});

test("a send whose time is up while the connection is being made did not leave", async () => {
  const { w, producer, brokers } = await stage(1);
  w.world.crash(w.world.machines.find(({ name }) => name === brokers[0]!.name)!);
  const error = (await w.failure(producer.send(message, { timeoutMs: 500 }))) as OrbitError;
  assert.deepEqual([error.code, error.outcome], ["TIMEOUT", "refused"]);
  await w.settle(producer.shutdown());
});

test("a dead broker's messages go to the other one", async () => {
  const { w, producer, brokers } = await stage(2);
  w.killBroker(brokers[0]!);
  for (let i = 0; i < 6; i++) {
    const result = await w.settle(producer.send(message));
    assert.equal(result.queue.brokerName, "broker-b");
  }
  await w.settle(producer.shutdown());
});

test("with every broker dead the error says so, and after a restart the same producer sends again", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  w.killBroker(brokers[0]!);
  const error = (await w.failure(producer.send(message))) as OrbitError;
  assert.equal(error.code, "CONNECT_FAILED");
  assert.equal(error.attempts, 3);
  const again = w.startBroker("broker-a");
  await w.run(100);
  await w.settle(producer.send(message));
  assert.equal(again.messages("orders").length, 1);
  await w.settle(producer.shutdown());
});

test("a broker that moved is found through a fresh route within one send", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  w.killBroker(brokers[0]!);
  const moved = w.addBroker("elsewhere");
  const route = w.nameServer.routes.get("orders")!;
  w.nameServer.routes.set("orders", {
    ...route,
    brokerDatas: [{ ...route.brokerDatas[0]!, brokerAddrs: new Map([[0, moved.address]]) }],
  });
  const result = await w.settle(producer.send(message));
  assert.equal(result.queue.brokerName, "broker-a");
  assert.equal(moved.messages("orders").length, 1);
  await w.settle(producer.shutdown());
});

test("a wait for a route that led to another wait does not end a later send", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  const route = w.nameServer.routes.get("orders")!;
  w.killBroker(brokers[0]!);
  w.nameServer.routes.set("orders", { ...route, queueDatas: [] });
  const none = (await w.failure(producer.send(message))) as OrbitError;
  assert.equal(none.code, "NO_QUEUE_AVAILABLE");
  const again = w.startBroker("broker-a");
  w.nameServer.routes.set("orders", route);
  again.script = (request, exchange) => {
    if (request.code !== RequestCode.SEND_MESSAGE_V2) return false;
    again.host.timers.after(10_000, () => exchange.reply({ code: 13, remark: "answered late" }));
    return true;
  };
  const error = (await w.failure(producer.send(message, { timeoutMs: 30_000 }))) as OrbitError;
  assert.match(error.message, /answered late/);
  await w.settle(producer.shutdown());
});

test("a failure to reach a broker makes the route be asked for at once, though another broker took the message", async () => {
  const { w, producer, brokers } = await stage(2);
  await w.settle(producer.send(message));
  w.killBroker(brokers[0]!);
  await w.run(10);
  const asked = w.nameServer.asked.length;
  for (let i = 0; i < 8; i++) await w.settle(producer.send(message));
  await w.run(50);
  assert.ok(w.nameServer.asked.slice(asked).includes("orders"));
  await w.settle(producer.shutdown());
});

test("a route is kept when the NameServers forget it, as after their restart", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  w.nameServer.routes.clear();
  await w.run(95_000);
  await w.settle(producer.send(message));
  assert.equal(brokers[0]!.messages("orders").length, 2);
  await w.settle(producer.shutdown());
});

test("a broker that joins the cluster gets its share of topics yet to be created", async () => {
  const { w, producer, brokers } = await stage(1);
  w.nameServer.setRoute("TBW102", brokers, 8, 7);
  await w.settle(producer.send({ topic: "fresh", body: "x" }));
  const joined = w.addBroker("broker-z");
  w.nameServer.setRoute("TBW102", [...brokers, joined], 8, 7);
  await w.run(31_000);
  for (let i = 0; i < 8; i++) await w.settle(producer.send({ topic: "fresh", body: "x" }));
  assert.equal(joined.messages("fresh").length, 4);
  await w.settle(producer.shutdown());
});

test("a topic nobody knows borrows the default topic's route with at most four queues a broker", async () => {
  const { w, producer, brokers } = await stage(1);
  w.nameServer.setRoute("TBW102", brokers, 8, 7);
  for (let i = 0; i < 8; i++) await w.settle(producer.send({ topic: "fresh", body: "x" }));
  for (let queueId = 0; queueId < 4; queueId++) assert.equal(brokers[0]!.queue("fresh", queueId).length, 2);
  assert.equal(w.nameServer.asked.filter((topic) => topic === "fresh").length, 1);
  w.nameServer.setRoute("fresh", brokers, 2);
  await w.run(31_000);
  assert.equal((await w.settle(producer.publishQueues("fresh"))).length, 2);
  await w.settle(producer.shutdown());
});

test("without a route and a default topic a send is refused", async () => {
  const { w, producer } = await stage(1);
  const error = (await w.failure(producer.send({ topic: "nowhere", body: "x" }))) as OrbitError;
  assert.deepEqual(
    [error.code, error.outcome, error.attempts, error.retriable],
    ["TOPIC_ROUTE_NOT_FOUND", "refused", 0, true],
  );
  await w.settle(producer.shutdown());
});

test("a topic without a writable queue refuses the send", async () => {
  const { w, producer, brokers } = await stage(1);
  w.nameServer.setRoute("readonly", brokers, 4, 4);
  const error = (await w.failure(producer.send({ topic: "readonly", body: "x" }))) as OrbitError;
  assert.deepEqual([error.code, error.outcome], ["NO_QUEUE_AVAILABLE", "refused"]);
  await w.settle(producer.shutdown());
});

test("an unknown topic's send ends in time though no NameServer answers", async () => {
  const { w, producer } = await stage(1);
  w.nameServer.script = () => true;
  const startedMs = w.world.nowMs;
  const error = (await w.failure(
    producer.send({ topic: "nowhere", body: "x" }, { timeoutMs: 700 }),
  )) as OrbitError;
  assert.deepEqual([error.code, error.outcome], ["TIMEOUT", "refused"]);
  assert.ok(w.world.nowMs - startedMs < 1_000);
  await w.settle(producer.shutdown());
});

test("known topics are sent to while every NameServer is gone", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  w.world.kill(w.nameServerHost);
  await w.run(65_000);
  await w.settle(producer.send(message));
  assert.equal(brokers[0]!.messages("orders").length, 2);
  assert.equal(producer.status().ready, false);
  await w.settle(producer.shutdown());
});

test("a message goes to the queue that is given, and only there", async () => {
  const { w, producer, brokers } = await stage(2);
  const queues = await w.settle(producer.publishQueues("orders"));
  assert.equal(queues.length, 8);
  const queue = queues[6]!;
  assert.deepEqual((await w.settle(producer.send(message, { queue }))).queue, queue);
  brokers[1]!.script = sends({ code: 2 });
  const error = (await w.failure(producer.send(message, { queue }))) as OrbitError;
  assert.deepEqual([error.code, error.attempts, error.broker], ["SYSTEM_BUSY", 1, "broker-b"]);
  const other = { topic: "other", brokerName: "broker-a", queueId: 0 };
  const wrong = (await w.failure(producer.send(message, { queue: other }))) as OrbitError;
  assert.equal(wrong.code, "INVALID_ARGUMENT");
  const ghost = { topic: "orders", brokerName: "broker-x", queueId: 0 };
  const unknown = (await w.failure(producer.send(message, { queue: ghost }))) as OrbitError;
  assert.deepEqual([unknown.code, unknown.outcome, unknown.attempts], ["BROKER_UNKNOWN", "refused", 0]);
  await w.settle(producer.shutdown());
});

test("a selector's queue is used; one that throws or chooses nothing refuses the send", async () => {
  const { w, producer } = await stage(2);
  const first = await w.settle(producer.send(message, { selector: selectByHash("customer-7") }));
  const second = await w.settle(producer.send(message, { selector: selectByHash("customer-7") }));
  assert.deepEqual(first.queue, second.queue);
  const nothing = (await w.failure(producer.send(message, { selector: () => undefined }))) as OrbitError;
  assert.deepEqual([nothing.code, nothing.outcome], ["NO_QUEUE_AVAILABLE", "refused"]);
  const cause = new Error("selector broke");
  const broken = () => {
    throw cause;
  };
  const thrown = (await w.failure(producer.send(message, { selector: broken }))) as OrbitError;
  assert.deepEqual([thrown.code, thrown.cause], ["NO_QUEUE_AVAILABLE", cause]);
  await w.settle(producer.shutdown());
});

test("an aborted send ends at once: refused before it left, unknown after", async () => {
  const { w, producer, brokers } = await stage(1);
  const before = (await w.failure(
    producer.send(message, { signal: AbortSignal.abort("why") }),
  )) as OrbitError;
  assert.deepEqual([before.code, before.outcome, before.cause], ["ABORTED", "refused", "why"]);
  await w.settle(producer.send(message));
  brokers[0]!.script = (request) => request.code === RequestCode.SEND_MESSAGE_V2;
  const controller = new AbortController();
  const sending = producer.send(message, { signal: controller.signal });
  const failing = failureOf(sending);
  await w.until(() => brokers[0]!.count(RequestCode.SEND_MESSAGE_V2) === 2);
  controller.abort();
  const after = await w.settle(failing);
  assert.deepEqual([after.code, after.outcome, after.attempts], ["ABORTED", "unknown", 1]);
  assert.equal(producer.status().sendsInFlight, 0);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  brokers[0]!.script = undefined;
  const fine = new AbortController();
  await w.settle(producer.send(message, { signal: fine.signal }));
  assert.equal(getEventListeners(fine.signal, "abort").length, 0);
  await w.settle(producer.shutdown());
});

test("oneway messages arrive, and one that cannot leave is told", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.sendOneway(message));
  await w.until(() => brokers[0]!.messages("orders").length === 1);
  w.killBroker(brokers[0]!);
  await w.run(100);
  const error = (await w.failure(producer.sendOneway(message))) as OrbitError;
  assert.deepEqual([error.code, error.outcome], ["CONNECT_FAILED", "refused"]);
  await w.settle(producer.shutdown());
});

test("what is wrong with a message is told through the promise or callback, never thrown, never before the call returns", async () => {
  const { w, producer } = await stage(1);
  const bad = { topic: "no good!", body: "x" };
  assert.equal(((await w.failure(producer.send(bad))) as OrbitError).code, "INVALID_ARGUMENT");
  let told: OrbitError | undefined;
  producer.sendAsync(bad, { onSuccess: () => assert.fail(), onException: (error) => (told = error) });
  assert.equal(told, undefined);
  await w.until(() => told !== undefined);
  assert.equal(told!.code, "INVALID_ARGUMENT");
  told = undefined;
  await w.settle(producer.send(message));
  const onException = (error: OrbitError) => (told = error);
  producer.sendAsync(message, { onSuccess: () => assert.fail(), onException }, { selector: () => undefined });
  assert.equal(told, undefined);
  await w.until(() => told !== undefined);
  await w.settle(producer.shutdown());
});

test("a callback that throws harms nobody", async () => {
  const { w, producer } = await stage(1);
  let called = 0;
  const onSuccess = () => {
    called += 1;
    throw new Error("from a callback");
  };
  producer.sendAsync(message, { onSuccess, onException: () => assert.fail() });
  await w.until(() => called === 1);
  await w.settle(producer.send(message));
  assert.ok(w.log.some((line) => line.level === "error" && line.message.includes("from a callback")));
  await w.settle(producer.shutdown());
});

test("beyond the limit of sends in flight the next is refused", async () => {
  const { w, producer, brokers } = await stage(1, { sendsInFlightMax: 2 });
  await w.settle(producer.send(message));
  brokers[0]!.script = (request) => request.code === RequestCode.SEND_MESSAGE_V2;
  const waiting = [producer.send(message), producer.send(message)].map((send) => send.catch(() => {}));
  const error = (await w.failure(producer.send(message))) as OrbitError;
  assert.deepEqual([error.code, error.outcome, error.retriable], ["OVERLOADED", "refused", true]);
  await w.settle(Promise.all(waiting));
  await w.settle(producer.shutdown());
});

test("shutdown waits for sends in flight", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  const sends = Array.from({ length: 20 }, () => producer.send(message));
  const ending = producer.shutdown();
  assert.equal(producer.status().state, "stopping");
  assert.deepEqual(await w.settle(ending), { settled: 20, left: 0 });
  await w.settle(Promise.all(sends));
  assert.equal(brokers[0]!.messages("orders").length, 21);
  assert.equal(producer.status().state, "stopped");
});

test("at its deadline shutdown settles what is left as unknown; twice is once", async () => {
  const { w, producer, brokers } = await stage(1, { sendTimeoutMs: 60_000 });
  await w.settle(producer.send(message));
  brokers[0]!.script = (request) => request.code === RequestCode.SEND_MESSAGE_V2;
  const failing = failureOf(producer.send(message));
  await w.until(() => brokers[0]!.count(RequestCode.SEND_MESSAGE_V2) === 2);
  const startedMs = w.world.nowMs;
  const ending = producer.shutdown({ deadlineMs: 2_000 });
  assert.equal(producer.shutdown(), ending);
  const error = await w.settle(failing);
  assert.deepEqual([error.code, error.outcome], ["SHUT_DOWN", "unknown"]);
  assert.deepEqual(await w.settle(ending), { settled: 0, left: 1 });
  assert.ok(w.world.nowMs - startedMs <= 2_300);
});

test("sends before start and after shutdown are refused", async () => {
  const w = new TestWorld();
  w.nameServer.setRoute("orders", [w.addBroker("broker-a")]);
  const producer = new Producer(w.host, { namesrv: w.namesrv });
  assert.equal(((await w.failure(producer.send(message))) as OrbitError).code, "NOT_RUNNING");
  await w.settle(producer.start());
  await w.settle(producer[Symbol.asyncDispose]());
  const error = (await w.failure(producer.send(message))) as OrbitError;
  assert.deepEqual([error.code, error.outcome], ["SHUT_DOWN", "refused"]);
  assert.equal(((await w.failure(producer.publishQueues("orders"))) as OrbitError).code, "SHUT_DOWN");
});

test("a constructor refuses options out of range", () => {
  const w = new TestWorld();
  for (const options of [
    { namesrv: "" },
    { namesrv: "no-port" },
    { retryTimes: -1 },
    { sendTimeoutMs: 0 },
    { sendsInFlightMax: 0.5 },
    { group: "not allowed!" },
    { group: "DEFAULT_PRODUCER" },
    { compressLevel: 10 },
    { startTimeoutMs: Number.NaN },
  ] satisfies ProducerOptions[]) {
    assert.throws(
      () => new Producer(w.host, options),
      (error) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT",
      JSON.stringify(options),
    );
  }
});

function sends(answer: {
  code: number;
  remark?: string;
  header?: (sink: { put(n: string, v: string): void }) => void;
}) {
  return ({ code }: { code: number }) => (code === RequestCode.SEND_MESSAGE_V2 ? answer : false);
}

function failureOf(send: Promise<SendResult>): Promise<OrbitError> {
  return send.then(
    () => assert.fail("the send resolved"),
    (error: OrbitError) => error,
  );
}

function sendCount(brokers: readonly FakeBroker[]): number {
  return brokers.reduce((sum, broker) => sum + broker.count(RequestCode.SEND_MESSAGE_V2), 0);
}

function sendAsync(producer: Producer): Promise<SendResult> {
  return new Promise((onSuccess, onException) => producer.sendAsync(message, { onSuccess, onException }));
}

test("a link that died without a word is given up and the next send takes a new one", async () => {
  const { w, producer, brokers } = await stage(1);
  await w.settle(producer.send(message));
  let deaf = true;
  let peers = 0;
  brokers[0]!.server.onPeer((_peer, open) => {
    if (open) peers += 1;
  });
  brokers[0]!.script = () => deaf;
  await w.failure(producer.send(message));
  await w.run(7_000);
  deaf = false;
  await w.settle(producer.send(message));
  assert.equal(peers, 1);
  await w.settle(producer.shutdown());
});

test("a logger that throws breaks nothing", async () => {
  const broken = () => {
    throw new Error("no space left for logs");
  };
  const logger = { trace: broken, debug: broken, info: broken, warn: broken, error: broken, fatal: broken };
  const { w, producer, brokers } = await stage(2, { logger });
  w.killBroker(brokers[0]!);
  for (let i = 0; i < 8; i++) await w.settle(producer.send(message));
  await w.settle(producer.shutdown());
});
