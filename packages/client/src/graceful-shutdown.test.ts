/** Consumers that stop under load, against the real broker: what their listeners have consumed does not come again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerOptions } from "@orbitmq/broker";
import type { PushConsumerOptions } from "./consumer/consumer-options.ts";
import { LitePullConsumer } from "./consumer/lite-pull-consumer.ts";
import { PushConsumer } from "./consumer/push-consumer.ts";
import { Producer } from "./producer/producer.ts";
import { RealCluster } from "./testing/real-cluster.ts";

const MESSAGES = 120;
const GENERATIONS = 3;

async function stage(options: Partial<BrokerOptions> = {}) {
  const c = new RealCluster();
  await c.startNameServer();
  await c.startBroker("broker-a", options);
  const producer = new Producer(c.host, { namesrv: c.namesrv });
  await c.settle(producer.start());
  await c.settle(producer.send({ topic: "orders", body: "first" }));
  /** One message every 2 ms. */
  const load = async () => {
    for (let i = 0; i < MESSAGES; i++) {
      await producer.send({ topic: "orders", body: String(i) });
      await new Promise<void>((resolve) => c.host.timers.after(2, resolve));
    }
  };
  return { c, producer, load };
}

/** Consumers of one group follow one another while messages come; each is stopped with its hands full. */
async function generations(
  kind: "concurrent" | "orderly",
  options: Partial<PushConsumerOptions> = {},
  brokerOptions: Partial<BrokerOptions> = {},
): Promise<readonly string[]> {
  const { c, producer, load } = await stage(brokerOptions);
  const done: string[] = [];
  const sending = load();
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const consumer = new PushConsumer(c.host, { namesrv: c.namesrv, group: "g", from: "first", ...options });
    const listener = async (message: { text(): string }) => {
      await new Promise<void>((resolve) => c.host.timers.after(1 + c.host.random.int(30), resolve));
      done.push(message.text());
    };
    if (kind === "concurrent") consumer.listen("orders", listener);
    else consumer.listenOrderly("orders", listener);
    await c.settle(consumer.start());
    const wanted = generation === GENERATIONS - 1 ? MESSAGES + 1 : ((generation + 1) * MESSAGES) / 4;
    await c.until(() => new Set(done).size >= wanted);
    const { left } = await c.settle(consumer.shutdown());
    assert.equal(left, 0);
  }
  await c.settle(sending);
  await c.settle(producer.shutdown());
  return done;
}

function assertOnce(done: readonly string[]): void {
  const repeated = done.filter((text, i) => done.indexOf(text) !== i);
  assert.deepEqual(repeated, []);
  assert.equal(done.length, MESSAGES + 1);
}

test("concurrent listeners", async () => {
  assertOnce(await generations("concurrent"));
});

test("listeners in order", async () => {
  assertOnce(await generations("orderly"));
});

test("listeners of popped messages", async () => {
  assertOnce(
    await generations("concurrent", { clientRebalance: false }, { defaultMessageRequestMode: "POP" }),
  );
});

test("an iteration that is broken off commits what was asked to go on from, and nothing unfinished", async () => {
  const { c, producer, load } = await stage();
  const finished: string[] = [];
  const seen: string[] = [];
  const sending = load();
  for (let generation = 0; generation < GENERATIONS; generation++) {
    const consumer = new LitePullConsumer(c.host, { namesrv: c.namesrv, group: "g", from: "first" });
    consumer.subscribe("orders");
    await c.settle(consumer.start());
    const isLast = generation === GENERATIONS - 1;
    const iterate = async () => {
      for await (const message of consumer.messages()) {
        seen.push(message.text());
        // Broken off with this one in hand: it belongs to the next generation.
        if (!isLast && seen.length % 30 === 0) break;
        finished.push(message.text());
        if (finished.length === MESSAGES + 1) break;
      }
    };
    await c.settle(iterate());
  }
  await c.settle(sending);
  await c.settle(producer.shutdown());
  assert.deepEqual(
    finished.filter((text, i) => finished.indexOf(text) !== i),
    [],
  );
  assert.equal(new Set(finished).size, MESSAGES + 1);
  assert.equal(seen.length, MESSAGES + 1 + GENERATIONS - 1);
});
