import assert from "node:assert/strict";
import { test } from "node:test";
import { getProperty, RequestCode } from "@orbitmq/wire";
import { TestWorld } from "../testing/test-world.ts";
import { Producer } from "./producer.ts";

test("a message sent to an existing topic is acknowledged with its place", async () => {
  const w = new TestWorld();
  const broker = w.addBroker("broker-a");
  w.nameServer.setRoute("orders", [broker], 4);
  const producer = new Producer(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(producer.start());
  const result = await w.settle(
    producer.send({ topic: "orders", body: "hello", tag: "t", keys: ["k1", "k2"] }),
  );
  assert.equal(result.status, "SEND_OK");
  assert.equal(result.durability, "disk");
  assert.equal(result.region, "DefaultRegion");
  assert.equal(result.queueOffset, 0);
  assert.match(result.msgId, /^[0-9A-F]{32}$/);
  assert.equal(result.queue.brokerName, "broker-a");
  const [stored] = broker.messages("orders");
  assert.equal(Buffer.from(stored!.body).toString(), "hello");
  assert.equal(stored!.queueId, result.queue.queueId);
  assert.equal(getProperty(stored!.properties, "UNIQ_KEY"), result.msgId);
  assert.equal(getProperty(stored!.properties, "TAGS"), "t");
  assert.equal(getProperty(stored!.properties, "KEYS"), "k1 k2");
  assert.deepEqual(await w.settle(producer.shutdown()), { settled: 0, left: 0 });
  assert.deepEqual(broker.unregistered, ["ORBITMQ_PRODUCER"]);
  assert.equal(broker.count(RequestCode.SEND_MESSAGE_V2), 1);
});
