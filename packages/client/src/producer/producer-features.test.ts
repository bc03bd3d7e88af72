import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSendMessageRequestHeader, getProperty, MessageSysFlag, RequestCode } from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { FakeBroker as Broker } from "../testing/fake-broker.ts";
import { TestWorld } from "../testing/test-world.ts";
import { Producer } from "./producer.ts";
import type { ProducerOptions } from "./producer-options.ts";
import type { SendHook } from "./send-hooks.ts";
import type { SendCallback } from "./send-result.ts";

interface Stage {
  readonly w: TestWorld;
  readonly producer: Producer;
  readonly brokers: readonly FakeBroker[];
}

/** A started producer and brokers with four queues each of the topic `orders`. */
async function stage(brokerCount = 1, options: ProducerOptions = {}): Promise<Stage> {
  const w = new TestWorld();
  const brokers = ["broker-a", "broker-b", "broker-c"].slice(0, brokerCount).map((name) => w.addBroker(name));
  w.nameServer.setRoute("orders", brokers);
  const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger, ...options });
  await w.settle(producer.start());
  return { w, producer, brokers };
}

const message = { topic: "orders", body: "hello" };
const SENDS = [RequestCode.SEND_MESSAGE_V2, RequestCode.SEND_BATCH_MESSAGE];
const isSend = (code: number) => SENDS.includes(code as never);
const sends = ({ codes }: FakeBroker) => codes.filter(isSend).length;
const bodies = (broker: FakeBroker) =>
  broker.messages("orders").map(({ body }) => Buffer.from(body).toString());

/** Sends are answered so. */
function answering(broker: FakeBroker, code: number): void {
  broker.script = (request) => isSend(request.code) && { code, remark: "scripted" };
}

/** Sends are answered after so many virtual ms. */
function slow(broker: FakeBroker, ms: number): void {
  let passing = false;
  broker.script = (request, exchange) => {
    if (!isSend(request.code) || passing) return false;
    const queueId = decodeSendMessageRequestHeader(request.code, request.ext).queueId;
    broker.host.timers.after(ms, () => {
      passing = true;
      exchange.reply({
        code: 0,
        header: (sink) => {
          sink.put("msgId", "00000000000000000000000000000000");
          sink.put("queueId", String(queueId));
          sink.put("queueOffset", "0");
        },
      });
      passing = false;
    });
    return true;
  };
}

test("a broker that was slow is avoided for as long as the table says, and used again then", async () => {
  const { w, producer, brokers } = await stage(2, { sendLatencyFaultEnable: true });
  const [a, b] = brokers as [FakeBroker, FakeBroker];
  slow(a, 600);
  while (sends(a) === 0) await w.settle(producer.send(message));
  a.script = undefined;
  const before = sends(a);
  for (let i = 0; i < 8; i++) await w.settle(producer.send(message));
  assert.equal(sends(a), before);
  assert.ok(sends(b) >= 8);
  await w.run(2_000);
  for (let i = 0; i < 8; i++) await w.settle(producer.send(message));
  assert.ok(sends(a) > before);
  await w.settle(producer.shutdown());
});

test("without sendLatencyFaultEnable a slow broker gets its share", async () => {
  const { w, producer, brokers } = await stage(2);
  slow(brokers[0]!, 600);
  for (let i = 0; i < 8; i++) await w.settle(producer.send(message));
  assert.equal(sends(brokers[0]!), 4);
  await w.settle(producer.shutdown());
});

test("the detector asks a broker that failed until it answers", async () => {
  const { w, producer, brokers } = await stage(2, {
    sendLatencyFaultEnable: true,
    startDetectorEnable: true,
    retryTimes: 0,
    logger: undefined,
  });
  const [a] = brokers as [FakeBroker];
  w.killBroker(a);
  for (let i = 0; i < 8; i++) await w.settle(producer.send(message).catch(() => undefined));
  const again = w.startBroker("broker-a");
  await w.until(() => again.count(RequestCode.GET_MAX_OFFSET) > 0, 10_000);
  await w.settle(producer.shutdown());
});

test("what one broker stored badly goes to another one when the producer is told so", async () => {
  for (const retryAnotherBrokerWhenNotStoreOK of [true, false]) {
    const { w, producer, brokers } = await stage(2, { retryAnotherBrokerWhenNotStoreOK });
    answering(brokers[0]!, 10);
    const ends = [];
    for (let i = 0; i < 4; i++) {
      ends.push(
        await w.settle(
          producer.send(message).then(
            ({ status }) => status,
            (error) => error.code,
          ),
        ),
      );
    }
    assert.deepEqual(
      new Set(ends),
      new Set(retryAnotherBrokerWhenNotStoreOK ? ["SEND_OK"] : ["SEND_OK", "FLUSH_DISK_TIMEOUT"]),
    );
    await w.settle(producer.shutdown());
  }
});

test("an attempt that may have another gets no more than its own time, the last one what is left", async () => {
  const { w, producer, brokers } = await stage(1, { sendTimeoutPerRequestMs: 200, sendTimeoutMs: 3_000 });
  slow(brokers[0]!, 1_000);
  const begunMs = w.world.nowMs;
  await w.settle(producer.send(message));
  assert.equal(sends(brokers[0]!), 3);
  const tookMs = w.world.nowMs - begunMs;
  assert.ok(tookMs >= 1_400 && tookMs < 1_600, String(tookMs));
  await w.settle(producer.shutdown());
});

test("long bodies travel compressed as asked, and say so", async () => {
  for (const [compressType, bits] of [
    ["ZLIB", MessageSysFlag.COMPRESSION_ZLIB],
    ["LZ4", MessageSysFlag.COMPRESSION_LZ4],
  ] as const) {
    const { w, producer, brokers } = await stage(1, { compressType });
    await w.settle(producer.send({ topic: "orders", body: "x".repeat(5_000) }));
    const [stored] = brokers[0]!.messages("orders");
    assert.equal(stored!.sysFlag, MessageSysFlag.COMPRESSED | bits);
    assert.ok(stored!.body.length < 1_000);
    await w.settle(producer.shutdown());
  }
});

test("hooks see every attempt of a send, and what they throw changes nothing", async () => {
  const seen: string[] = [];
  const hook: SendHook = {
    name: "h",
    before: (context) => {
      context.state = `begun ${seen.length}`;
      seen.push(`before ${context.queue.brokerName}`);
    },
    after: ({ queue, result, error, state }) => {
      seen.push(`after ${queue.brokerName} ${result?.status ?? error?.code} (${state})`);
      throw new Error("hook");
    },
  };
  const { w, producer, brokers } = await stage(2, { sendHooks: [hook] });
  answering(brokers[0]!, 2);
  await w.settle(producer.send(message));
  await w.settle(producer.send(message));
  const tries = seen.filter((line) => line.startsWith("after broker-a"));
  assert.match(tries[0]!, /^after broker-a SYSTEM_BUSY \(begun \d\)$/);
  assert.equal(seen.filter((line) => line.startsWith("after broker-b SEND_OK")).length, 2);
  assert.ok(w.log.some(({ message: text }) => text === "the hook h threw: hook"));
  await w.settle(producer.shutdown());
});

test("of an asynchronous send hooks see the beginning and the end", async () => {
  const seen: string[] = [];
  const hook: SendHook = {
    name: "h",
    before: () => seen.push("before"),
    after: ({ error }) => seen.push(error?.code ?? "ok"),
  };
  const { w, producer, brokers } = await stage(1, { sendHooks: [hook] });
  w.killBroker(brokers[0]!);
  await w.failure(sendAsync(producer));
  assert.equal(seen.length, 2);
  assert.equal(seen[0], "before");
  assert.notEqual(seen[1], "ok");
  await w.settle(producer.shutdown());
});

test("what a hook forbids is not sent", async () => {
  const checkForbiddenHooks = [
    {
      name: "no secrets",
      check: ({ message: { tag } }: { message: { tag?: string | undefined } }) => {
        if (tag === "secret") throw new Error("secret");
      },
    },
  ];
  const { w, producer, brokers } = await stage(1, { checkForbiddenHooks });
  const error = await w.failure(producer.send({ ...message, tag: "secret" }));
  assert.ok(error instanceof OrbitError);
  assert.equal(error.code, "FORBIDDEN");
  assert.equal(error.outcome, "refused");
  assert.equal(error.attempts, 0);
  await w.settle(producer.send(message));
  assert.equal(sends(brokers[0]!), 1);
  await w.settle(producer.shutdown());
});

test("with a namespace servers see it before topic and group, and the application does not", async () => {
  const { w, producer, brokers } = await stage(1, { namespace: "ns", group: "pg" });
  w.nameServer.setRoute("ns%orders", brokers);
  const [broker] = brokers as [FakeBroker];
  let group = "";
  broker.script = (request) => {
    if (isSend(request.code)) group = decodeSendMessageRequestHeader(request.code, request.ext).producerGroup;
    return false;
  };
  const [queue] = await w.settle(producer.publishQueues("orders"));
  assert.equal(queue!.topic, "orders");
  const selected: string[] = [];
  const selector = (queues: readonly { topic: string; brokerName: string; queueId: number }[]) => {
    selected.push(queues[0]!.topic);
    return queues[0];
  };
  for (const options of [{}, { queue: queue! }, { selector }]) {
    const result = await w.settle(producer.send(message, options));
    assert.equal(result.queue.topic, "orders");
  }
  assert.deepEqual(selected, ["orders"]);
  assert.equal(group, "ns%pg");
  const stored = broker.messages("ns%orders");
  assert.equal(stored.length, 3);
  assert.equal(getProperty(stored[0]!.properties, "INSTANCE_ID"), "ns");
  await w.settle(producer.shutdown());
  assert.deepEqual(broker.unregistered, ["ns%pg"]);
});

test("with vipChannelEnabled sends go to the port two below", async () => {
  const { w, producer, brokers } = await stage(1, { vipChannelEnabled: true });
  const vip = new Broker(brokers[0]!.host, "broker-a", "broker-a", 10_909);
  await w.settle(vip.listen());
  await w.settle(producer.send(message));
  assert.equal(sends(vip), 1);
  assert.equal(sends(brokers[0]!), 0);
  assert.equal(brokers[0]!.heartbeats.length > 0, true);
  await w.settle(producer.shutdown());
});

test("single messages gather into a batch, each with its own acknowledgement", async () => {
  const { w, producer, brokers } = await stage(1, { autoBatch: true });
  const results = await w.settle(
    Promise.all(["a", "b", "c"].map((body) => producer.send({ topic: "orders", body, tag: "t" }))),
  );
  const [broker] = brokers as [FakeBroker];
  assert.equal(broker.count(RequestCode.SEND_BATCH_MESSAGE), 1);
  assert.deepEqual(bodies(broker), ["a", "b", "c"]);
  assert.deepEqual(
    results.map(({ queueOffset }) => queueOffset),
    [0, 1, 2],
  );
  assert.equal(new Set(results.map(({ offsetMsgId }) => offsetMsgId)).size, 3);
  const ids = broker.messages("orders").map(({ properties }) => getProperty(properties, "UNIQ_KEY"));
  assert.deepEqual(
    results.map(({ msgId }) => msgId),
    ids,
  );
  await w.settle(producer.shutdown());
});

test("messages of other tags, topics or ways of sending, and those with a delay, do not wait together", async () => {
  const { w, producer, brokers } = await stage(1, { autoBatch: true });
  await w.settle(
    Promise.all([
      producer.send({ ...message, tag: "a" }),
      producer.send({ ...message, tag: "b" }),
      sendAsync(producer, { ...message, tag: "a" }),
      producer.send({ ...message, delayLevel: 1 }),
      producer.send(message, { timeoutMs: 1_000 }),
    ]),
  );
  assert.equal(brokers[0]!.count(RequestCode.SEND_BATCH_MESSAGE), 3);
  assert.equal(brokers[0]!.count(RequestCode.SEND_MESSAGE_V2), 2);
  await w.settle(producer.shutdown());
});

test("a batch is sent when it has enough bytes, and what is too large together goes in two", async () => {
  const { w, producer, brokers } = await stage(1, {
    autoBatch: true,
    batchMaxDelayMs: 30_000,
    batchMaxBytes: 1_000,
    messageBytesMax: 2_000,
  });
  const body = "x".repeat(600);
  await w.settle(Promise.all([1, 2].map(() => producer.send({ topic: "orders", body }))), 1_000);
  assert.equal(brokers[0]!.count(RequestCode.SEND_BATCH_MESSAGE), 1);
  const large = Promise.all(
    ["x".repeat(900), "y".repeat(1_200)].map((text) => producer.send({ topic: "orders", body: text })),
  );
  await w.settle(large, 1_000);
  assert.equal(brokers[0]!.count(RequestCode.SEND_BATCH_MESSAGE), 3);
  await w.settle(producer.shutdown());
});

test("a message that is illegal does not take those it would have gone with along", async () => {
  const { w, producer, brokers } = await stage(1, { autoBatch: true });
  const good = producer.send(message);
  const error = await w.failure(producer.send({ topic: "orders", body: "" }));
  assert.equal((error as OrbitError).code, "MESSAGE_INVALID");
  await w.settle(good);
  assert.deepEqual(bodies(brokers[0]!), ["hello"]);
  await w.settle(producer.shutdown());
});

test("a refused batch is refused for each, and shutdown sends what still gathers", async () => {
  const { w, producer, brokers } = await stage(1, { autoBatch: true, batchMaxDelayMs: 30_000 });
  const pending = Promise.allSettled([producer.send(message), producer.send(message)]);
  answering(brokers[0]!, 13);
  await w.settle(producer.shutdown());
  const ends = await pending;
  assert.deepEqual(
    ends.map((end) => end.status === "rejected" && end.reason.code),
    ["MESSAGE_ILLEGAL", "MESSAGE_ILLEGAL"],
  );
});

test("asynchronous sends wait for room, and fail when it does not come in time", async () => {
  const { w, producer, brokers } = await stage(1, {
    asyncBackPressure: true,
    asyncSendsMax: 10,
    sendTimeoutMs: 1_000,
    retryTimesAsync: 0,
  });
  slow(brokers[0]!, 400);
  const all = Promise.allSettled(Array.from({ length: 25 }, () => sendAsync(producer)));
  await w.run(200);
  assert.equal(sends(brokers[0]!), 10);
  let hasRoom = false;
  producer.room().then(() => {
    hasRoom = true;
  });
  await w.run(400);
  assert.equal(hasRoom, false);
  assert.equal(sends(brokers[0]!), 20);
  const ends = await w.settle(all);
  assert.equal(ends.filter(({ status }) => status === "fulfilled").length >= 20, true);
  await w.run(10);
  assert.equal(hasRoom, true);
  brokers[0]!.script = (request) => isSend(request.code);
  const stuck = Promise.allSettled(Array.from({ length: 11 }, () => sendAsync(producer, message, 2_000)));
  const late = await w.settle(stuck);
  assert.deepEqual(
    late.map((end) => (end.status === "rejected" ? end.reason.code : "ok")).sort(),
    ["OVERLOADED", ...Array.from({ length: 10 }, () => "TIMEOUT")].sort(),
  );
  await w.settle(producer.shutdown());
});

test("options that contradict each other are named", () => {
  const { w } = { w: new TestWorld() };
  for (const options of [
    { sendLatencyFaultEnable: true, latencyMaxMs: [1, 2] },
    { sendLatencyFaultEnable: true, latencyMaxMs: [2, 1], notAvailableDurationMs: [0, 0] },
    { asyncBackPressure: true, asyncSendsMax: 9 },
    { autoBatch: true, batchMaxBytes: 3 * 1024 * 1024 },
    { compressType: "GZIP" as never },
    { namespace: "a%b" },
  ]) {
    const invalid = (error: unknown) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT";
    assert.throws(() => new Producer(w.host, options), invalid, JSON.stringify(options));
  }
});

function sendAsync(
  producer: Producer,
  what: { topic: string; body: string; tag?: string } = message,
  timeoutMs?: number,
) {
  return new Promise((resolve, reject) => {
    const callback: SendCallback = { onSuccess: resolve, onException: reject };
    producer.sendAsync(what, callback, timeoutMs === undefined ? {} : { timeoutMs });
  });
}
