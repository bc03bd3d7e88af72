import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeSendMessageRequestHeader,
  parseLockBatchBody,
  RequestCode,
  sendMessageResponseHeader,
} from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { consumerOf, stage } from "../testing/consumer-stage.ts";
import type { TestWorld } from "../testing/test-world.ts";
import type { PushConsumerOptions } from "./consumer-options.ts";
import type { OrderlyListenerContext, OrderlyListenerReturn } from "./listener.ts";
import type { PushConsumer } from "./push-consumer.ts";

type Listener = (
  message: ReceivedMessage,
  context: OrderlyListenerContext,
) => OrderlyListenerReturn | Promise<OrderlyListenerReturn>;

async function inOrder(
  w: TestWorld,
  listener: Listener,
  options: Partial<PushConsumerOptions> = {},
): Promise<PushConsumer> {
  const consumer = consumerOf(w, options);
  consumer.listenOrderly("orders", listener);
  await w.settle(consumer.start());
  return consumer;
}

test("messages of a queue come one after the other, and a failed one comes again before the next", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 8; i++) broker.store("orders", i % 2, String(i));
  const heard = new Map<number, string[]>([
    [0, []],
    [1, []],
  ]);
  const running = new Set<number>();
  const failed = new Set<string>();
  const consumer = await inOrder(w, async (message, { queue: { queueId } }) => {
    assert.ok(!running.has(queueId));
    running.add(queueId);
    await new Promise<void>((resolve) => void w.host.timers.after(20, resolve));
    running.delete(queueId);
    heard.get(queueId)!.push(`${message.text()}:${message.reconsumeTimes}`);
    if (message.text() < "4" || failed.has(message.text())) return undefined;
    failed.add(message.text());
    if (message.text() === "4") throw new Error("not yet");
    return "SUSPEND_CURRENT_QUEUE_A_MOMENT";
  });
  await w.until(() => consumer.status().consumed === 8);
  assert.deepEqual(
    [...heard.values()],
    [
      ["0:0", "2:0", "4:0", "4:1", "6:0", "6:1"],
      ["1:0", "3:0", "5:0", "5:1", "7:0", "7:1"],
    ],
  );
  await w.until(() => broker.offsets.get("g@orders@0") === 4);
  assert.deepEqual(broker.sentBack, []);
  await w.settle(consumer.shutdown());
  assert.deepEqual([...broker.locks], []);
});

test("a queue rests for a second after a failure, or as long as the listener says, but not for ever", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  const times: number[] = [];
  const rests = [undefined, 200, 1, 1e9];
  const consumer = await inOrder(w, (_, context) => {
    times.push(w.world.nowMs);
    const rest = rests[times.length - 1];
    if (rest !== undefined) context.suspendCurrentQueueTimeMs = rest;
    return times.length > rests.length ? "SUCCESS" : "SUSPEND_CURRENT_QUEUE_A_MOMENT";
  });
  await w.until(() => consumer.status().consumed === 1);
  for (const [i, atLeastMs] of [1_000, 200, 10, 30_000].entries()) {
    const pauseMs = times[i + 1]! - times[i]!;
    assert.ok(pauseMs >= atLeastMs && pauseMs < atLeastMs + 5, `${pauseMs} after ${atLeastMs}`);
  }
  await w.settle(consumer.shutdown());
});

test("without automatic commit the group's offset follows commits, and a rollback brings everything again", async () => {
  const { w, broker } = stage();
  for (const body of ["a", "b", "c"]) broker.store("orders", 0, body);
  const heard: string[] = [];
  const answers = ["SUCCESS", "ROLLBACK", "SUCCESS", "COMMIT", "SUCCESS"] as const;
  const consumer = await inOrder(w, (message, context) => {
    context.autoCommit = false;
    heard.push(message.text());
    return answers[heard.length - 1]!;
  });
  await w.until(() => heard.length === 5);
  await w.run(6_000);
  assert.deepEqual(heard, ["a", "b", "a", "b", "c"]);
  assert.equal(broker.offsets.get("g@orders@0"), 2);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 2);
});

test("a message that failed as often as it may is sent to the retry topic, whose broker makes it a dead letter", async () => {
  const { w, broker } = stage();
  w.nameServer.setRoute("%RETRY%g", [broker], 1);
  for (const body of ["bad", "good"]) broker.store("orders", 0, body);
  const sends: unknown[] = [];
  broker.script = (request) => {
    if (request.code !== RequestCode.SEND_MESSAGE_V2) return false;
    const { topic, reconsumeTimes, maxReconsumeTimes } = decodeSendMessageRequestHeader(
      request.code,
      request.ext,
    );
    sends.push({ topic, reconsumeTimes, maxReconsumeTimes });
    if (sends.length <= 3) return { code: 13, remark: "not now" };
    // Such a message does not come again: it is dead.
    const header = { msgId: "0", queueId: 0, queueOffset: 0 };
    return { code: 0, header: (sink) => sendMessageResponseHeader.encode(header, sink) };
  };
  const heard: string[] = [];
  const consumer = await inOrder(
    w,
    (message) => {
      heard.push(`${message.text()}:${message.reconsumeTimes}`);
      return message.text() === "bad" ? "SUSPEND_CURRENT_QUEUE_A_MOMENT" : "SUCCESS";
    },
    { maxReconsumeTimes: 1 },
  );
  await w.until(() => heard.includes("good:0"));
  assert.deepEqual(heard, ["bad:0", "bad:1", "bad:2", "bad:3", "bad:4", "good:0"]);
  assert.deepEqual(sends[0], { topic: "%RETRY%g", reconsumeTimes: 2, maxReconsumeTimes: 1 });
  await w.until(() => broker.offsets.get("g@orders@0") === 2);
  await w.settle(consumer.shutdown());
});

test("a queue goes to another member only when its listener has ended and its offset is known", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 40; i++) broker.store("orders", i % 2, String(i));
  const running = new Map<number, string>();
  const heard: string[] = [];
  const listener =
    (name: string): Listener =>
    async (message, { queue: { queueId } }) => {
      assert.equal(running.get(queueId), undefined, `${name} and ${running.get(queueId)} on ${queueId}`);
      running.set(queueId, name);
      await new Promise<void>((resolve) => void w.host.timers.after(500, resolve));
      running.delete(queueId);
      heard.push(message.text());
    };
  const one = await inOrder(w, listener("one"), { clientId: "1" });
  await w.run(2_000);
  const two = await inOrder(w, listener("two"), { clientId: "2" });
  await w.until(() => two.status().queues.length === 1 && heard.length > 10);
  await w.settle(two.shutdown());
  await w.until(() => heard.length >= 40);
  assert.equal(new Set(heard).size, heard.length, "nothing is consumed twice");
  for (const parity of [0, 1]) {
    const ofQueue = heard.map(Number).filter((n) => n % 2 === parity);
    assert.deepEqual(
      ofQueue,
      ofQueue.toSorted((a, b) => a - b),
    );
  }
  await w.settle(one.shutdown());
});

test("locks are asked for every 20 s, and a queue whose lock was lost is consumed again only under a new one", async () => {
  const { w, broker } = stage();
  const heard: string[] = [];
  const consumer = await inOrder(w, (message) => void heard.push(message.text()), { clientId: "me" });
  const asked: number[] = [];
  broker.script = (request) => {
    if (request.code === RequestCode.LOCK_BATCH_MQ) asked.push(w.world.nowMs);
    return false;
  };
  await w.run(61_000);
  assert.equal(asked.length, 3);
  broker.locks.set("orders@0", "somebody");
  await w.run(20_000);
  assert.deepEqual(consumer.status().queues, []);
  broker.store("orders", 0, "x");
  await w.run(10_000);
  assert.deepEqual(heard, []);
  broker.locks.delete("orders@0");
  await w.until(() => heard.length === 1);
  assert.equal(broker.locks.get("orders@0"), "me");
  await w.settle(consumer.shutdown());
});

test("a queue whose start offset cannot be learned is nobody's meanwhile", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "a");
  let asked = 0;
  broker.script = (request) => {
    if (request.code !== RequestCode.QUERY_CONSUMER_OFFSET) return false;
    asked++;
    return { code: 1, remark: "not now" };
  };
  const consumer = await inOrder(w, () => "SUCCESS");
  await w.until(() => asked >= 1);
  await w.until(() => broker.locks.size === 0);
  broker.script = () => false;
  await w.until(() => consumer.status().consumed === 1);
  await w.settle(consumer.shutdown());
});

test("a listener learns that its lock was lost, and nothing is consumed while the broker does not answer", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "x");
  broker.store("orders", 0, "y");
  const heard: string[] = [];
  let reason: unknown;
  const consumer = await inOrder(w, (message, { signal }) => {
    heard.push(message.text());
    return new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => {
        reason = signal.reason;
        resolve();
      });
    });
  });
  await w.until(() => heard.length === 1);
  broker.script = (request) =>
    request.code === RequestCode.LOCK_BATCH_MQ ? { code: 1, remark: "no" } : false;
  await w.until(() => reason !== undefined);
  assert.ok(reason instanceof OrbitError && reason.code === "QUEUE_LOST");
  await w.run(30_000);
  assert.deepEqual(heard, ["x"]);
  broker.script = (request) => {
    if (request.code === RequestCode.LOCK_BATCH_MQ)
      assert.equal(parseLockBatchBody(request.body).queues.length, 1);
    return false;
  };
  await w.until(() => heard.length === 2);
  await w.settle(consumer.shutdown());
});

test("a consumer has listeners of one kind", async () => {
  const { w } = stage();
  const consumer = consumerOf(w);
  consumer.listenOrderly("orders", () => {});
  assert.throws(
    () => consumer.listen("other", () => {}),
    (error) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT",
  );
});

test("a broadcasting consumer in order needs no locks", async () => {
  const { w, broker } = stage();
  for (const body of ["a", "b"]) broker.store("orders", 0, body);
  const heard: string[] = [];
  const consumer = await inOrder(w, (message) => void heard.push(message.text()), {
    messageModel: "BROADCASTING",
  });
  await w.until(() => heard.length === 2);
  assert.deepEqual([heard, broker.count(RequestCode.LOCK_BATCH_MQ)], [["a", "b"], 0]);
  await w.settle(consumer.shutdown());
});
