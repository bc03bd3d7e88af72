import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import type { OrbitError } from "../errors/errors.ts";
import { stage } from "../testing/consumer-stage.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { FakePop } from "../testing/fake-pop.ts";
import type { TestWorld } from "../testing/test-world.ts";
import { SimpleConsumer } from "./simple-consumer.ts";
import type { SimpleConsumerOptions } from "./simple-consumer-options.ts";

interface Stage {
  readonly w: TestWorld;
  readonly broker: FakeBroker;
  readonly pop: FakePop;
  readonly consumer: SimpleConsumer;
}

async function started(options: Partial<SimpleConsumerOptions> = {}): Promise<Stage> {
  const { w, broker } = stage(2);
  const pop = new FakePop(broker);
  const consumer = new SimpleConsumer(w.host, {
    namesrv: w.namesrv,
    group: "g",
    from: "first",
    logger: w.logger,
    ...options,
  });
  consumer.subscribe("orders");
  await w.settle(consumer.start());
  return { w, broker, pop, consumer };
}

const texts = (messages: readonly { text(): string }[]) => messages.map((message) => message.text());

test("messages are received from any queue, acknowledged one by one, and what is not comes again", async () => {
  const { w, broker, pop, consumer } = await started({ invisibleMs: 10_000 });
  broker.store("orders", 0, "a");
  broker.store("orders", 1, "b");
  const messages = await w.settle(consumer.receive());
  assert.deepEqual(texts(messages), ["a", "b"]);
  await w.settle(consumer.ack(messages[0]!));
  assert.deepEqual(pop.acks, [{ topic: "orders", queueId: 0, offset: 0 }]);
  const again = await w.settle(consumer.receive());
  assert.deepEqual(texts(again), ["b"]);
  assert.equal(again[0]!.reconsumeTimes, 1);
  await w.settle(consumer.ack(again[0]!));
  assert.equal(pop.acks[1]!.topic, "%RETRY%g_orders");
  await w.settle(consumer.shutdown());
  assert.deepEqual(broker.unregistered, ["g"]);
});

test("receiving waits for a message, and no longer than it was told", async () => {
  const { w, broker, consumer } = await started();
  const waiting = consumer.receive();
  await w.run(5_000);
  broker.store("orders", 0, "late");
  assert.deepEqual(texts(await w.settle(waiting)), ["late"]);
  const beganMs = w.world.nowMs;
  assert.deepEqual(await w.settle(consumer.receive({ awaitMs: 2_000 })), []);
  assert.ok(w.world.nowMs - beganMs >= 2_000 && w.world.nowMs - beganMs < 3_000);
  await w.settle(consumer.shutdown());
});

test("a message stays invisible for as long as it is told, counted anew", async () => {
  const { w, broker, pop, consumer } = await started({ invisibleMs: 10_000 });
  broker.store("orders", 0, "a");
  const [message] = await w.settle(consumer.receive());
  await w.settle(consumer.changeInvisible(message!, 40_000));
  await w.run(30_000);
  assert.deepEqual(await w.settle(consumer.receive({ awaitMs: 1_000 })), []);
  await w.settle(consumer.ack(message!));
  assert.deepEqual(
    pop.changes.map(({ ms }) => ms),
    [40_000],
  );
  await w.settle(consumer.shutdown());
});

test("messages of several brokers are received, whichever has some", async () => {
  const { w, broker, consumer } = await started();
  const other = w.addBroker("broker-b");
  new FakePop(other);
  w.nameServer.setRoute("orders", [broker, other], 1);
  await w.run(31_000);
  for (const [at, body] of [
    [other, "b"],
    [broker, "a"],
    [other, "c"],
  ] as const) {
    at.store("orders", 0, body);
    assert.deepEqual(texts(await w.settle(consumer.receive(), 5_000)), [body]);
  }
  await w.settle(consumer.shutdown());
});

test("in order, an attempt whose answer was lost is made again under its id", async () => {
  const { w, broker, pop, consumer } = await started();
  broker.store("orders", 0, "a");
  let lose = true;
  broker.script = (request) => {
    if (request.code !== RequestCode.POP_MESSAGE || !lose) return false;
    lose = false;
    return { code: 1, remark: "lost" };
  };
  const messages = await w.settle(consumer.receive({ fifo: true }));
  assert.deepEqual(texts(messages), ["a"]);
  const [asked] = pop.asked;
  assert.equal(asked!.order, true);
  assert.match(asked!.attemptId ?? "", /^[0-9a-f]{32}$/);
  await w.settle(consumer.receive({ fifo: true, awaitMs: 100 }));
  assert.notEqual(pop.asked[1]!.attemptId, asked!.attemptId);
  await w.settle(consumer.receive({ fifo: true, awaitMs: 100, attemptId: "mine" }));
  assert.equal(pop.asked[2]!.attemptId, "mine");
  await w.settle(consumer.shutdown());
});

test("a signal ends the wait, and shutdown does", async () => {
  const { w, consumer } = await started();
  const controller = new AbortController();
  const waiting = consumer.receive({ signal: controller.signal });
  await w.run(1_000);
  controller.abort();
  assert.deepEqual(await w.settle(waiting, 100), []);
  const last = consumer.receive();
  const ended = last.then(
    () => "ended",
    (error: OrbitError) => error.code,
  );
  await w.settle(consumer.shutdown());
  assert.ok(["ended", "SHUT_DOWN"].includes(await w.settle(ended, 5_000)));
});

test("what a broker says in the end, and what is no message of this consumer's, is refused", async () => {
  const { w, broker, consumer } = await started();
  broker.script = (request) =>
    request.code === RequestCode.POP_MESSAGE && { code: 26, remark: "no such group" };
  const error = (await w.failure(consumer.receive({ awaitMs: 3_000 }))) as OrbitError;
  assert.equal(error.code, "SUBSCRIPTION_GROUP_NOT_EXIST");
  broker.script = undefined;
  broker.store("orders", 0, "a");
  const [message] = await w.settle(consumer.receive());
  const copy = Object.assign(Object.create(Object.getPrototypeOf(message)), message);
  assert.throws(
    () => consumer.ack(copy),
    (thrown) => (thrown as OrbitError).code === "INVALID_ARGUMENT",
  );
  consumer.unsubscribe("orders");
  assert.equal(((await w.failure(consumer.receive())) as OrbitError).code, "INVALID_ARGUMENT");
  await w.settle(consumer.shutdown());
});

test("with a namespace the broker sees it, and the application does not", async () => {
  const { w, broker, pop, consumer } = await started({ namespace: "ns" });
  w.nameServer.setRoute("ns%orders", [broker], 1);
  broker.store("ns%orders", 0, "a");
  const [message] = await w.settle(consumer.receive());
  assert.equal(message!.topic, "orders");
  assert.equal(pop.asked[0]!.consumerGroup, "ns%g");
  await w.settle(consumer.ack(message!));
  assert.equal(pop.acks[0]!.topic, "ns%orders");
  await w.settle(consumer.shutdown());
});
