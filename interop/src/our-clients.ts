/** Our client as the tests use it: start, do, collect what came, end. */
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  Admin,
  type ClientOptions,
  Producer,
  type ProducerOptions,
  PushConsumer,
  type PushConsumerOptions,
  Reader,
  type ReceivedMessage,
  type SqlExpression,
} from "@orbitmq/client";
import { bodyOf, type Delivery, deliveryOf, type Expected } from "./delivery.ts";

/** Those a failed test left behind, too: an open client would keep the test's process alive for ever. */
const started = new Set<{ shutdown(): Promise<unknown> }>();
after(() => Promise.all([...started].map((client) => client.shutdown())));

/** How often a consumer is asked which queues it holds: it tells nobody by itself. */
const LOOK_INTERVAL_MS = 50;

/** A push consumer and what it got so far. */
export class Collector {
  readonly consumer: PushConsumer;
  readonly deliveries: Delivery[] = [];
  readonly #topic: string;
  readonly #waiting = new Set<() => void>();

  constructor(
    options: PushConsumerOptions,
    topic: string,
    selector: string | SqlExpression = "*",
    also: (message: ReceivedMessage) => void = () => {},
  ) {
    this.consumer = new PushConsumer({ from: "first", rebalanceIntervalMs: 1_000, ...options });
    this.#topic = topic;
    started.add(this.consumer);
    const listener = (message: ReceivedMessage) => {
      this.deliveries.push(deliveryOf(message));
      for (const wake of this.#waiting) wake();
      also(message);
    };
    this.consumer.subscribe(topic, selector, listener);
  }

  /** Resolves when so many were delivered, ever. */
  received(count: number): Promise<void> {
    return this.until(() => this.deliveries.length >= count);
  }

  /** Resolves when `look` says yes; it is asked at every delivery. */
  until(look: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        if (!look()) return;
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      wake();
    });
  }

  /** Resolves when it holds so many queues of its topic (it has those of its group's retry topic besides). */
  async holds(queues: number): Promise<void> {
    const held = () => this.consumer.status().queues.filter(({ queue }) => queue.topic === this.#topic);
    while (this.consumer.status().state === "running" && held().length !== queues)
      await delay(LOOK_INTERVAL_MS);
  }
}

/** Consumes `count` messages as a member of `group`, commits and leaves. */
export async function consume(
  options: PushConsumerOptions,
  topic: string,
  count: number,
  tags?: string,
): Promise<readonly Delivery[]> {
  const collector = new Collector(options, topic, tags);
  await collector.consumer.start();
  await collector.received(count);
  await collector.consumer.shutdown();
  return collector.deliveries;
}

/** Everything a topic holds, without joining a group. */
export async function readAll(options: ClientOptions, topic: string): Promise<readonly Delivery[]> {
  const reader = new Reader(options);
  started.add(reader);
  await reader.start();
  const deliveries: Delivery[] = [];
  for await (const message of reader.read(topic, { follow: false })) deliveries.push(deliveryOf(message));
  await reader.shutdown();
  return deliveries;
}

/** Sends the messages `expected` describes, one after the other. */
export async function sendAll(
  producer: Producer,
  topic: string,
  { keys = "key-", from = 0, count, size = 64, tag }: Expected,
): Promise<void> {
  for (let i = from; i < from + count; i++)
    await producer.send({ topic, body: bodyOf(`${keys}${i}`, size), keys: `${keys}${i}`, tag });
}

/** A started producer. */
export async function startProducer(options: ProducerOptions): Promise<Producer> {
  const producer = new Producer({ sendTimeoutMs: 10_000, ...options });
  started.add(producer);
  await producer.start();
  return producer;
}

/** Makes a topic, so that its queues can be shared before there is a message in it. */
export async function createTopic(namesrv: string, topic: string, queues: number): Promise<void> {
  const admin = new Admin({ namesrv });
  started.add(admin);
  await admin.start();
  await admin.createTopic(topic, { queues });
  await admin.shutdown();
}
