import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ackMessageRequestHeader,
  changeInvisibleTimeResponseHeader,
  type Exchange,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import { consumerOf, consuming, stage } from "../../testing/consumer-stage.ts";
import type { FakeBroker } from "../../testing/fake-broker.ts";
import { FakePop } from "../../testing/fake-pop.ts";
import type { TestWorld } from "../../testing/test-world.ts";
import type { PushConsumerOptions } from "../consumer-options.ts";

const POP: Partial<PushConsumerOptions> = { clientRebalance: false };

function popStage(queues = 2): { w: TestWorld; broker: FakeBroker; pop: FakePop } {
  const { w, broker } = stage(queues);
  return { w, broker, pop: new FakePop(broker) };
}

const ids = (pop: FakePop) => pop.acks.map(({ queueId, offset }) => `${queueId}/${offset}`).sort();
const wait = (w: TestWorld, ms: number) => new Promise<void>((resolve) => w.host.timers.after(ms, resolve));

test("what the broker says is popped comes from all its queues, and is acknowledged where it lies", async () => {
  const { w, broker, pop } = popStage();
  broker.store("orders", 0, "a");
  broker.store("orders", 1, "b");
  const heard: string[] = [];
  const consumer = await consuming(
    w,
    (message, { group }) =>
      void heard.push(
        `${message.text()} ${message.topic} ${message.queue.queueId} ${message.queueOffset} ${group}`,
      ),
    POP,
  );
  await w.until(() => pop.acks.length === 2);
  broker.store("orders", 1, "c");
  await w.until(() => pop.acks.length === 3);
  assert.deepEqual(heard.sort(), ["a orders 0 0 g", "b orders 1 0 g", "c orders 1 1 g"]);
  assert.deepEqual(ids(pop), ["0/0", "1/0", "1/1"]);
  assert.equal(broker.count(RequestCode.PULL_MESSAGE), 0);
  const { popQueues, consumed } = consumer.status();
  assert.deepEqual(popQueues, [
    { queue: { topic: "orders", brokerName: "broker-a", queueId: -1 }, cached: 0 },
  ]);
  assert.equal(consumed, 3);
  const [asked] = pop.asked;
  assert.deepEqual(
    [asked!.maxMsgNums, asked!.invisibleTime, asked!.pollTime, asked!.initMode, asked!.exp, asked!.expType],
    [32, 60_000, 15_000, 0, "*", "TAG"],
  );
  await w.settle(consumer.shutdown());
});

test("a broker that says pull is pulled from, with what came again by POP", async () => {
  const { w, broker, pop } = popStage(1);
  pop.mode = "PULL";
  broker.store("orders", 0, "a");
  w.nameServer.setRoute("%RETRY%g_orders", [broker], 1);
  broker.store("%RETRY%g_orders", 0, "came again");
  const heard: string[] = [];
  const consumer = await consuming(w, (message) => void heard.push(message.text()), POP);
  await w.until(() => heard.length === 2);
  assert.deepEqual(heard.sort(), ["a", "came again"]);
  pop.mode = "POP";
  broker.notifyGroup("g");
  await w.until(() => consumer.status().popQueues.length === 1);
  await w.run(1_000);
  assert.deepEqual(consumer.status().queues, []);
  await w.settle(consumer.shutdown());
});

test("a message that fails comes again after 10 s, then 30 s, or as its listener says", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "a");
  const times: number[] = [];
  const consumer = await consuming(
    w,
    ({ reconsumeTimes }, context) => {
      times.push(reconsumeTimes);
      if (reconsumeTimes === 2) context.delayLevel = 4;
      return reconsumeTimes < 3 ? "RECONSUME_LATER" : undefined;
    },
    POP,
  );
  await w.until(() => pop.acks.length === 1, 600_000);
  assert.deepEqual(times, [0, 1, 2, 3]);
  assert.deepEqual(
    pop.changes.map(({ ms }) => ms),
    [10_000, 30_000, 180_000],
  );
  assert.equal(pop.acks[0]!.topic, "%RETRY%g_orders");
  await w.settle(consumer.shutdown());
});

test("a message that failed as often as it may is a dead letter, then acknowledged", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "hopeless");
  const consumer = await consuming(w, () => "RECONSUME_LATER", { ...POP, maxReconsumeTimes: 1 });
  await w.until(() => pop.acks.length === 1, 600_000);
  assert.equal(broker.sentBack.length, 1);
  assert.equal(broker.sentBack[0]!.delayLevel, -1);
  await w.settle(consumer.shutdown());
});

test("a message stays invisible while its listener runs, and while it waits for one", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "slow");
  broker.store("orders", 0, "behind it");
  const heard: string[] = [];
  const consumer = await consuming(
    w,
    async (message) => {
      heard.push(message.text());
      await wait(w, 200_000);
    },
    { ...POP, concurrency: 1 },
  );
  await w.until(() => pop.acks.length === 2, 900_000);
  assert.deepEqual(heard, ["slow", "behind it"]);
  assert.ok(pop.changes.length >= 8, String(pop.changes.length));
  assert.ok(pop.changes.every(({ ms }) => ms === 60_000));
  await w.settle(consumer.shutdown());
});

test("a listener that runs too long has its message renewed no longer, and somebody else gets it", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "stuck");
  const times: number[] = [];
  const consumer = await consuming(
    w,
    ({ reconsumeTimes }) => {
      times.push(reconsumeTimes);
      return reconsumeTimes === 0 ? new Promise<void>(() => {}) : undefined;
    },
    { ...POP, consumeTimeoutMs: 100_000 },
  );
  await w.until(() => pop.acks.length === 1, 400_000);
  assert.deepEqual(times, [0, 1]);
  await w.settle(consumer.shutdown({ deadlineMs: 100 }));
});

test("no more is popped than may be held, and popping goes on when something is acknowledged", async () => {
  const { w, broker, pop } = popStage(1);
  for (let i = 0; i < 30; i++) broker.store("orders", 0, String(i));
  const open: (() => void)[] = [];
  const consumer = await consuming(w, () => new Promise<void>((resolve) => open.push(resolve)), {
    ...POP,
    popBatchNums: 5,
    popThresholdForQueue: 10,
  });
  await w.run(2_000);
  assert.equal(open.length, 10);
  open.shift()!();
  await w.until(() => open.length > 10);
  consumer.suspend();
  for (const end of open.splice(0)) end();
  await w.run(20_000);
  const before = pop.asked.length;
  await w.run(20_000);
  assert.equal(pop.asked.length, before);
  consumer.resume();
  await w.until(() => pop.asked.length > before);
  await w.settle(consumer.shutdown({ deadlineMs: 100 }));
});

test("what the subscription does not want is acknowledged unheard", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "a", "TAGS\u0001a\u0002");
  broker.store("orders", 0, "b", "TAGS\u0001b\u0002");
  const heard: string[] = [];
  const consumer = consumerOf(w, POP);
  consumer.listen("orders", (message) => void heard.push(message.text()), { tags: "b" });
  await w.settle(consumer.start());
  await w.until(() => pop.acks.length === 2);
  assert.deepEqual(heard, ["b"]);
  assert.equal(pop.asked[0]!.exp, "b");
  await w.settle(consumer.shutdown());
});

test("an acknowledgement the broker does not take is sent again", async () => {
  const { w, broker, pop } = popStage(1);
  pop.ackCode = ResponseCode.SYSTEM_BUSY;
  broker.store("orders", 0, "a");
  const consumer = await consuming(w, () => {}, POP);
  await w.until(() => broker.count(RequestCode.ACK_MESSAGE) === 2);
  pop.ackCode = 0;
  await w.until(() => pop.acks.length === 1);
  await w.settle(consumer.shutdown());
});

test("shutdown waits for listeners and acknowledgements, and gives back what nobody has begun", async () => {
  const { w, broker, pop } = popStage(1);
  for (let i = 0; i < 5; i++) broker.store("orders", 0, String(i));
  const consumer = await consuming(w, () => wait(w, 1_000), { ...POP, concurrency: 2 });
  await w.run(100);
  assert.deepEqual(await w.settle(consumer.shutdown()), { settled: 2, left: 0 });
  assert.deepEqual(ids(pop), ["0/0", "0/1"]);
  assert.deepEqual(
    pop.changes.map(({ offset, ms }) => `${offset} ${ms}`),
    ["2 1000", "3 1000", "4 1000"],
  );
});

test("listeners in order and broadcasting consumers divide queues themselves, whatever clientRebalance says", async () => {
  const { w, broker } = popStage(1);
  broker.store("orders", 0, "a");
  const heard: string[] = [];
  const ordered = consumerOf(w, POP);
  ordered.listenOrderly("orders", (message) => void heard.push(message.text()));
  await w.settle(ordered.start());
  await w.until(() => heard.length === 1);
  assert.equal(broker.count(RequestCode.QUERY_ASSIGNMENT), 0);
  await w.settle(ordered.shutdown());
});

test("while a broker refuses pops it is asked once a second, sooner when it only limits", async () => {
  const { w, broker, pop } = popStage(1);
  let code = 1;
  const asked: number[] = [];
  broker.script = (request) => {
    if (request.code !== RequestCode.POP_MESSAGE) return false;
    asked.push(w.world.nowMs);
    return { code, remark: "scripted" };
  };
  const consumer = await consuming(w, () => {}, POP);
  await w.until(() => asked.length === 2);
  assert.ok(asked[1]! - asked[0]! >= 1_000);
  code = ResponseCode.FLOW_CONTROL;
  await w.until(() => asked.length === 4);
  assert.ok(asked[3]! - asked[2]! < 100);
  broker.script = undefined;
  broker.store("orders", 0, "a");
  await w.until(() => pop.acks.length === 1);
  await w.settle(consumer.shutdown());
});

test("a batch is of one queue, and its result counts for all of it", async () => {
  const { w, broker, pop } = popStage(2);
  for (let i = 0; i < 6; i++) broker.store("orders", i % 2, String(i));
  const lists: string[] = [];
  const consumer = consumerOf(w, POP);
  consumer.listenBatch("orders", (messages, { queue }) => {
    lists.push(`${queue.queueId}: ${messages.map((message) => message.text()).join(" ")}`);
  });
  await w.settle(consumer.start());
  await w.until(() => pop.acks.length === 6);
  assert.deepEqual(lists.sort(), ["0: 0 2 4", "1: 1 3 5"]);
  await w.settle(consumer.shutdown());
});

test("a topic that is unsubscribed from is popped no more; what runs is acknowledged, or left alone at the end", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "a");
  broker.store("orders", 0, "hangs");
  const consumer = await consuming(
    w,
    (message) => (message.text() === "a" ? wait(w, 5_000) : new Promise<void>(() => {})),
    POP,
  );
  await w.run(1_000);
  await w.settle(consumer.unsubscribe("orders"));
  const asked = pop.asked.length;
  await w.until(() => pop.acks.length === 1);
  await w.run(40_000);
  assert.equal(pop.asked.length, asked);
  await w.settle(consumer.shutdown({ deadlineMs: 1_000 }));
  const { length } = pop.changes;
  assert.ok(length > 0);
  await w.run(200_000);
  assert.equal(pop.changes.length, length);
});

test("where brokers assign nothing, because they are older, the members divide the queues themselves", async () => {
  const { w, broker } = popStage(1);
  broker.script = (request) => request.code === RequestCode.QUERY_ASSIGNMENT && { code: 3, remark: "what?" };
  broker.store("orders", 0, "a");
  const heard: string[] = [];
  const consumer = await consuming(w, (message) => void heard.push(message.text()), POP);
  await w.until(() => heard.length === 1);
  await w.settle(consumer.shutdown());
});

test("a listener that ends while its message is being renewed acknowledges with the handle that counts then", async () => {
  const { w, broker, pop } = popStage(1);
  broker.store("orders", 0, "a");
  let renewing: Exchange | undefined;
  const shown: string[] = [];
  broker.script = (request, exchange) => {
    if (request.code === RequestCode.ACK_MESSAGE) {
      shown.push(ackMessageRequestHeader.decode(request.ext).extraInfo);
    }
    if (request.code !== RequestCode.CHANGE_MESSAGE_INVISIBLETIME) return false;
    renewing = exchange;
    return true;
  };
  let end: (() => void) | undefined;
  const consumer = await consuming(w, () => new Promise<void>((resolve) => (end = resolve)), POP);
  await w.until(() => renewing !== undefined);
  end!();
  await w.run(500);
  assert.deepEqual(shown, []);
  renewing!.reply({
    code: 0,
    header: (sink) =>
      changeInvisibleTimeResponseHeader.encode({ popTime: 777, invisibleTime: 60_000, reviveQid: 5 }, sink),
  });
  await w.until(() => pop.acks.length === 1);
  assert.deepEqual(shown, ["0 777 60000 5 0 broker-a 0 0"]);
  await w.settle(consumer.shutdown());
});
