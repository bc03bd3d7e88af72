import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  LitePullConsumer,
  Producer,
  PushConsumer,
  type PushConsumerOptions,
  type ReceivedMessage,
  TransactionProducer,
} from "@orbitmq/client";
import { ServerError } from "../server-error.ts";
import { type ManualOrbitMQ, start } from "../start.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let mq: ManualOrbitMQ;
let producer: Producer;
const stops = new Set<() => Promise<unknown>>();

beforeEach(async () => {
  const config = { recallMessageEnable: true };
  mq = await start({ store: "memory", clock: "manual", namesrvPort: 0, brokerPort: 0, config });
  producer = new Producer({ ...mq.clientOptions });
  await producer.start();
});

afterEach(async () => {
  for (const stop of stops) await stop();
  stops.clear();
  await producer.shutdown();
  await mq.stop();
});

const consumerOf = (options: Partial<PushConsumerOptions> = {}): PushConsumer => {
  const consumer = new PushConsumer({ ...mq.clientOptions, group: "g", from: "first", ...options });
  stops.add(() => consumer.shutdown());
  return consumer;
};

describe("a server whose clock is moved by hand", () => {
  it("delivers at once what has no delay, without any time passing", async () => {
    const before = mq.nowMs();
    const texts: string[] = [];
    const consumer = consumerOf();
    consumer.listen("t", (message) => void texts.push(message.text()));
    await consumer.start();
    await producer.send({ topic: "t", body: "now" });
    await mq.advance(0);
    assert.deepEqual(texts, ["now"]);
    assert.equal(mq.nowMs(), before);
  });

  it("closes an order 30 minutes after it was made, and not a millisecond before", async () => {
    const closed: [string, number][] = [];
    const consumer = consumerOf();
    consumer.listen("close-order", (message) => void closed.push([message.text(), mq.nowMs()]));
    await consumer.start();
    const madeMs = mq.nowMs();
    await producer.send({ topic: "close-order", body: "order 7", delayLevel: 16 });
    await mq.advance(30 * MINUTE - 1);
    assert.deepEqual(closed, []);
    await mq.advance(1);
    assert.deepEqual(closed, [["order 7", madeMs + 30 * MINUTE]]);
    assert.equal(mq.nowMs(), madeMs + 30 * MINUTE);
  });

  it("delivers at the time asked for, to the second and never before, and not what was recalled", async () => {
    const delivered: [string, number][] = [];
    const consumer = consumerOf();
    consumer.listen("t", (message) => void delivered.push([message.text(), mq.nowMs()]));
    await consumer.start();
    const sentMs = mq.nowMs();
    await producer.send({ topic: "t", body: "kept", delayMs: 90 * SECOND });
    const { recallHandle } = await producer.send({ topic: "t", body: "recalled", delayMs: 90 * SECOND });
    await producer.recall("t", recallHandle!);
    await mq.advance(90 * SECOND - 1);
    assert.equal(delivered.length, 0);
    await mq.advance(2 * SECOND);
    assert.deepEqual(
      delivered.map(([text]) => text),
      ["kept"],
    );
    const waitedMs = delivered[0]![1] - sentMs;
    assert.ok(waitedMs >= 90 * SECOND && waitedMs <= 91 * SECOND, `${waitedMs}`);
  });

  it("asks a producer again for the transaction it did not decide, and delivers once it is committed", async () => {
    const texts: string[] = [];
    const consumer = consumerOf();
    consumer.listen("t", (message) => void texts.push(message.text()));
    await consumer.start();
    let checks = 0;
    const transactions = new TransactionProducer({
      ...mq.clientOptions,
      group: "orders",
      executeLocalTransaction: () => "UNKNOW",
      checkLocalTransaction: () => (++checks < 2 ? "UNKNOW" : "COMMIT_MESSAGE"),
    });
    stops.add(() => transactions.shutdown());
    await transactions.start();
    await transactions.sendInTransaction({ topic: "t", body: "paid" });
    await mq.advance(5 * SECOND);
    assert.deepEqual([checks, texts], [0, []]);
    await mq.advance(2 * MINUTE);
    assert.deepEqual([checks, texts], [2, ["paid"]]);
  });

  it("goes through all sixteen attempts at their times, and leaves the message as a dead letter", async () => {
    const attempts: [number, number][] = [];
    const beganMs = mq.nowMs();
    const consumer = consumerOf({ group: "unlucky" });
    consumer.listen("t", (message) => {
      attempts.push([message.reconsumeTimes, Math.round((mq.nowMs() - beganMs) / SECOND)]);
      throw new Error("no luck");
    });
    await consumer.start();
    await producer.send({ topic: "t", body: "x" });
    await mq.advance(5 * 60 * MINUTE);
    const pauses = [0, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200];
    let at = 0;
    assert.deepEqual(
      attempts,
      pauses.map((pause, times) => {
        at += pause;
        return [times, at];
      }),
    );
    const dead: ReceivedMessage[] = [];
    const undertaker = consumerOf({ group: "undertaker" });
    undertaker.listen("%DLQ%unlucky", (message) => void dead.push(message));
    await undertaker.start();
    await mq.advance(0);
    assert.deepEqual(
      dead.map((message) => message.text()),
      ["x"],
    );
  });

  it("takes a message from a listener that hangs for 15 minutes, and brings it again", async () => {
    const seen: number[] = [];
    let aborted = false;
    const consumer = consumerOf();
    consumer.listen("t", (message, { signal }) => {
      seen.push(message.reconsumeTimes);
      if (message.reconsumeTimes > 0) return;
      return new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => {
          aborted = true;
          resolve();
        }),
      );
    });
    await consumer.start();
    await producer.send({ topic: "t", body: "x" });
    await mq.advance(15 * MINUTE - SECOND);
    assert.deepEqual([seen, aborted], [[0], false]);
    await mq.advance(MINUTE);
    assert.deepEqual([seen, aborted], [[0, 1], true]);
  });

  it("lets a queue in order rest for a second after a failure", async () => {
    const seen: [string, number][] = [];
    const beganMs = mq.nowMs();
    const consumer = consumerOf();
    consumer.listenOrderly("t", (message) => {
      seen.push([message.text(), mq.nowMs() - beganMs]);
      if (seen.length < 3) throw new Error("not yet");
    });
    await consumer.start();
    await producer.send([
      { topic: "t", body: "a" },
      { topic: "t", body: "b" },
    ]);
    await mq.advance(10 * SECOND);
    assert.deepEqual(seen, [
      ["a", 0],
      ["a", 1000],
      ["a", 2000],
      ["b", 2000],
    ]);
  });

  it("keeps groups, routes and connections over an hour, and divides queues anew when a member goes", async () => {
    const texts: string[] = [];
    const first = consumerOf({ clientId: "one" });
    const second = consumerOf({ clientId: "two" });
    for (const consumer of [first, second])
      consumer.listen("t", (message) => void texts.push(message.text()));
    await first.start();
    await second.start();
    await mq.advance(60 * MINUTE);
    await producer.send({ topic: "t", body: "after an hour" });
    await mq.advance(0);
    assert.deepEqual(texts, ["after an hour"]);
    const stopping = first.shutdown();
    await mq.advance(20 * SECOND);
    await stopping;
    for (let i = 0; i < 8; i++) await producer.send({ topic: "t", body: `${i}` });
    await mq.advance(0);
    assert.equal(texts.length, 9);
  });

  it("is shared by a lite pull consumer, whose poll ends when its time is over", async () => {
    const consumer = new LitePullConsumer({ ...mq.clientOptions, group: "pull", from: "first" });
    stops.add(() => consumer.shutdown());
    consumer.subscribe("t");
    await consumer.start();
    const nothing = consumer.poll({ timeoutMs: 5_000 });
    await mq.advance(4_999);
    assert.equal(await Promise.race([nothing, mq.advance(0).then(() => "still waiting")]), "still waiting");
    await mq.advance(1);
    assert.deepEqual(await nothing, []);
    await producer.send({ topic: "t", body: "x" });
    assert.equal((await consumer.poll())[0]?.text(), "x");
  });

  it("passes what a timer throws on to whoever advances, and refuses to go back", async () => {
    mq.clientOptions.clock?.timers.after(10, () => {
      throw new Error("of the application");
    });
    await assert.rejects(mq.advance(10), /of the application/);
    assert.throws(() => mq.advance(-1), RangeError);
    await mq.advance(1);
  });

  it("stops although a listener hangs", async () => {
    const consumer = new PushConsumer({ ...mq.clientOptions, group: "g", from: "first" });
    consumer.listen("t", () => new Promise(() => {}));
    await consumer.start();
    await producer.send({ topic: "t", body: "x" });
    await mq.advance(0);
    const stopping = consumer.shutdown();
    await mq.advance(10 * SECOND);
    assert.equal((await stopping).left, 1);
  });
});

it("a clock by hand needs a store in memory", async () => {
  await assert.rejects(
    start({ home: "/nowhere", clock: "manual" }),
    (error) => error instanceof ServerError && error.code === "USAGE",
  );
});
