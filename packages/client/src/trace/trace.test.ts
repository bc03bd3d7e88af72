/** Traces of our clients through the real broker and store, and their limits at a scripted one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inflateSync } from "node:zlib";
import { type ExtSink, encodeRecallHandle, RequestCode } from "@orbitmq/wire";
import { Admin } from "../admin/admin.ts";
import { LitePullConsumer } from "../consumer/lite-pull-consumer.ts";
import { PushConsumer } from "../consumer/push-consumer.ts";
import { Producer } from "../producer/producer.ts";
import { TransactionProducer } from "../producer/transactions/transaction-producer.ts";
import { RealCluster } from "../testing/real-cluster.ts";
import { TestWorld } from "../testing/test-world.ts";
import { decodeTrace } from "./trace-codec.ts";

const TOPIC = "RMQ_SYS_TRACE_TOPIC";

async function cluster(options: Parameters<RealCluster["startBroker"]>[1] = {}) {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a", { traceTopicEnable: true, ...options });
  const admin = new Admin(c.host, { namesrv: c.namesrv });
  await c.settle(admin.start());
  return { c, admin, namesrv: c.namesrv };
}

describe("traces", () => {
  it("tell when a message was sent, refused by a listener and consumed, in order", async () => {
    const { c, admin, namesrv } = await cluster();
    const producer = new Producer(c.host, { namesrv, group: "senders", trace: true });
    await c.settle(producer.start());
    const { msgId, offsetMsgId } = await c.settle(
      producer.send({ topic: "orders", body: "hello", tag: "red", keys: ["k1", "k2"] }),
    );
    let calls = 0;
    const consumer = new PushConsumer(c.host, { namesrv, group: "readers", from: "first", trace: true });
    consumer.listen("orders", (_, context) => {
      context.delayLevel = 1;
      if (++calls === 1) throw new Error("not yet");
    });
    await c.settle(consumer.start());
    await c.until(() => calls === 2);
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
    assert.equal((await c.settle(admin.topicRoute(TOPIC))).queues[0]?.writeQueueNums, 1);

    const events = await c.settle(admin.messageTrace(msgId));
    const told = events.map((event) => [
      event.type,
      event.group,
      "success" in event ? event.success : undefined,
      "retryTimes" in event ? event.retryTimes : undefined,
      "outcome" in event ? event.outcome : undefined,
    ]);
    assert.deepEqual(told, [
      ["Pub", "senders", true, undefined, undefined],
      ["SubBefore", "readers", undefined, 0, undefined],
      ["SubAfter", "readers", false, undefined, "EXCEPTION"],
      ["SubBefore", "readers", undefined, 1, undefined],
      ["SubAfter", "readers", true, undefined, "SUCCESS"],
    ]);
    const [pub, before, after] = events;
    assert.ok(pub?.type === "Pub" && before?.type === "SubBefore" && after?.type === "SubAfter");
    assert.deepEqual(
      [pub.offsetMsgId, pub.tag, pub.keys, pub.bodyLength, pub.regionId, pub.storeHost, pub.messageType],
      [offsetMsgId, "red", "k1 k2", 5, "DefaultRegion", "broker-a:10911", "Normal_Msg"],
    );
    assert.equal(before.requestId, after.requestId);
    assert.deepEqual(await c.settle(admin.messageTrace("k2")), events);
    assert.deepEqual(await c.settle(admin.messageTrace("another")), []);
  });

  it("of a batch are those of its messages, each to be found by its own id and key", async () => {
    const { c, admin, namesrv } = await cluster();
    const producer = new Producer(c.host, { namesrv, trace: true });
    await c.settle(producer.start());
    const messages = ["a", "b", "c"].map((keys) => ({ topic: "orders", body: keys, keys }));
    const { msgId, offsetMsgId } = await c.settle(producer.send(messages));
    await c.settle(producer.shutdown());
    const [event, ...more] = await c.settle(admin.messageTrace("b"));
    assert.equal(more.length, 0);
    assert.ok(event?.type === "Pub");
    assert.deepEqual([event.msgId, event.offsetMsgId], [msgId.split(",")[1], offsetMsgId.split(",")[1]]);
  });

  it("tell of halves, ends of transactions and delayed messages", async () => {
    const { c, admin, namesrv } = await cluster();
    const producer = new TransactionProducer(c.host, {
      namesrv,
      group: "tellers",
      trace: true,
      executeLocalTransaction: () => "COMMIT_MESSAGE",
      checkLocalTransaction: () => "COMMIT_MESSAGE",
    });
    await c.settle(producer.start());
    const half = await c.settle(producer.sendInTransaction({ topic: "orders", body: "x", keys: "k" }));
    const later = await c.settle(producer.send({ topic: "orders", body: "later", delayLevel: 3 }));
    await c.settle(producer.shutdown());
    const [sent, ended] = await c.settle(admin.messageTrace(half.msgId));
    assert.ok(sent?.type === "Pub" && ended?.type === "EndTransaction");
    assert.equal(sent.messageType, "Trans_Msg_Half");
    assert.deepEqual(
      [ended.state, ended.fromTransactionCheck, ended.transactionId, ended.keys, ended.messageType],
      ["COMMIT_MESSAGE", false, half.transactionId, "k", "Trans_msg_Commit"],
    );
    const [delayed] = await c.settle(admin.messageTrace(later.msgId));
    assert.ok(delayed?.type === "Pub");
    assert.equal(delayed.messageType, "Delay_Msg");
  });

  it("tell of listeners in order and of popped messages as well", async () => {
    const { c, admin, namesrv } = await cluster({ defaultMessageRequestMode: "POP" });
    const producer = new Producer(c.host, { namesrv });
    await c.settle(producer.start());
    const { msgId } = await c.settle(producer.send({ topic: "orders", body: "hello" }));
    const options = { namesrv, from: "first", trace: true } as const;
    const inOrder = new PushConsumer(c.host, { ...options, group: "in-order" });
    const popping = new PushConsumer(c.host, { ...options, group: "popping", clientRebalance: false });
    const heard: string[] = [];
    inOrder.listenOrderly("orders", () => void heard.push("in order"));
    popping.listen("orders", (message) => {
      assert.ok(message.properties["POP_CK"] !== undefined);
      heard.push("popped");
    });
    await c.settle(Promise.all([inOrder.start(), popping.start()]));
    await c.until(() => heard.length === 2);
    await c.settle(Promise.all([producer.shutdown(), inOrder.shutdown(), popping.shutdown()]));
    const events = await c.settle(admin.messageTrace(msgId));
    assert.deepEqual(events.map(({ type, group }) => `${type} ${group}`).sort(), [
      "SubAfter in-order",
      "SubAfter popping",
      "SubBefore in-order",
      "SubBefore popping",
    ]);
  });

  it("of a lite pull consumer tell what was handed out", async () => {
    const { c, admin, namesrv } = await cluster();
    const producer = new Producer(c.host, { namesrv });
    await c.settle(producer.start());
    const { msgId } = await c.settle(producer.send({ topic: "orders", body: "hello" }));
    const consumer = new LitePullConsumer(c.host, { namesrv, group: "lite", from: "first", trace: true });
    await c.settle(consumer.subscribe("orders") ?? Promise.resolve());
    await c.settle(consumer.start());
    let count = 0;
    while (count === 0) count = (await c.settle(consumer.poll())).length;
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
    const events = await c.settle(admin.messageTrace(msgId));
    assert.deepEqual(
      events.map(({ type, group }) => [type, group]),
      [
        ["SubBefore", "lite"],
        ["SubAfter", "lite"],
      ],
    );
  });

  it("are not made where the broker wants none", async () => {
    const { c, admin, namesrv } = await cluster({ traceOn: false, traceTopicEnable: false });
    const producer = new Producer(c.host, { namesrv, trace: { topic: "traces" } });
    await c.settle(producer.start());
    const { msgId, traceOn } = await c.settle(producer.send({ topic: "orders", body: "hello", keys: "k" }));
    assert.equal(traceOn, false);
    const got: string[] = [];
    const consumer = new PushConsumer(c.host, {
      namesrv,
      group: "g",
      from: "first",
      trace: { topic: "traces" },
    });
    consumer.listen("orders", (message) => void got.push(message.msgId));
    await c.settle(consumer.start());
    await c.until(() => got.length === 1);
    await c.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
    assert.deepEqual(await c.settle(admin.messageTrace(msgId, { topic: "traces" })), []);
    assert.equal((await c.settle(admin.topicList())).includes("traces"), false);
  });

  it("do not tell of themselves: a traced consumer of the trace topic, a traced producer to it", async () => {
    const { c, namesrv } = await cluster();
    const producer = new Producer(c.host, { namesrv, trace: true });
    await c.settle(producer.start());
    const { msgId } = await c.settle(producer.send({ topic: TOPIC, body: "by hand" }));
    await c.settle(producer.send({ topic: "orders", body: "hello" }));
    await c.settle(producer.shutdown());
    const got: string[] = [];
    const consumer = new PushConsumer(c.host, { namesrv, group: "g", from: "first", trace: true });
    consumer.listen(TOPIC, (message) => void got.push(message.text()));
    await c.settle(consumer.start());
    await c.until(() => got.length === 2);
    await c.world.run(20_000);
    await c.settle(consumer.shutdown());
    assert.equal(got.length, 2);
    assert.equal(
      got.some((text) => text.includes(msgId)),
      false,
    );
  });
});

/** A producer with traces, at a broker whose trace topic is scripted. */
async function stage() {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("orders", [broker], 1);
  w.nameServer.setRoute("others", [broker], 1);
  w.nameServer.setRoute(TOPIC, [broker], 1);
  const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger, group: "p", trace: true });
  await w.settle(producer.start());
  const send = (topic = "orders") => w.settle(producer.send({ topic, body: "x" }));
  const traces = () =>
    broker
      .messages(TOPIC)
      .map(({ body, sysFlag }) => (sysFlag === 0 ? Buffer.from(body) : inflateSync(body)))
      .map((body) => decodeTrace(body.toString()));
  return { w, broker, producer, send, traces };
}

/** Sends to the trace topic are never answered. */
function silent(broker: Awaited<ReturnType<typeof stage>>["broker"]): { count: number } {
  const seen = { count: 0 };
  broker.script = (request) => {
    if (request.code !== RequestCode.SEND_MESSAGE_V2 || request.ext.get("b") !== TOPIC) return false;
    seen.count++;
    return true;
  };
  return seen;
}

describe("trace messages", () => {
  it("tell of a recall how the broker answered, and nothing when it did not", async () => {
    const { w, broker, producer, traces } = await stage();
    const handle = encodeRecallHandle({
      topic: "orders",
      brokerName: "broker-a",
      timestampMs: 1_700_000_000_000,
      uniqKey: "ID",
    });
    const recall = () => w.settle(producer.recall("orders", handle, { timeoutMs: 1_000 }));
    let code = 0;
    broker.server.handle(RequestCode.RECALL_MESSAGE, (_request, exchange) => {
      const header = (sink: ExtSink) => {
        sink.put("msgId", "ID");
        sink.put("MSG_REGION", "eu");
      };
      if (code >= 0) exchange.reply({ code, header });
    });
    assert.equal(await recall(), "ID");
    code = 604;
    await assert.rejects(recall());
    code = -1;
    await assert.rejects(recall());
    await w.settle(producer.shutdown());
    const told = traces().flatMap(({ contexts }) => contexts);
    assert.deepEqual(
      told.map((context) => context.type === "Recall" && [context.msgId, context.success, context.group]),
      [
        ["ID", true, "p"],
        ["ID", false, "p"],
      ],
    );
  });

  it("leave when there are ten contexts, or after five seconds, one for each topic", async () => {
    const { w, producer, send, traces } = await stage();
    for (let i = 0; i < 9; i++) await send();
    await w.run(1_000);
    assert.equal(traces().length, 0);
    await send("others");
    await w.run(100);
    assert.deepEqual(
      traces()
        .map(({ contexts }) => contexts.length)
        .sort(),
      [1, 9],
    );
    await send();
    await w.run(4_800);
    assert.equal(traces().length, 2);
    await w.run(400);
    assert.equal(traces().length, 3);
    await w.settle(producer.shutdown());
  });

  it("do not tell of a message that says so, and of one that was sent oneway", async () => {
    const { w, producer, traces } = await stage();
    const properties = { TRACE_ON: "false" };
    await w.settle(producer.send({ topic: "orders", body: "x", properties }));
    await w.settle(producer.sendOneway({ topic: "orders", body: "x" }));
    const { msgId } = await w.settle(
      producer.send([
        { topic: "orders", body: "x", properties },
        { topic: "orders", body: "y" },
      ]),
    );
    await w.settle(producer.shutdown());
    assert.deepEqual(
      traces().flatMap(({ contexts }) => contexts.map((context) => context.msgId)),
      [msgId.split(",")[1]],
    );
  });

  it("are of an inner producer group, and carry ids and keys", async () => {
    const { w, broker, producer } = await stage();
    const groups: string[] = [];
    broker.script = (request) => {
      if (request.ext.get("b") === TOPIC) groups.push(request.ext.get("a") ?? "");
      return false;
    };
    const { msgId } = await w.settle(producer.send({ topic: "orders", body: "x", keys: ["k1", "k2"] }));
    await w.settle(producer.shutdown());
    assert.deepEqual(groups, ["_INNER_TRACE_PRODUCER-p-PRODUCE-1"]);
    const [message] = broker.messages(TOPIC);
    assert.match(message?.properties ?? "", new RegExp(`KEYS\u0001${msgId} k1 k2\u0002`));
  });

  it("wait when the trace topic is slow; beyond 2048 they are dropped and counted; sends go on", async () => {
    const { w, broker, producer, traces } = await stage();
    const seen = silent(broker);
    const sends = Array.from({ length: 3_000 }, () => producer.send({ topic: "orders", body: "x" }));
    await w.settle(Promise.all(sends));
    await w.run(10);
    assert.equal(seen.count, 64);
    const { tracesDropped } = producer.status();
    assert.equal(tracesDropped, 3_000 - 640 - 2_048);
    broker.script = undefined;
    await w.run(30_000);
    const told = traces().reduce((sum, { contexts }) => sum + contexts.length, 0);
    assert.equal(told + producer.status().tracesDropped, 3_000);
    await w.settle(producer.shutdown());
  });

  it("of a shutdown are waited for until the deadline, and no longer", async () => {
    const { w, broker, producer, send } = await stage();
    await send();
    silent(broker);
    const before = w.world.nowMs;
    await w.settle(producer.shutdown({ deadlineMs: 3_000 }));
    const tookMs = w.world.nowMs - before;
    assert.ok(tookMs <= 3_100, `${tookMs} virtual ms`);
    assert.equal(producer.status().tracesDropped, 1);
  });

  it("are at most 128,000 bytes; a context that is longer is dropped", async () => {
    const { w, broker, producer, traces } = await stage();
    const long = (n: number) => ({ topic: "orders", body: "x", keys: `${n}`.padEnd(9_000, "k") });
    for (let i = 0; i < 10; i++) await w.settle(producer.send(long(i)));
    await w.settle(producer.shutdown());
    const lengths = broker.messages(TOPIC).map(({ body }) => body.length);
    assert.ok(lengths.every((length) => length <= 128_000));
    assert.equal(
      traces().reduce((sum, { contexts }) => sum + contexts.length, 0),
      10,
    );
    assert.equal(lengths.length, 10, "the keys of two do not fit in the properties of one");
  });

  it("that cannot be sent are told of in the log once", async () => {
    const { w, broker, producer, send } = await stage();
    broker.script = (request) => request.ext.get("b") === TOPIC && { code: 16, remark: "no" };
    for (let i = 0; i < 30; i++) await send();
    await w.run(10_000);
    assert.equal(w.log.filter(({ message }) => message.startsWith("traces cannot be sent")).length, 1);
    assert.equal(producer.status().tracesDropped, 30);
    await w.settle(producer.shutdown());
  });
});
