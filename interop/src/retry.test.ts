/** Official Java clients against OrbitMQ where messages wait or come back: delays, retries, dead letters, order, replies. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, deliveriesIn } from "./delivery.ts";
import { javaVersions } from "./java-classpath.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import type { JsonLine } from "./program-lines.ts";
import { Workshop } from "./workshop.ts";

const timeout = 120_000;
const workshop = new Workshop("retry");
let server: ServerProcess;
before(async () => {
  server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
});

/** How long a delivered message lay between its sender and the queue it was consumed from. */
const waitedMs = (line: JsonLine): number => Number(line["storeTimestamp"]) - Number(line["bornTimestamp"]);

for (const version of javaVersions) {
  describe(`the Java client ${version}`, () => {
    const suffix = version.replaceAll(".", "");
    let namesrv: string;
    let clients: JavaClients;
    before(async () => {
      ({ namesrvAddr: namesrv } = server);
      const started = await startJavaClients({ home: workshop.folder, version });
      clients = workshop.ends(started, (it) => it.stop());
    });

    test("gets delayed messages, none before its time", { timeout }, async () => {
      const topic = `delayed-${suffix}`;
      // Started before its topic is there, it may ask for it again only after 30 s.
      const patient = { count: 40, "idle-ms": 60_000 };
      const consumer = clients.start("consume", { namesrv, topic, group: `g-${topic}`, ...patient });
      await clients.run("produce", { namesrv, topic, count: 20, keys: "one-", "delay-level": 1 });
      await clients.run("produce", {
        namesrv,
        topic,
        count: 20,
        keys: "five-",
        "delay-level": 2,
        mode: "async",
      });
      assert.equal(await consumer.done, 0);
      const deliveries = deliveriesIn(consumer.lines);
      assertDelivered(deliveries, { keys: "one-", count: 20 }, { keys: "five-", count: 20 });
      for (const line of consumer.lines.filter(({ accepted }) => accepted === true)) {
        const isOne = String(line["keys"]).startsWith("one-");
        assert.ok(waitedMs(line) >= (isOne ? 1_000 : 5_000), `${line["keys"]} after ${waitedMs(line)} ms`);
        const properties = line["properties"] as Record<string, string>;
        assert.equal(properties["REAL_TOPIC"], topic);
        assert.equal(properties["DELAY"], isOne ? "1" : "2");
      }
    });

    test("gets refused messages again, and the dead letters after the last time", { timeout }, async () => {
      const topic = `refused-${suffix}`;
      const group = `g-${topic}`;
      await clients.run("produce", { namesrv, topic, count: 10, mode: "async" });
      const often = { "refuse-delay-level": 1, "max-reconsume-times": 2 };
      const consumer = clients.start("consume", { namesrv, topic, group, refuse: 3, ...often });
      const refused = (line: JsonLine) => line["accepted"] === false;
      await consumer.until(() => (consumer.lines.filter(refused).length === 30 ? true : undefined));
      const dead = await clients.run("consume", {
        namesrv,
        topic: `%DLQ%${group}`,
        group: `d-${topic}`,
        count: 10,
      });
      await consumer.stop();
      assert.equal(deliveriesIn(consumer.lines).length, 0);
      const times = consumer.lines.filter(refused).map(({ reconsumeTimes }) => Number(reconsumeTimes));
      assert.deepEqual(
        times.sort(),
        Array.from({ length: 30 }, (_, i) => Math.floor(i / 10)),
      );
      assert.ok(
        consumer.lines.filter(refused).every((line) => line["topic"] === topic),
        "its topic is its first",
      );
      assertDelivered(deliveriesIn(dead), { count: 10 });
      for (const { properties, reconsumeTimes } of deliveriesIn(dead)) {
        assert.equal(properties["RETRY_TOPIC"], topic);
        assert.match(properties["ORIGIN_MESSAGE_ID"] ?? "", /^[0-9A-F]{32}$/);
        assert.equal(reconsumeTimes, 3);
      }
    });

    test("gets messages again that it refused once, each accepted once", { timeout }, async () => {
      const topic = `again-${suffix}`;
      await clients.run("produce", { namesrv, topic, count: 30, mode: "async" });
      const lines = await clients.run("consume", {
        namesrv,
        topic,
        group: `g-${topic}`,
        count: 30,
        refuse: 1,
        "refuse-delay-level": 1,
      });
      assertDelivered(deliveriesIn(lines), { count: 30 });
      assert.ok(deliveriesIn(lines).every(({ reconsumeTimes }) => reconsumeTimes === 1));
    });

    test("asks and gets its replies", { timeout }, async () => {
      const topic = `asked-${suffix}`;
      const lines = await clients.run("request", { namesrv, topic, group: `g-${topic}`, count: 3 });
      assert.deepEqual(
        lines.map(({ reply, replyProblem }) => reply ?? replyProblem),
        [0, 1, 2].map((i) => `answer to question ${i}`),
      );
      const properties = lines[0]?.["properties"] as Record<string, string>;
      assert.equal(properties["MSG_TYPE"], "reply");
      assert.match(properties["PUSH_REPLY_TIME"] ?? "", /^\d{13}$/);
    });

    test("consumes in order, one member per queue, and hands queues over at once", { timeout }, async () => {
      const topic = `ordered-${suffix}`;
      const group = `g-${topic}`;
      await clients.run("produce", { namesrv, topic, count: 40, queue: 0, "default-queues": 2 });
      await clients.run("produce", { namesrv, topic, count: 40, queue: 1, keys: "b-", "default-queues": 2 });
      const options = { namesrv, topic, group, order: "orderly" };
      const first = clients.start("consume", { ...options, instance: `one-${topic}` });
      await first.until(() => (deliveriesIn(first.lines).length === 80 ? true : undefined));
      const second = clients.start("consume", { ...options, instance: `two-${topic}` });
      const eventually = (condition: () => boolean) =>
        Promise.race([first, second].map((run) => run.until(() => (condition() ? true : undefined))));
      const held = (lines: readonly JsonLine[]) =>
        lines.filter((line) => "assigned" in line && line["topic"] === topic).at(-1)?.["assigned"];
      const shared = () =>
        [held(first.lines), held(second.lines)].every((each) => String(each).length === 10);
      await eventually(shared);
      await clients.run("produce", { namesrv, topic, count: 40, keys: "more-", queue: 0 });
      await clients.run("produce", { namesrv, topic, count: 40, keys: "last-", queue: 1 });
      const all = () => [...deliveriesIn(first.lines), ...deliveriesIn(second.lines)];
      await eventually(() => all().length >= 160);
      await Promise.all([first.stop(), second.stop()]);
      for (const queueId of [0, 1]) {
        const offsets = all().filter((each) => each.queueId === queueId);
        assert.deepEqual(
          offsets.map(({ queueOffset }) => queueOffset),
          Array.from({ length: 80 }, (_, offset) => offset),
        );
      }
    });
  });
}
