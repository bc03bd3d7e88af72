import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import { Producer } from "../producer/producer.ts";
import { TestWorld } from "../testing/test-world.ts";
import type { PushConsumerOptions } from "./consumer-options.ts";
import { PushConsumer } from "./push-consumer.ts";

function consumerOf(w: TestWorld, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  return new PushConsumer(w.host, { namesrv: w.namesrv, group: "g", logger: w.logger, ...options });
}

test("a consumer from the first message gets what was there and what comes, and commits on shutdown", async () => {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("orders", [broker], 2);
  broker.store("orders", 0, "one");
  broker.store("orders", 1, "two");
  const consumer = consumerOf(w, { from: "first" });
  const got: string[] = [];
  consumer.listen("orders", (message) => void got.push(message.text()));
  await w.settle(consumer.start());
  await w.until(() => got.length === 2);
  broker.store("orders", 0, "three");
  await w.until(() => got.length === 3);
  assert.deepEqual(got.slice().sort(), ["one", "three", "two"]);
  assert.deepEqual(await w.settle(consumer.shutdown()), { settled: 0, left: 0 });
  assert.equal(broker.offsets.get("g@orders@0"), 2);
  assert.equal(broker.offsets.get("g@orders@1"), 1);
  assert.deepEqual(broker.unregistered, ["g"]);
});

test("consumer first, topic unknown: a message sent later is heard within a second though from is last", async () => {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("TBW102", [broker], 8, 7);
  const consumer = consumerOf(w);
  const got: string[] = [];
  consumer.listen("orders", (message) => void got.push(message.text()));
  await w.settle(consumer.start());
  assert.deepEqual(consumer.status().topicsWithoutRoute, ["orders"]);
  await w.run(20_000);
  const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(producer.start());
  const sentAt = w.world.nowMs;
  await w.settle(producer.send({ topic: "orders", body: "first" }));
  w.nameServer.setRoute("orders", [broker], 4);
  await w.until(() => got.length === 1, 1_000);
  assert.ok(w.world.nowMs - sentAt <= 1_000);
  assert.equal(broker.count(RequestCode.GET_MIN_OFFSET) > 0, true);
  await w.settle(Promise.all([producer.shutdown(), consumer.shutdown()]));
});
