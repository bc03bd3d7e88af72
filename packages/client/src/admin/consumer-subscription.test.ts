import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeConsumerSubscription,
  newSubscriptionData,
  querySubscriptionByConsumerRequestHeader,
  RequestCode,
} from "@orbitmq/wire";
import { PushConsumer } from "../consumer/push-consumer.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { RealCluster } from "../testing/real-cluster.ts";
import { TestWorld } from "../testing/test-world.ts";
import { Admin } from "./admin.ts";

test("what a group subscribes to of a topic is told broker by broker, and who knows nothing or is silent is no row", async () => {
  const w = new TestWorld();
  const brokers = ["a", "b", "c", "d"].map((name) => w.addBroker(`broker-${name}`));
  const [a, b, c, d] = brokers as [FakeBroker, FakeBroker, FakeBroker, FakeBroker];
  const knows = (broker: FakeBroker, expression: string | undefined, type: string, version: number) =>
    broker.server.handle(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, ({ ext }, exchange) => {
      const { group, topic } = querySubscriptionByConsumerRequestHeader.decode(ext);
      const known = expression !== undefined && group === "g" && topic === "orders";
      const data = known ? newSubscriptionData(topic, expression, version, type) : undefined;
      exchange.reply({ code: 0, body: [encodeConsumerSubscription(group, topic, data)] });
    });
  knows(a, "x || y", "TAG", 7);
  knows(b, "a > 1", "SQL92", 8);
  knows(c, undefined, "TAG", 0);
  w.nameServer.setRoute("orders", [d, c, b, a], 1);
  const admin = new Admin(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(admin.start());
  const { failures, ...told } = await w.settle(admin.consumerSubscription("g", "orders"));
  const row = { topic: "orders" };
  assert.deepEqual(told, {
    group: "g",
    subscriptions: [
      { ...row, brokerName: "broker-a", expressionType: "TAG", expression: "x || y", subVersion: 7 },
      { ...row, brokerName: "broker-b", expressionType: "SQL92", expression: "a > 1", subVersion: 8 },
    ],
  });
  assert.deepEqual(
    failures.map(({ server, code }) => [server, code]),
    [[d.name, "REQUEST_CODE_NOT_SUPPORTED"]],
  );
  await w.settle(admin.shutdown());
});

test("a real broker tells what a member subscribes to while it is online", async () => {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a");
  const admin = new Admin(c.host, { namesrv: c.namesrv });
  await c.settle(admin.start());
  await c.settle(admin.createTopic("orders"));
  const consumer = new PushConsumer(c.host, { namesrv: c.namesrv, group: "g" });
  consumer.subscribe("orders", "x || y", () => {});
  await c.settle(consumer.start());
  const told = async () => (await c.settle(admin.consumerSubscription("g", "orders"))).subscriptions;
  const [row, ...rest] = await told();
  assert.deepEqual(
    [row?.brokerName, row?.topic, row?.expressionType, row?.expression, rest],
    ["broker-a", "orders", "TAG", "x || y", []],
  );
  await c.settle(consumer.shutdown());
  assert.deepEqual(await told(), []);
  await c.settle(admin.shutdown());
});
