/** Official Java clients, both versions and both header encodings, against OrbitMQ. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, assertQueuesWhole, assertWhereTold, deliveriesIn } from "./delivery.ts";
import { javaVersions } from "./java-classpath.ts";
import { type JavaClients, type JavaRun, startJavaClients } from "./java-client.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("java-clients");
let server: ServerProcess;
before(async () => {
  server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
});

for (const version of javaVersions) {
  for (const encoding of ["JSON", "ROCKETMQ"] as const) {
    describe(`the Java client ${version} with ${encoding} headers`, () => {
      const suffix = `${version.replaceAll(".", "")}-${encoding}`;
      let namesrv: string;
      let clients: JavaClients;
      before(async () => {
        ({ namesrvAddr: namesrv } = server);
        const started = await startJavaClients({ home: workshop.folder, version, encoding });
        clients = workshop.ends(started, (it) => it.stop());
      });

      for (const [mode, count] of [
        ["sync", 60],
        ["async", 300],
      ] as const) {
        test(`${mode} sends are consumed, each where its sender was told`, { timeout }, async () => {
          const topic = `${mode}-${suffix}`;
          const sent = await clients.run("produce", { namesrv, topic, count, mode, "default-queues": 4 });
          assert.ok(sent.filter((line) => line["status"] === "SEND_OK").length === count);
          const consumed = await clients.run("consume", { namesrv, topic, group: `g-${topic}`, count });
          const deliveries = deliveriesIn(consumed);
          assertDelivered(deliveries, { count });
          assertQueuesWhole(deliveries);
          assertWhereTold(deliveries, sent);
          assert.equal(new Set(deliveries.map(({ queueId }) => queueId)).size, 4);
        });
      }

      test("oneway sends are consumed", { timeout }, async () => {
        const topic = `oneway-${suffix}`;
        // The first, answered one makes the topic: oneway sends to an unknown topic may each be the one that is lost.
        await clients.run("produce", { namesrv, topic, count: 1, keys: "first-" });
        await clients.run("produce", { namesrv, topic, count: 100, mode: "oneway" });
        const consumed = await clients.run("consume", { namesrv, topic, group: `g-${topic}`, count: 101 });
        assertDelivered(deliveriesIn(consumed), { count: 100 }, { keys: "first-", count: 1 });
      });

      test("batches are consumed message by message, in their order", { timeout }, async () => {
        const topic = `batch-${suffix}`;
        const options = { namesrv, topic, count: 95, mode: "batch", tag: "TagB", "batch-size": 10 };
        const sent = await clients.run("produce", options);
        const deliveries = deliveriesIn(
          await clients.run("consume", { namesrv, topic, group: `g-${topic}`, count: 95 }),
        );
        assertDelivered(deliveries, { count: 95, tag: "TagB" });
        assertQueuesWhole(deliveries);
        for (const { i, queueId, queueOffset, messages, msgId } of sent.filter((line) => "i" in line)) {
          const ids = String(msgId).split(",");
          assert.equal(ids.length, messages);
          for (let n = 0; n < Number(messages); n++) {
            const one = deliveries.find(({ key }) => key === `key-${Number(i) + n}`);
            const found = { queueId: one?.queueId, queueOffset: one?.queueOffset, msgId: one?.msgId };
            assert.deepEqual(found, { queueId, queueOffset: Number(queueOffset) + n, msgId: ids[n] });
          }
        }
      });

      test("a consumer of some tags gets those and no others", { timeout }, async () => {
        const topic = `tags-${suffix}`;
        for (const tag of ["TagA", "TagB", "TagC"])
          await clients.run("produce", { namesrv, topic, count: 20, keys: `${tag}-`, tag, mode: "async" });
        const consumer = clients.start("consume", {
          namesrv,
          topic,
          group: `g-${topic}`,
          tag: "TagA || TagC",
        });
        await consumer.until(() => (deliveriesIn(consumer.lines).length >= 40 ? true : undefined));
        // What comes after the last wanted message would have been delivered before these.
        await clients.run("produce", { namesrv, topic, count: 20, keys: "again-", tag: "TagC" });
        await consumer.until(() => (deliveriesIn(consumer.lines).length >= 60 ? true : undefined));
        await consumer.stop();
        assertDelivered(
          deliveriesIn(consumer.lines),
          { keys: "TagA-", count: 20, tag: "TagA" },
          { keys: "TagC-", count: 20, tag: "TagC" },
          { keys: "again-", count: 20, tag: "TagC" },
        );
      });

      test("a lite pull consumer gets everything, and its group goes on where it committed", {
        timeout,
      }, async () => {
        const topic = `lite-${suffix}`;
        const options = { namesrv, topic, group: `g-${topic}`, count: 40 };
        for (const keys of ["a-", "b-"]) {
          await clients.run("produce", {
            namesrv,
            topic,
            count: 40,
            keys,
            mode: "async",
            "default-queues": 4,
          });
          assertDelivered(deliveriesIn(await clients.run("litepull", options)), { keys, count: 40 });
        }
      });

      test("broadcasting, each member gets everything", { timeout }, async () => {
        const topic = `broadcast-${suffix}`;
        await clients.run("produce", { namesrv, topic, count: 20 });
        const options = { namesrv, topic, group: `g-${topic}`, count: 20, model: "broadcasting" };
        const members = await Promise.all([1, 2].map(() => clients.run("consume", options)));
        for (const lines of members) assertDelivered(deliveriesIn(lines), { count: 20 });
      });

      test("two members share a group's queues, and the one that stays takes over", { timeout }, async () => {
        const topic = `shared-${suffix}`;
        const group = `g-${topic}`;
        const line = `updateTopic -n ${namesrv} -b ${server.brokerAddr} -t ${topic} -r 4 -w 4`;
        await clients.run("admin", { line });
        const members = [1, 2].map(() => clients.start("consume", { namesrv, topic, group }));
        const [a, b] = members as [JavaRun, JavaRun];
        await Promise.all(members.map((member) => assigned(member, topic, 2, 2)));
        await clients.run("produce", { namesrv, topic, count: 200, mode: "async" });
        const everything = () => members.flatMap((member) => deliveriesIn(member.lines));
        await Promise.race(
          members.map((member) => member.until(() => (everything().length >= 200 ? true : undefined))),
        );
        assert.ok(members.every((member) => deliveriesIn(member.lines).length > 0));
        await a.stop();
        await assigned(b, topic, 1, 4);
        await clients.run("produce", { namesrv, topic, count: 40, keys: "later-" });
        await b.until(() => (everything().length >= 240 ? true : undefined));
        await b.stop();
        assertDelivered(everything(), { count: 200 }, { keys: "later-", count: 40 });
      });
    });
  }
}

/** Resolves when the member's newest division has so many members and gives it so many queues. */
function assigned(member: JavaRun, topic: string, members: number, queues: number): Promise<true> {
  return member.until(() => {
    const newest = member.lines.filter((line) => "assigned" in line && line["topic"] === topic).at(-1);
    const is = (name: string, length: number) => (newest?.[name] as unknown[] | undefined)?.length === length;
    return is("members", members) && is("assigned", queues) ? true : undefined;
  });
}
