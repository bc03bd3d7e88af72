/**
 * A little of everything that metrics count, with known numbers: what a test expects of them. The same against any
 * server, ours or RocketMQ's.
 */
import { Producer, PushConsumer, SimpleConsumer, TransactionProducer } from "@orbitmq/client";

export const workload = {
  topic: "counted",
  group: "counters",
  poppers: "poppers",
  normal: 5,
  fifo: 2,
  batch: 3,
  delayed: 1,
  timed: 1,
  committed: 2,
  rolledBack: 1,
} as const;

/** Consumed from the topic by each group: all but what is delayed, timed or rolled back. */
export const CONSUMED = workload.normal + workload.fifo + workload.batch + workload.committed;

/** What is still online: close it. */
export interface Working {
  stop(): Promise<void>;
}

/** Resolves when every message was consumed, acknowledged, or sent back once. */
export async function work(namesrv: string): Promise<Working> {
  const { topic } = workload;
  const producer = new Producer({ namesrv, group: "producers" });
  await producer.start();
  for (let i = 0; i < workload.normal; i++) await producer.send({ topic, body: `normal ${i}` });
  for (let i = 0; i < workload.fifo; i++) {
    await producer.send({ topic, body: `fifo ${i}`, properties: { __SHARDINGKEY: "one" } });
  }
  await producer.send(Array.from({ length: workload.batch }, (_, i) => ({ topic, body: `batch ${i}` })));
  await producer.send({ topic, body: "delayed", delayLevel: 18 });
  await producer.send({ topic, body: "timed", delayMs: 3_600_000 });
  let decided = 0;
  const transactions = new TransactionProducer({
    namesrv,
    group: "transactions",
    executeLocalTransaction: () => (decided++ < workload.committed ? "COMMIT_MESSAGE" : "ROLLBACK_MESSAGE"),
    checkLocalTransaction: () => "COMMIT_MESSAGE",
  });
  await transactions.start();
  for (let i = 0; i < workload.committed + workload.rolledBack; i++) {
    await transactions.sendInTransaction({ topic, body: `transaction ${i}` });
  }
  const consumer = new PushConsumer({ namesrv, group: workload.group, from: "first", maxReconsumeTimes: 0 });
  let consumed = 0;
  const all = new Promise<void>((resolve) => {
    consumer.subscribe(topic, "*", (message) => {
      // Nothing is retried: what fails is a dead letter.
      const text = message.text();
      if (++consumed === CONSUMED) resolve();
      if (text === "normal 0") throw new Error("this one fails");
    });
  });
  await consumer.start();
  await all;
  const popper = new SimpleConsumer({ namesrv, group: workload.poppers, from: "first", invisibleMs: 60_000 });
  popper.subscribe(topic);
  await popper.start();
  for (let popped = 0; popped < CONSUMED; ) {
    for (const message of await popper.receive({ awaitMs: 5_000 })) {
      popped++;
      await popper.ack(message);
    }
  }
  const clients = [producer, transactions, consumer, popper];
  return {
    stop: async () => {
      await Promise.all(clients.map((client) => client.shutdown()));
    },
  };
}
