import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSendMessageRequestHeader, parseProperties, RequestCode } from "@orbitmq/wire";
import { consumerOf, consuming, stage } from "../../testing/consumer-stage.ts";
import type { ListenerContext } from "../listener.ts";

const MINUTE = 60_000;

test("a message that fails goes back to its broker with the listener's level, and the offset goes on", async () => {
  const { w, broker } = stage();
  for (const body of ["0", "3", "-1", "ok"]) broker.store("orders", 0, body, "UNIQ_KEY\u0001id\u0002");
  const told: string[] = [];
  const consumer = await consuming(
    w,
    (message, context) => {
      if (message.text() === "ok") return undefined;
      context.delayLevel = Number(message.text());
      return "RECONSUME_LATER";
    },
    { maxReconsumeTimes: 7, onSentBack: (message) => told.push(message.text()) },
  );
  await w.until(() => broker.offsets.get("g@orders@0") === 4);
  const { atMs, ...first } = broker.sentBack[0]!;
  assert.ok(atMs > 0);
  assert.deepEqual(first, {
    offset: 0,
    group: "g",
    delayLevel: 0,
    originMsgId: "id",
    originTopic: "orders",
    unitMode: undefined,
    maxReconsumeTimes: 7,
    failure: "the listener returned RECONSUME_LATER",
  });
  assert.deepEqual(
    broker.sentBack.map(({ delayLevel, offset }) => [delayLevel, offset]),
    [
      [0, 0],
      [3, 1000],
      [-1, 2000],
    ],
  );
  assert.deepEqual(told, ["0", "3", "-1"]);
  const { consumed, failed, sentBack } = consumer.status();
  assert.deepEqual([consumed, failed, sentBack], [1, 3, 3]);
  await w.settle(consumer.shutdown());
});

test("until the broker has answered, the offset does not pass a message that is on its way back", async () => {
  const { w, broker } = stage();
  for (const body of ["bad", "good"]) broker.store("orders", 0, body);
  let answer = () => {};
  broker.script = (request, exchange) => {
    if (request.code !== RequestCode.CONSUMER_SEND_MSG_BACK) return false;
    answer = () => exchange.reply({ code: 0 });
    return true;
  };
  const consumer = await consuming(w, (message) =>
    message.text() === "bad" ? "RECONSUME_LATER" : undefined,
  );
  await w.run(3_000);
  assert.equal(consumer.status().queues[0]!.committableOffset, 0);
  answer();
  await w.until(() => broker.offsets.get("g@orders@0") === 2);
  await w.settle(consumer.shutdown());
});

test("a message the broker does not take back is sent to the retry topic as it was, with its count", async () => {
  const { w, broker } = stage();
  broker.takesBack = false;
  w.nameServer.setRoute("%RETRY%g", [broker], 1);
  broker.store("orders", 0, "x", "UNIQ_KEY\u0001id\u0002TAGS\u0001t\u0002__CRC32#\u00011\u0002");
  const sends: ReturnType<typeof decodeSendMessageRequestHeader>[] = [];
  broker.script = (request) => {
    if (request.code === RequestCode.SEND_MESSAGE_V2) {
      sends.push(decodeSendMessageRequestHeader(request.code, request.ext));
    }
    return false;
  };
  const heard: [string, string][] = [];
  const consumer = await consuming(w, (message) => {
    heard.push([message.topic, message.queue.topic]);
    return heard.length === 1 ? "RECONSUME_LATER" : undefined;
  });
  await w.until(() => heard.length === 2);
  assert.deepEqual(heard, [
    ["orders", "orders"],
    ["orders", "%RETRY%g"],
  ]);
  const [send] = sends;
  assert.deepEqual([send?.topic, send?.reconsumeTimes, send?.maxReconsumeTimes], ["%RETRY%g", 1, 16]);
  assert.deepEqual(Object.fromEntries(parseProperties(send?.properties ?? "")), {
    UNIQ_KEY: "id",
    TAGS: "t",
    RETRY_TOPIC: "orders",
    ORIGIN_MESSAGE_ID: "id",
    DELAY: "3",
    ORBITMQ_FAILURE: "the listener returned RECONSUME_LATER",
  });
  await w.until(() => broker.offsets.get("g@orders@0") === 1);
  await w.settle(consumer.shutdown());
});

test("a listener that runs too long loses its message to the broker, and what it says later does not count", async () => {
  const { w, broker } = stage();
  for (const body of ["slow", "quick"]) broker.store("orders", 0, body);
  let end = (_: "RECONSUME_LATER") => {};
  let context: ListenerContext | undefined;
  const consumer = await consuming(w, (message, given) => {
    if (message.text() === "quick") return undefined;
    context = given;
    return new Promise<"RECONSUME_LATER">((resolve) => {
      end = resolve;
    });
  });
  await w.run(14 * MINUTE);
  assert.deepEqual(broker.sentBack, []);
  assert.equal(consumer.status().queues[0]!.committableOffset, 0);
  await w.run(1.5 * MINUTE);
  assert.deepEqual(
    broker.sentBack.map(({ delayLevel }) => delayLevel),
    [3],
  );
  assert.equal(context?.signal.aborted, true);
  assert.equal(consumer.status().queues[0]!.committableOffset, 2);
  end("RECONSUME_LATER");
  await w.run(MINUTE);
  assert.equal(broker.sentBack.length, 1);
  assert.equal(consumer.status().listenersRunning, 0);
  await w.settle(consumer.shutdown());
});

test("a listener that ran too long and was not taken back decides after all", async () => {
  const { w, broker } = stage();
  broker.takesBack = false;
  broker.store("orders", 0, "slow");
  let end = () => {};
  const consumer = await consuming(w, () => new Promise<void>((resolve) => (end = resolve)), {
    consumeTimeoutMs: 1_000,
  });
  await w.run(3_000);
  assert.equal(broker.sentBack.length, 1);
  assert.equal(consumer.status().queues[0]!.committableOffset, 0);
  end();
  await w.until(() => consumer.status().queues[0]!.committableOffset === 1);
  await w.settle(consumer.shutdown());
});

test("a shutdown waits for what is on its way back, and commits past it", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  broker.script = (request, exchange) => {
    if (request.code !== RequestCode.CONSUMER_SEND_MSG_BACK) return false;
    w.host.timers.after(1_000, () => exchange.reply({ code: 0 }));
    return true;
  };
  const consumer = await consuming(w, () => "RECONSUME_LATER");
  await w.until(() => broker.count(RequestCode.CONSUMER_SEND_MSG_BACK) === 1);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 1);
});

test("what fails while the consumer shuts down is sent back, too", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  let end = () => {};
  const consumer = await consuming(
    w,
    () => new Promise<"RECONSUME_LATER">((resolve) => (end = () => resolve("RECONSUME_LATER"))),
  );
  await w.until(() => consumer.status().listenersRunning === 1);
  const over = consumer.shutdown();
  await w.run(100);
  end();
  await w.settle(over);
  assert.deepEqual([broker.sentBack.length, broker.offsets.get("g@orders@0")], [1, 1]);
});

test("what fails because the shutdown told it to stop is left to the group and not counted as a failed attempt", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  const consumer = await consuming(
    w,
    (_, { signal }) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  await w.until(() => consumer.status().listenersRunning === 1);
  await w.settle(consumer.shutdown());
  assert.deepEqual([broker.sentBack.length, broker.offsets.get("g@orders@0")], [0, 0]);
});

test("broadcasting, each consumer gets every message, fails without a retry, and finds its own offsets again", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 6; i++) broker.store("orders", i % 2, String(i));
  const broadcasting = { messageModel: "BROADCASTING" } as const;
  const got: [string[], string[]] = [[], []];
  const consumers = got.map((list, i) => {
    const consumer = consumerOf(w, { ...broadcasting, clientId: `c${i}` });
    consumer.listen("orders", (message) => {
      list.push(message.text());
      return message.text() === "3" ? "RECONSUME_LATER" : undefined;
    });
    return consumer;
  });
  await w.settle(Promise.all(consumers.map((consumer) => consumer.start())));
  await w.until(() => got.every((list) => list.length === 6));
  await w.run(10_000);
  for (const list of got) assert.deepEqual(list.sort(), [..."012345"]);
  assert.deepEqual([broker.sentBack, broker.offsets.size], [[], 0]);
  const { consumerDataSet } = broker.heartbeats[0]!;
  assert.equal(consumerDataSet[0]!.messageModel, "BROADCASTING");
  assert.equal(consumerDataSet[0]!.subscriptionDataSet.length, 1);
  await w.settle(Promise.all(consumers.map((consumer) => consumer.shutdown())));
  broker.store("orders", 0, "new");
  const again = consumerOf(w, { ...broadcasting, clientId: "c0" });
  const later: string[] = [];
  again.listen("orders", (message) => void later.push(message.text()));
  await w.settle(again.start());
  await w.run(1_000);
  assert.deepEqual(later, ["new"]);
  await w.settle(again.shutdown());
  const path = `${w.host.process.homeFolder}/.rocketmq_offsets/c0/g/offsets.json`;
  const text = Buffer.from(w.host.files.readWholeSync(path)!).toString();
  assert.equal(
    text,
    '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"orders"}:4,{"brokerName":"broker-a","queueId":1,"topic":"orders"}:3}}',
  );
});
