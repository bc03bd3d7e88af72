/** Our transaction producer against the real broker. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerOptions } from "@orbitmq/broker";
import { PushConsumer } from "../../consumer/push-consumer.ts";
import { OrbitError } from "../../errors/errors.ts";
import { RealCluster } from "../../testing/real-cluster.ts";
import type { LocalTransactionState } from "./local-transaction.ts";
import { TransactionProducer } from "./transaction-producer.ts";

async function stage(options: Partial<BrokerOptions> = {}) {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a", options);
  const executed: string[] = [];
  const checked: string[] = [];
  /** What the local transaction of a message says, by the message. */
  const says = new Map<string, LocalTransactionState | Error>();
  const checks = new Map<string, LocalTransactionState | Error>();
  const tell = (table: typeof says, text: string): LocalTransactionState => {
    const state = table.get(text) ?? "UNKNOW";
    if (state instanceof Error) throw state;
    return state;
  };
  const producer = (namespace?: string) =>
    new TransactionProducer<number>(c.host, {
      namesrv: c.namesrv,
      group: "tx",
      namespace,
      executeLocalTransaction: ({ message, argument, transactionId }) => {
        assert.ok(transactionId.length > 0);
        const text = "body" in message ? String(message.body) : "";
        executed.push(`${text}:${argument}`);
        return tell(says, text);
      },
      checkLocalTransaction: async (message) => {
        assert.equal(message.topic, "orders");
        checked.push(message.text());
        return tell(checks, message.text());
      },
    });
  const heard: string[] = [];
  const consumer = async (namespace?: string) => {
    const one = new PushConsumer(c.host, { namesrv: c.namesrv, group: "g", from: "first", namespace });
    one.listen("orders", (message) => void heard.push(message.text()));
    await c.settle(one.start());
    return one;
  };
  return { c, producer, consumer, heard, executed, checked, says, checks };
}

test("a committed message is delivered, one that is rolled back never", async () => {
  const { c, producer, consumer, heard, executed, says } = await stage();
  const one = producer();
  await c.settle(one.start());
  says.set("a", "COMMIT_MESSAGE").set("b", "ROLLBACK_MESSAGE");
  const send = (body: string, argument: number) =>
    c.settle(one.sendInTransaction({ topic: "orders", body }, { argument }));
  const a = await send("a", 1);
  assert.equal(a.localTransactionState, "COMMIT_MESSAGE");
  assert.equal(a.transactionId, a.msgId);
  assert.equal((await send("b", 2)).localTransactionState, "ROLLBACK_MESSAGE");
  const reader = await consumer();
  await c.until(() => heard.length === 1);
  await c.world.run(120_000);
  assert.deepEqual([heard, executed], [["a"], ["a:1", "b:2"]]);
  await c.settle(Promise.all([one.shutdown(), reader.shutdown()]));
});

test("what is not known, or threw, is asked about until it is known; another producer of the group may answer", async () => {
  const { c, producer, consumer, heard, checked, says, checks } = await stage();
  const one = producer("ns");
  await c.settle(one.start());
  says.set("threw", new Error("no database")).set("strange", "WHATEVER" as LocalTransactionState);
  for (const body of ["unknown", "threw", "strange"]) {
    const { localTransactionState } = await c.settle(one.sendInTransaction({ topic: "orders", body }));
    assert.equal(localTransactionState, "UNKNOW");
  }
  checks.set("unknown", "UNKNOW").set("threw", new Error("still none")).set("strange", "COMMIT_MESSAGE");
  const reader = await consumer("ns");
  await c.until(() => heard.length === 1);
  assert.deepEqual(heard, ["strange"]);
  assert.equal(checked.length, 3);
  await c.settle(one.shutdown());
  const two = producer("ns");
  await c.settle(two.start());
  checks.set("unknown", "COMMIT_MESSAGE").set("threw", "ROLLBACK_MESSAGE");
  // Whoever has sent nothing yet is known to no broker.
  await c.settle(two.sendInTransaction({ topic: "orders", body: "last" }));
  await c.until(() => heard.length === 2);
  assert.deepEqual(heard, ["strange", "unknown"]);
  await c.settle(Promise.all([two.shutdown(), reader.shutdown()]));
});

test("a half whose answer is lost is rolled back when the broker asks; the local transaction never runs", async () => {
  const { c, producer, consumer, heard, executed, checked, says } = await stage();
  const one = producer();
  await c.settle(one.start());
  says.set("first", "COMMIT_MESSAGE");
  await c.settle(one.sendInTransaction({ topic: "orders", body: "first" }));
  const aborting = new AbortController();
  const aborted = one.sendInTransaction({ topic: "orders", body: "aborted" }, { signal: aborting.signal });
  aborting.abort();
  await assert.rejects(c.settle(aborted), (error: OrbitError) => error.outcome === "unknown");
  const reader = await consumer();
  await c.world.run(120_000);
  assert.deepEqual(heard, ["first"]);
  assert.ok(!executed.some((each) => each.startsWith("aborted")));
  assert.ok(!checked.includes("aborted"));
  await c.settle(Promise.all([one.shutdown(), reader.shutdown()]));
});

test("a killed broker asks about what it has; nothing is delivered twice", async () => {
  const { c, producer, consumer, heard, says, checks } = await stage();
  const one = producer();
  await c.settle(one.start());
  says.set("a", "COMMIT_MESSAGE");
  checks.set("u", "COMMIT_MESSAGE");
  for (const body of ["a", "u"]) await c.settle(one.sendInTransaction({ topic: "orders", body }));
  c.killBroker("broker-a");
  await c.startBroker("broker-a");
  const reader = await consumer();
  await c.until(() => heard.length === 2);
  await c.world.run(120_000);
  assert.deepEqual(heard.sort(), ["a", "u"]);
  await c.settle(Promise.all([one.shutdown(), reader.shutdown()]));
});

test("shutdown waits for local transactions under way, and refuses new ones", async () => {
  const { c } = await stage();
  let finish = (): void => {};
  const one = new TransactionProducer(c.host, {
    namesrv: c.namesrv,
    group: "tx",
    executeLocalTransaction: () =>
      new Promise((resolve) => {
        finish = () => resolve("COMMIT_MESSAGE");
      }),
    checkLocalTransaction: () => "UNKNOW",
  });
  await c.settle(one.start());
  const sent = one.sendInTransaction({ topic: "orders", body: "a" });
  await c.world.run(1_000);
  const stopped = one.shutdown({ deadlineMs: 10_000 });
  c.world.after(1_000, () => finish());
  assert.equal((await c.settle(sent)).localTransactionState, "COMMIT_MESSAGE");
  await c.settle(stopped);
  const late = one.sendInTransaction({ topic: "orders", body: "b" });
  await assert.rejects(
    late,
    (error: OrbitError) => error instanceof OrbitError && error.code === "SHUT_DOWN",
  );
});

test("without a group of its own, or a way to tell, a transaction producer is refused", () => {
  const { host } = new RealCluster();
  const ways = {
    executeLocalTransaction: () => "UNKNOW" as const,
    checkLocalTransaction: () => "UNKNOW" as const,
  };
  const make = (options: object) => () => new TransactionProducer(host, { ...ways, ...options } as never);
  for (const options of [
    {},
    { group: "g", checkLocalTransaction: undefined },
    { group: "g", checksMax: 0 },
  ]) {
    assert.throws(make(options), (error: OrbitError) => error.code === "INVALID_ARGUMENT");
  }
  make({ group: "g" })();
});
