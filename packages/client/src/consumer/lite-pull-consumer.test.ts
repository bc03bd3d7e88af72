import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { stage } from "../testing/consumer-stage.ts";
import type { TestWorld } from "../testing/test-world.ts";
import { LitePullConsumer } from "./lite-pull-consumer.ts";
import type { LitePullConsumerOptions } from "./lite-pull-options.ts";

function pulling(w: TestWorld, options: Partial<LitePullConsumerOptions> = {}): LitePullConsumer {
  return new LitePullConsumer(w.host, {
    namesrv: w.namesrv,
    group: "g",
    from: "first",
    logger: w.logger,
    ...options,
  });
}

const queue = (queueId: number) => ({ topic: "orders", brokerName: "broker-a", queueId });
const texts = (messages: readonly ReceivedMessage[]) => messages.map((message) => message.text());
const invalid = (error: unknown) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT";

async function subscribed(w: TestWorld, options: Partial<LitePullConsumerOptions> = {}) {
  const consumer = pulling(w, options);
  consumer.subscribe("orders");
  await w.settle(consumer.start());
  return consumer;
}

test("a poll returns what is there, and what the one before returned is done and committed", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 25; i++) broker.store("orders", 0, String(i));
  const consumer = await subscribed(w);
  assert.deepEqual(texts(await w.settle(consumer.poll())), [..."0123456789"]);
  await w.run(6_000);
  assert.equal(broker.offsets.get("g@orders@0") ?? 0, 0, "nothing is done yet");
  assert.deepEqual(texts(await w.settle(consumer.poll({ messagesMax: 2 }))), ["10", "11"]);
  await w.run(6_000);
  assert.equal(broker.offsets.get("g@orders@0"), 10);
  assert.equal((await w.settle(consumer.poll({ messagesMax: 100 }))).length, 13);
  const before = w.world.nowMs;
  assert.deepEqual(await w.settle(consumer.poll({ timeoutMs: 700 })), []);
  assert.ok(w.world.nowMs - before >= 700);
  const next = consumer.poll();
  await w.run(100);
  broker.store("orders", 0, "late");
  assert.deepEqual(texts(await w.settle(next)), ["late"]);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 25, "the last one was handed out, and is not done");
});

test("asking the iteration for the next marks the one before as done; break leaves the last to the group", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 5; i++) broker.store("orders", 0, String(i));
  const consumer = await subscribed(w);
  const heard: string[] = [];
  const loop = async () => {
    for await (const message of consumer.messages()) {
      heard.push(message.text());
      if (heard.length === 3) break;
    }
  };
  await w.settle(loop());
  assert.deepEqual([heard, consumer.state], [["0", "1", "2"], "stopped"]);
  assert.deepEqual([broker.offsets.get("g@orders@0"), broker.unregistered], [2, ["g"]]);
  const again = await subscribed(w);
  const controller = new AbortController();
  const rest: string[] = [];
  const until = async () => {
    for await (const message of again.messages({ signal: controller.signal })) rest.push(message.text());
  };
  const over = until();
  await w.until(() => rest.length === 3);
  await w.run(1_000);
  controller.abort();
  await w.settle(over);
  assert.deepEqual([rest, broker.offsets.get("g@orders@0")], [["2", "3", "4"], 5]);
});

test("without automatic commit only commit() commits", async () => {
  const { w, broker } = stage();
  for (let i = 0; i < 5; i++) broker.store("orders", 0, String(i));
  const consumer = await subscribed(w, { autoCommit: false });
  await w.settle(consumer.poll({ messagesMax: 2 }));
  await w.settle(consumer.poll({ messagesMax: 1 }));
  await w.run(20_000);
  assert.equal(broker.offsets.get("g@orders@0") ?? 0, 0);
  await w.settle(consumer.commit());
  assert.equal(broker.offsets.get("g@orders@0"), 3);
  assert.equal(await w.settle(consumer.committed(queue(0))), 3);
  await w.settle(consumer.poll());
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 3);
});

test("queues are assigned and let go, sought, paused and resumed", async () => {
  const { w, broker } = stage(2);
  for (let i = 0; i < 8; i++) broker.store("orders", i % 2, String(i));
  const consumer = pulling(w);
  await w.settle(consumer.start());
  await w.settle(consumer.assign([queue(0)]));
  assert.deepEqual(consumer.assignment(), [queue(0)]);
  await w.run(100);
  assert.deepEqual(texts(await w.settle(consumer.poll())), ["0", "2", "4", "6"]);
  await w.settle(consumer.seek(queue(0), 2));
  assert.deepEqual(texts(await w.settle(consumer.poll())), ["4", "6"]);
  await w.settle(consumer.seekToBegin(queue(0)));
  assert.equal((await w.settle(consumer.poll())).length, 4);
  await w.settle(consumer.seekToEnd(queue(0)));
  assert.deepEqual(await w.settle(consumer.poll({ timeoutMs: 100 })), []);
  assert.ok(invalid(await w.failure(consumer.seek(queue(0), 5))));
  assert.ok(invalid(await w.failure(consumer.seek(queue(1), 0))));
  consumer.pause([queue(1)]);
  await w.settle(consumer.assign([queue(1)]));
  assert.deepEqual(await w.settle(consumer.poll({ timeoutMs: 1_000 })), []);
  consumer.resume([queue(1)]);
  assert.deepEqual(texts(await w.settle(consumer.poll())), ["1", "3", "5", "7"]);
  assert.equal(broker.offsets.get("g@orders@0"), 4);
  assert.throws(() => consumer.subscribe("orders"), invalid);
  await w.settle(consumer.shutdown());
});

test("a body that cannot be read is told alone, and those around it are not lost", async () => {
  const { w, broker } = stage();
  broker.store("orders", 0, "a");
  broker.store("orders", 0, "no zlib stream", "", 1);
  broker.store("orders", 0, "b");
  const consumer = await subscribed(w);
  await w.run(100);
  assert.deepEqual(texts(await w.settle(consumer.poll())), ["a"]);
  const failure = await w.failure(consumer.poll());
  assert.ok(failure instanceof OrbitError && failure.code === "BODY_UNREADABLE");
  assert.deepEqual(texts(await w.settle(consumer.poll())), ["b"]);
  await w.settle(consumer.shutdown());
  assert.equal(broker.offsets.get("g@orders@0"), 2);
});

test("subscribing and assigning exclude each other, and a consumer that is over says so", async () => {
  const { w } = stage();
  const consumer = await subscribed(w);
  assert.ok(invalid(await w.failure(consumer.assign([queue(0)]))));
  assert.throws(() => consumer.subscribe("orders"), invalid);
  assert.throws(() => consumer.subscribe("bad name!"), invalid);
  await w.settle(consumer.shutdown());
  const failure = await w.failure(consumer.poll());
  assert.ok(failure instanceof OrbitError && failure.code === "SHUT_DOWN");
});
