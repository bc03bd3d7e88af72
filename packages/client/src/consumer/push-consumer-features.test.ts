import assert from "node:assert/strict";
import { test } from "node:test";
import { pullMessageRequestHeader, RequestCode } from "@orbitmq/wire";
import type { OrbitError } from "../errors/errors.ts";
import { consumerOf, consuming, stage } from "../testing/consumer-stage.ts";
import { consumerDefaults } from "./consumer-options.ts";
import type { ConsumeHook } from "./listening/consume-hooks.ts";
import { allocateAveragelyByCircle } from "./rebalance/allocate-by-circle.ts";

const never = () => new Promise<void>(() => {});
const queueIds = (consumer: ReturnType<typeof consumerOf>, topic = "orders") =>
  consumer
    .status()
    .queues.filter(({ queue }) => queue.topic === topic)
    .map(({ queue }) => queue.queueId);

test("queues are divided by the strategy the consumer was given", async () => {
  const { w } = stage(4);
  const options = { allocateStrategy: allocateAveragelyByCircle };
  const first = await consuming(w, () => {}, { ...options, clientId: "a" });
  const second = await consuming(w, () => {}, { ...options, clientId: "b" });
  await w.until(() => queueIds(first).length === 2 && queueIds(second).length === 2);
  assert.deepEqual(queueIds(first), [0, 2]);
  assert.deepEqual(queueIds(second), [1, 3]);
  await w.settle(Promise.all([first.shutdown(), second.shutdown()]));
});

test("a strategy that throws leaves the queues where they are", async () => {
  const { w } = stage(2);
  let broken = false;
  const strategy = {
    name: "MINE",
    allocate: (input: Parameters<typeof allocateAveragelyByCircle.allocate>[0]) => {
      if (broken) throw new Error("not today");
      return allocateAveragelyByCircle.allocate(input);
    },
  };
  const consumer = await consuming(w, () => {}, { allocateStrategy: strategy, rebalanceIntervalMs: 1_000 });
  broken = true;
  await w.until(() => w.log.some(({ message }) => message.includes("not today")));
  assert.deepEqual(queueIds(consumer), [0, 1]);
  await w.settle(consumer.shutdown());
});

test("suspended, nothing more is pulled, also of queues that are new, until it is resumed", async () => {
  const { w, broker } = stage(1);
  const heard: string[] = [];
  const consumer = await consuming(w, (message) => void heard.push(message.text()));
  consumer.suspend();
  broker.store("orders", 0, "the pull that was waiting");
  await w.run(100);
  broker.store("orders", 0, "later");
  w.nameServer.setRoute("orders", [broker], 2);
  broker.store("orders", 1, "new queue");
  await w.run(60_000);
  assert.deepEqual(heard, ["the pull that was waiting"]);
  assert.equal(consumer.status().suspended, true);
  consumer.resume();
  await w.until(() => heard.length === 3);
  await w.settle(consumer.shutdown());
});

test("a threshold for the topic is divided by the queues held", async () => {
  const { w, broker } = stage(4);
  for (let i = 0; i < 400; i++) broker.store("orders", i % 4, String(i));
  const consumer = await consuming(w, never, {
    pullThresholdForTopic: 40,
    pullBatchSize: 5,
    concurrency: 1,
    pullThresholdForQueue: 100,
  });
  await w.run(1_000);
  assert.deepEqual(
    consumer
      .status()
      .queues.filter(({ queue }) => queue.topic === "orders")
      .map(({ cached }) => cached),
    [10, 10, 10, 10],
  );
  await w.settle(consumer.shutdown({ deadlineMs: 100 }));
});

test("bytes for the topic are divided, too", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 200; i++) broker.store("orders", i % 2, "x".repeat(1_000));
  const consumer = await consuming(w, never, {
    pullThresholdBytesForTopic: 20_000,
    pullBatchSize: 1,
    concurrency: 1,
  });
  await w.run(1_000);
  for (const { cached, queue } of consumer.status().queues) {
    if (queue.topic === "orders") assert.ok(cached >= 8 && cached <= 10, String(cached));
  }
  await w.settle(consumer.shutdown({ deadlineMs: 100 }));
});

test("a pull asks for 256 messages, for fewer when fewer may be held, for 32 at least", async () => {
  for (const [options, asked] of [
    [{}, [256, 256, 256, 232]],
    [{ pullThresholdForQueue: 300 }, [256, 44]],
    [{ pullThresholdForQueue: 10 }, [32]],
    [{ pullThresholdForTopic: 257 }, [256, 32]],
    [{ pullThresholdForQueue: 10, pullBatchSize: 4 }, [4, 4, 4]],
  ] as const) {
    const { w, broker } = stage(1);
    for (let i = 0; i < 2_000; i++) broker.store("orders", 0, "x");
    const pulls: number[] = [];
    broker.script = ({ code, ext }) => {
      if (code !== RequestCode.PULL_MESSAGE) return false;
      const { topic, maxMsgNums } = pullMessageRequestHeader.decode(ext);
      if (topic === "orders") pulls.push(maxMsgNums);
      return false;
    };
    const consumer = await consuming(w, never, options);
    await w.run(1_000);
    assert.deepEqual(pulls, asked);
    await w.settle(consumer.shutdown({ deadlineMs: 100 }));
  }
});

test("skipping the backlog passes over what is stored, and commits that", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 100; i++) broker.store("orders", i % 2, `old ${i}`);
  const heard: string[] = [];
  const gate: { open?: () => void } = {};
  const consumer = await consuming(
    w,
    async (message) => {
      if (message.text().startsWith("old") && gate.open === undefined) {
        await new Promise<void>((resolve) => {
          gate.open = resolve;
        });
      }
      heard.push(message.text());
    },
    { concurrency: 1 },
  );
  await w.until(() => gate.open !== undefined);
  await w.settle(consumer.skipBacklog("orders"));
  gate.open!();
  broker.store("orders", 0, "new");
  await w.until(() => heard.includes("new"));
  assert.ok(heard.length <= 3, heard.join());
  assert.equal(broker.offsets.get("g@orders@1"), 50);
  await w.settle(consumer.shutdown());
});

test("a listener can tell how far behind it is", async () => {
  const { w, broker } = stage(1);
  for (let i = 0; i < 5; i++) broker.store("orders", 0, String(i));
  const behind: number[] = [];
  const consumer = await consuming(
    w,
    ({ queueOffset }, { maxOffset }) => void behind.push(maxOffset - queueOffset),
  );
  await w.until(() => behind.length === 5);
  assert.deepEqual(behind, [5, 4, 3, 2, 1]);
  await w.settle(consumer.shutdown());
});

test("a topic that is unsubscribed from is left at once, and may be listened to anew", async () => {
  const { w, broker } = stage(1);
  w.nameServer.setRoute("other", [broker], 1);
  const heard: string[] = [];
  const consumer = consumerOf(w);
  consumer.listen("orders", (message) => void heard.push(message.text()), { tags: "a" });
  consumer.listen("other", () => {});
  await w.settle(consumer.start());
  broker.store("orders", 0, "first", "TAGS\u0001a\u0002");
  await w.until(() => heard.length === 1);
  await w.settle(consumer.unsubscribe("orders"));
  assert.equal(broker.offsets.get("g@orders@0"), 1);
  const topics = () =>
    broker.heartbeats.at(-1)!.consumerDataSet[0]!.subscriptionDataSet.map(({ topic }) => topic);
  assert.deepEqual(topics().sort(), ["%RETRY%g", "other"]);
  assert.deepEqual(queueIds(consumer), []);
  consumer.listen("orders", (message) => void heard.push(message.text()), { tags: "b" });
  broker.store("orders", 0, "second", "TAGS\u0001b\u0002");
  await w.until(() => heard.length === 2);
  assert.deepEqual(topics().sort(), ["%RETRY%g", "orders", "other"]);
  await w.settle(consumer.shutdown());
});

test("an ordered queue that is unsubscribed from waits for its listener, then gives its lock back", async () => {
  const { w, broker } = stage(1);
  broker.store("orders", 0, "a");
  let end: (() => void) | undefined;
  const consumer = consumerOf(w);
  consumer.listenOrderly("orders", () => new Promise<void>((resolve) => (end = resolve)));
  await w.settle(consumer.start());
  await w.until(() => end !== undefined);
  const left = consumer.unsubscribe("orders");
  await w.run(100);
  assert.equal(broker.locks.size > 0, true);
  end!();
  await w.settle(left);
  assert.equal(broker.locks.has("orders@0"), false);
  assert.equal(broker.offsets.get("g@orders@0"), 1);
  await w.settle(consumer.shutdown());
});

test("an ordered listener of batches gets lists, each when the one before is done", async () => {
  const { w, broker } = stage(1);
  for (let i = 0; i < 7; i++) broker.store("orders", 0, String(i));
  const lists: string[] = [];
  let failing = true;
  const consumer = consumerOf(w);
  consumer.listenOrderlyBatch(
    "orders",
    (messages) => {
      lists.push(messages.map((message) => message.text()).join(""));
      const fails = failing && lists.length === 2;
      failing = !fails && failing;
      return fails ? "SUSPEND_CURRENT_QUEUE_A_MOMENT" : "SUCCESS";
    },
    { messagesMax: 3 },
  );
  await w.settle(consumer.start());
  await w.until(() => broker.offsets.get("g@orders@0") === 7);
  assert.deepEqual(lists, ["012", "345", "345", "6"]);
  await w.settle(consumer.shutdown());
});

test("what stands behind a batch's ackIndex goes back, the rest is consumed", async () => {
  const { w, broker } = stage(1);
  for (let i = 0; i < 4; i++) broker.store("orders", 0, String(i));
  const consumer = consumerOf(w);
  consumer.listenBatch("orders", (_messages, context) => {
    context.ackIndex = 1;
  });
  await w.settle(consumer.start());
  await w.until(() => broker.sentBack.length === 2);
  const { consumed, failed } = consumer.status();
  assert.deepEqual([consumed, failed], [2, 2]);
  await w.settle(consumer.shutdown());
});

test("hooks see every call of a listener and how it ended", async () => {
  const { w, broker } = stage(1);
  const seen: string[] = [];
  const hook: ConsumeHook = {
    name: "h",
    before: (context) => {
      context.state = context.messages[0]!.text();
    },
    after: ({ outcome, error, state, queue, group }) => {
      seen.push(`${state} ${outcome} ${error?.code} ${queue.topic} ${group}`);
      throw new Error("hook");
    },
  };
  const consumer = await consuming(
    w,
    async (message) => {
      if (message.text() === "later") return "RECONSUME_LATER";
      if (message.text() === "throws") throw new Error("x");
      if (message.text() === "slow")
        await new Promise<void>((resolve) => w.host.timers.after(2_000, resolve));
      return undefined;
    },
    { consumeHooks: [hook], concurrency: 1, consumeTimeoutMs: 1_000 },
  );
  for (const body of ["fine", "later", "throws", "slow"]) broker.store("orders", 0, body);
  await w.until(() => seen.length === 4);
  assert.deepEqual(seen, [
    "fine SUCCESS undefined orders g",
    "later FAILED LISTENER_FAILED orders g",
    "throws EXCEPTION LISTENER_FAILED orders g",
    "slow TIME_OUT undefined orders g",
  ]);
  assert.ok(w.log.some(({ message }) => message === "the hook h threw: hook"));
  await w.settle(consumer.shutdown());
});

test("what a filter hook does not accept is passed over, and a hook that throws accepts", async () => {
  const { w, broker } = stage(1);
  const heard: string[] = [];
  const accepts = ({ tag }: { readonly tag: string | undefined }) => {
    if (tag === "odd") throw new Error("no idea");
    return tag !== "no";
  };
  const consumer = await consuming(w, (message) => void heard.push(message.text()), {
    filterHooks: [{ name: "f", accepts }],
  });
  for (const tag of ["yes", "no", "odd"]) broker.store("orders", 0, tag, `TAGS\u0001${tag}\u0002`);
  await w.until(() => heard.length === 2);
  await w.settle(consumer.shutdown());
  assert.deepEqual(heard, ["yes", "odd"]);
  assert.equal(broker.offsets.get("g@orders@0"), 3);
});

test("with a namespace brokers see it before group and topics, and the application does not", async () => {
  const { w, broker } = stage(1);
  w.nameServer.setRoute("ns%orders", [broker], 1);
  const seen: string[] = [];
  const consumer = await consuming(
    w,
    (message, { queue, group }) => {
      seen.push(message.topic, message.queue.topic, queue.topic, group);
      return message.text() === "bad" ? "RECONSUME_LATER" : undefined;
    },
    { namespace: "ns", concurrency: 1 },
  );
  broker.store("ns%orders", 0, "good");
  broker.store("ns%orders", 0, "bad");
  await w.until(() => broker.sentBack.length === 1);
  assert.deepEqual([...new Set(seen)], ["orders", "g"]);
  assert.equal(broker.sentBack[0]!.group, "ns%g");
  const [data] = broker.heartbeats.at(-1)!.consumerDataSet;
  assert.equal(data!.groupName, "ns%g");
  assert.deepEqual(
    data!.subscriptionDataSet.map(({ topic }) => topic),
    ["ns%orders", "%RETRY%ns%g"],
  );
  assert.equal(consumer.status().group, "g");
  assert.deepEqual(queueIds(consumer), [0]);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("ns%g@ns%orders@0"), 2);
});

test("a listener of more than fifteen minutes gives its message back, by default", async () => {
  assert.equal(consumerDefaults.consumeTimeoutMs, 15 * 60_000);
  const { w, broker } = stage(1);
  broker.store("orders", 0, "slow");
  const reasons: string[] = [];
  const consumer = await consuming(w, (_message, { signal }) => {
    signal.addEventListener("abort", () => reasons.push((signal.reason as OrbitError).code));
    return never();
  });
  await w.run(15 * 60_000 - 1_000);
  assert.deepEqual(reasons, []);
  assert.equal(broker.count(RequestCode.CONSUMER_SEND_MSG_BACK), 0);
  await w.run(2_000);
  assert.deepEqual(reasons, ["CONSUME_TIMEOUT"]);
  assert.equal(broker.sentBack[0]!.delayLevel, 3);
  await w.settle(consumer.shutdown({ deadlineMs: 100 }));
});
