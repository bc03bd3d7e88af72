import assert from "node:assert/strict";
import { test } from "node:test";
import { Producer } from "../producer/producer.ts";
import { RealCluster } from "../testing/real-cluster.ts";
import { type SqlExpression, sql, subscriptionTo } from "./message-selector.ts";
import { PushConsumer } from "./push-consumer.ts";
import { Reader } from "./reader/reader.ts";

async function stage(enablePropertyFilter = true) {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a", { enablePropertyFilter });
  const producer = new Producer(c.host, { namesrv: c.namesrv });
  await c.settle(producer.start());
  const send = (price: string, body = price || "none") =>
    c.settle(producer.send({ topic: "orders", body, properties: price === "" ? {} : { price } }));
  const consumer = (selector: string | SqlExpression) => {
    const got: string[] = [];
    const one = new PushConsumer(c.host, { namesrv: c.namesrv, group: "g", from: "first" });
    one.subscribe("orders", selector, (message) => void got.push(message.text()));
    return { one, got };
  };
  return { c, send, consumer };
}

test("a subscription by SQL92 hears what the expression is true for, also after the broker's restart", async () => {
  const { c, send, consumer } = await stage();
  for (const price of ["4", "6.5", "", "cheap", "7"]) await send(price);
  const { one, got } = consumer(sql("price > 5.0 AND price <> 9.5"));
  await c.settle(one.start());
  await c.until(() => got.length === 2);
  assert.deepEqual(got.sort(), ["6.5", "7"], "what cannot be compared is no match");
  await send("1");
  await send("8");
  await c.until(() => got.length === 3);
  c.killBroker("broker-a");
  await c.startBroker("broker-a");
  await send("2");
  await send("9");
  await c.until(() => got.includes("9"));
  assert.ok(!got.includes("2"));
  await c.settle(one.shutdown());
});

test("an illegal expression, or a broker without SQL92, refuses the start", async () => {
  const { c, send, consumer } = await stage();
  await send("1");
  const illegal = consumer(sql("price >"));
  await assert.rejects(c.settle(illegal.one.start()), {
    code: "SUBSCRIPTION_PARSE_FAILED",
    responseCode: 23,
  });
  const off = await stage(false);
  await off.send("1");
  const unsupported = off.consumer(sql("price > 5"));
  await assert.rejects(off.c.settle(unsupported.one.start()), { code: "SYSTEM_ERROR", responseCode: 1 });
});

test("a consumer of a topic that does not exist yet starts, and hears it", async () => {
  const { c, send, consumer } = await stage();
  const { one, got } = consumer(sql("price > 5"));
  await c.settle(one.start());
  await send("4");
  await send("6");
  await c.until(() => got.length > 0);
  assert.deepEqual(got, ["6"]);
  await c.settle(one.shutdown());
});

test("a reader reads by SQL92", async () => {
  const { c, send } = await stage();
  for (const price of ["4", "6", "7"]) await send(price);
  const reader = new Reader(c.host, { namesrv: c.namesrv });
  await c.settle(reader.start());
  const read = async () => {
    const bodies: string[] = [];
    for await (const message of reader.read("orders", { sql: "price BETWEEN 5 AND 6", follow: false })) {
      bodies.push(message.text());
    }
    return bodies;
  };
  assert.deepEqual(await c.settle(read()), ["6"]);
  await c.settle(reader.shutdown());
});

test("a subscription is by tags or by SQL92, and by something", () => {
  const type = (options: object) => subscriptionTo("orders", options, 0).expressionType;
  assert.deepEqual([type({}), type({ tags: "a" }), type({ sql: "a" })], ["TAG", "TAG", "SQL92"]);
  for (const options of [{ tags: "a", sql: "a" }, { sql: " " }, { tags: "||" }]) {
    assert.throws(() => type(options), { code: "INVALID_ARGUMENT" });
  }
});
