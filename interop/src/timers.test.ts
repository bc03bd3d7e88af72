/**
 * Messages for a time between ours and the original: Java's producer on our broker, our producer and its recall on a
 * Java broker, and one store with pending timers that passes from each to the other, nothing lost and nothing twice.
 * The tests build on each other.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Producer, SendResult } from "@orbitmq/client";
import { startServerProcess } from "orbitmq/testing";
import { deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { consume, createTopic, readAll, startProducer } from "./our-clients.ts";
import { storeWithJava, storeWithOurs } from "./store-owners.ts";
import { Workshop } from "./workshop.ts";

const timeout = 240_000;
const TOPIC = "timed";
const COUNT = 20;
/** Longer than anything waits. */
const IDLE_MS = 100_000;
const workshop = new Workshop("timers");
const directory = workshop.place("timed");
const recall = { recallMessageEnable: "true" };
let namesrv: string;
let clients: JavaClients;

before(async () => {
  const nameServer = await startServerProcess({ role: "namesrv", home: "" });
  workshop.ends(nameServer, (it) => it.stop());
  namesrv = nameServer.namesrvAddr;
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

const keysOf = (deliveries: readonly { readonly key: string }[]): string[] =>
  deliveries.map(({ key }) => key).sort();
const numbered = (prefix: string, count = COUNT): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`).sort();

async function sendTimed(producer: Producer, prefix: string, delayMs: number): Promise<SendResult[]> {
  const sent: SendResult[] = [];
  for (let i = 0; i < COUNT; i++)
    sent.push(await producer.send({ topic: TOPIC, body: `${prefix}${i}`, keys: `${prefix}${i}`, delayMs }));
  return sent;
}

test("ours keeps what Java sends for a time; Java delivers it, and what is recalled from it never", {
  timeout,
}, async () => {
  const home = join(directory, "store");
  const ours = await storeWithOurs({ workshop, namesrv }, home, recall, { flags: [] });
  await createTopic(namesrv, TOPIC, 1);
  const line = { namesrv, topic: TOPIC, group: "timed-producers", count: COUNT };
  await clients.run("produce", { ...line, keys: "soon-", "delay-ms": 3_000 });
  assert.deepEqual(keysOf(await consume({ namesrv, group: "soon" }, TOPIC, COUNT)), numbered("soon-"));
  await clients.run("produce", { ...line, keys: "late-", "delay-ms": 60_000 });
  await ours.stop();

  const java = await storeWithJava({ workshop, namesrv }, directory, recall);
  const producer = await startProducer({ namesrv });
  const handles = await sendTimed(producer, "java-", 70_000);
  const [first] = handles;
  assert.equal(await producer.recall(TOPIC, first!.recallHandle!), first!.msgId);
  const group = "late";
  const kept = numbered("java-").filter((key) => key !== "java-0");
  const all = [...numbered("soon-"), ...numbered("late-"), ...kept];
  const got = deliveriesIn(
    await clients.run("consume", { namesrv, topic: TOPIC, group, count: all.length, "idle-ms": IDLE_MS }),
  );
  assert.deepEqual(keysOf(got), all.sort());
  await sendTimed(producer, "ours-", 60_000);
  await java.stop();
  await producer.shutdown();
});

test("ours delivers what a Java broker left waiting, once, and recalls what waits with it", {
  timeout,
}, async () => {
  const home = join(directory, "store");
  await storeWithOurs({ workshop, namesrv }, home, recall);
  const producer = await startProducer({ namesrv });
  const [first] = await sendTimed(producer, "last-", 30_000);
  assert.equal(await producer.recall(TOPIC, first!.recallHandle!), first!.msgId);
  const count = 5 * COUNT - 2;
  await consume({ namesrv, group: "all" }, TOPIC, count);
  const keys = keysOf(await readAll({ namesrv }, TOPIC));
  assert.equal(keys.length, count);
  assert.deepEqual(
    keys.filter((key) => key.startsWith("ours-")),
    numbered("ours-"),
  );
  assert.ok(!keys.includes("last-0") && keys.includes("last-1"));
  await producer.shutdown();
});
