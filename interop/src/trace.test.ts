/** Message traces between the original's clients and ours, on one OrbitMQ broker. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Admin, type MessageTraceEvent, PushConsumer, TransactionProducer } from "@orbitmq/client";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { Workshop } from "./workshop.ts";

const timeout = 120_000;
const workshop = new Workshop("trace");
const TRACE_TOPIC = "RMQ_SYS_TRACE_TOPIC";

describe("message traces", () => {
  let server: ServerProcess;
  let clients: JavaClients;
  let admin: Admin;
  let namesrv: string;
  before(async () => {
    const options = ["traceTopicEnable=true", "recallMessageEnable=true"].flatMap((option) => ["-o", option]);
    const home = workshop.place("data");
    server = workshop.ends(await startServerProcess({ home, options }), (it) => it.stop());
    namesrv = server.namesrvAddr;
    clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
    admin = workshop.ends(new Admin({ namesrv }), (it) => it.shutdown());
    await admin.start();
  });

  test("of a Java producer, a Java consumer and a Java transaction producer are read by ours", {
    timeout,
  }, async () => {
    const trace = "on";
    const topic = "java";
    const [ready, sent] = await clients.run("produce", {
      namesrv,
      topic,
      group: "p",
      keys: "k-",
      tag: "t",
      trace,
    });
    assert.equal(ready?.["ready"], true);
    const args = { namesrv, topic, group: "c", count: 1, refuse: 1, "refuse-delay-level": 1, trace };
    await clients.run("consume", args);
    const lines = await clients.run("transact", { namesrv, topic, group: "x", keys: "tx-", trace });
    const half = lines.find(({ msgId }) => msgId !== undefined);

    const events = await admin.messageTrace(String(sent?.["msgId"]));
    assert.deepEqual(events.map(shortly), [
      "Pub p k-0 t true",
      "SubBefore c k-0 0",
      "SubAfter c k-0 false FAILED",
      "SubBefore c k-0 1",
      "SubAfter c k-0 true SUCCESS",
    ]);
    assert.deepEqual(await admin.messageTrace("k-0"), events);
    const [pub] = events;
    assert.ok(pub?.type === "Pub");
    assert.deepEqual(
      [pub.topic, pub.offsetMsgId, pub.regionId, pub.storeHost],
      [topic, sent?.["offsetMsgId"], "DefaultRegion", server.brokerAddr],
    );
    const transaction = await admin.messageTrace(String(half?.["msgId"]));
    assert.deepEqual(transaction.map(shortly), [
      "Pub x tx-0 - true",
      "EndTransaction x tx-0 COMMIT_MESSAGE false",
    ]);
  });

  test("of ours are read by a Java trace consumer and by mqadmin", { timeout }, async () => {
    const topic = "ours";
    const producer = new TransactionProducer({
      namesrv,
      group: "our-producer",
      trace: true,
      executeLocalTransaction: () => "ROLLBACK_MESSAGE",
      checkLocalTransaction: () => "ROLLBACK_MESSAGE",
    });
    await producer.start();
    const { msgId } = await producer.send({ topic, body: "hello", tag: "t", keys: ["a", "b"] });
    const batch = await producer.send([1, 2].map((n) => ({ topic, body: `${n}`, keys: `batch-${n}` })));
    const half = await producer.sendInTransaction({ topic, body: "half" });
    const later = await producer.send({ topic, body: "later", delayMs: 600_000 });
    await producer.recall(topic, later.recallHandle ?? "");
    let calls = 0;
    const consumer = new PushConsumer({ namesrv, group: "our-consumer", from: "first", trace: true });
    const consumed = new Promise<void>((resolve) => {
      consumer.listen(topic, (message, context) => {
        context.delayLevel = 1;
        calls++;
        if (message.msgId === msgId && message.reconsumeTimes === 0) throw new Error("not yet");
        if (calls === 4) resolve();
      });
    });
    await consumer.start();
    await consumed;
    await Promise.all([producer.shutdown(), consumer.shutdown()]);

    const traces = clients.start("traces", { namesrv });
    const of = (id: string) => traces.lines.filter(({ msgId: told }) => told === id);
    const told = (id: string, names: readonly string[]) =>
      of(id).map((line) => names.map((name) => line[name]).join(" "));
    await traces.until(() => (of(msgId).length === 5 && of(later.msgId).length === 2 ? true : undefined));
    await traces.stop();
    assert.deepEqual(
      traces.lines.filter(({ unreadable }) => unreadable !== undefined),
      [],
    );
    assert.deepEqual(told(msgId, ["type", "group", "success", "contextCode", "retryTimes"]).sort(), [
      "Pub our-producer true 0 0",
      "SubAfter our-consumer false 2 0",
      "SubAfter our-consumer true 0 0",
      "SubBefore our-consumer true 0 0",
      "SubBefore our-consumer true 0 1",
    ]);
    const sent = of(msgId).find(({ type }) => type === "Pub");
    assert.deepEqual([sent?.["tags"], sent?.["keys"], sent?.["topic"]], ["t", "a b", topic]);
    for (const id of [msgId, "a", "b"]) assert.ok(String(sent?.["traceKeys"]).split(" ").includes(id));
    for (const id of batch.msgId.split(",")) assert.equal(told(id, ["type"]).sort()[0], "Pub");
    assert.deepEqual(told(half.msgId, ["type", "messageType", "state"]), [
      "Pub Trans_Msg_Half ",
      "EndTransaction Trans_msg_Commit ROLLBACK_MESSAGE",
    ]);
    assert.deepEqual(told(later.msgId, ["type", "success"]), ["Pub true", "Recall true"]);

    const [answer] = await clients.run("admin", { line: `queryMsgTraceById -n ${namesrv} -i ${msgId}` });
    const printed = String(answer?.["stdout"]);
    assert.match(printed, /^Pub +our-producer +127\.0\.0\.1 .* success *$/m, printed + answer?.["stderr"]);
    assert.match(printed, /^Sub +our-consumer +127\.0\.0\.1 .* failed *$/m);
    assert.match(printed, /^Sub +our-consumer +127\.0\.0\.1 .* success *$/m);
  });

  test("are in the topic of one queue that the broker made", async () => {
    const { queues } = await admin.topicRoute(TRACE_TOPIC);
    assert.deepEqual(
      queues.map(({ readQueueNums, writeQueueNums }) => [readQueueNums, writeQueueNums]),
      [[1, 1]],
    );
  });
});

function shortly(event: MessageTraceEvent): string {
  const { type, group } = event;
  const keys = "keys" in event ? event.keys : undefined;
  switch (type) {
    case "Pub":
      return `${type} ${group} ${keys} ${event.tag ?? "-"} ${event.success}`;
    case "SubBefore":
      return `${type} ${group} ${keys} ${event.retryTimes}`;
    case "SubAfter":
      return `${type} ${group} ${keys} ${event.success} ${event.outcome}`;
    case "EndTransaction":
      return `${type} ${group} ${keys} ${event.state} ${event.fromTransactionCheck}`;
    case "Recall":
      return `${type} ${group} ${event.success}`;
  }
}
