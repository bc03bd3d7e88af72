/**
 * What consumers of both kinds do beyond consuming, on a broker of either kind: order kept by a mixed group, offset
 * files of broadcasting groups handed over, questions answered across, brokers that ask our consumers and set their
 * offsets, messages asked for one by one.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import {
  Admin,
  LitePullConsumer,
  type OrderlyMessageListener,
  Producer,
  PushConsumer,
  type PushConsumerOptions,
} from "@orbitmq/client";
import { RequestCode } from "@orbitmq/wire";
import { startServerProcess } from "orbitmq/testing";
import { assertDelivered, type Delivery, deliveriesIn, deliveryOf } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { Collector, createTopic, sendAll, startProducer } from "./our-clients.ts";
import { PlainConnection } from "./plain-remoting.ts";
import type { JsonLine } from "./program-lines.ts";
import { Workshop } from "./workshop.ts";

const timeout = 90_000;
const workshop = new Workshop("client-features");
const offsetsFolder = workshop.place("offsets");

/** Both tell the members to set their offsets themselves (220), as 4.x brokers do. */
const byMembers = "useServerSideResetOffset";
const servers = {
  "an OrbitMQ broker": async () => {
    const options = ["-o", `${byMembers}=false`];
    const server = await startServerProcess({ home: workshop.place("data"), options });
    workshop.ends(server, (it) => it.stop());
    return { namesrv: server.namesrvAddr, broker: server.brokerAddr };
  },
  "the original broker": async () => {
    const started = await startJavaServer({
      directory: workshop.place("java"),
      brokerProperties: { [byMembers]: "false" },
    });
    return workshop.ends(started, (it) => it.kill());
  },
};

let clients: JavaClients;
before(async () => {
  const systemProperties = { "rocketmq.client.localOffsetStoreDir": offsetsFolder };
  const started = await startJavaClients({ home: workshop.folder, systemProperties });
  clients = workshop.ends(started, (it) => it.stop());
});

/** What consumerProgress prints of two queues; before the first commit it has no rows. */
const allConsumed = /broker-a +0 +(\d+) +\1 [\s\S]*broker-a +1 +(\d+) +\2 /;

/** The queues it was given last. */
const heldBy = (lines: readonly JsonLine[], topic: string): readonly unknown[] =>
  (lines.filter((line) => "assigned" in line && line["topic"] === topic).at(-1)?.["assigned"] ??
    []) as unknown[];

for (const [name, startServer] of Object.entries(servers)) {
  describe(`on ${name}`, () => {
    let namesrv: string;
    let broker: string;
    before(async () => {
      ({ namesrv, broker } = await startServer());
    });

    async function admin(command: string): Promise<string> {
      const [printed] = await clients.run("admin", { line: `${command} -n ${namesrv}` });
      assert.doesNotMatch(String(printed?.["stderr"]), /SubCommandException|^Caused by/m, command);
      return String(printed?.["stdout"]);
    }

    test("a group of a Java consumer and ours keeps the order of every queue", { timeout }, async () => {
      const [topic, group] = ["ordered", "g-ordered"];
      await createTopic(namesrv, topic, 4);
      const ours: Delivery[] = [];
      const listeners = new Set<() => void>();
      let refused = 0;
      const listener: OrderlyMessageListener<unknown> = (message) => {
        if (message.keys[0] === "a-3" && refused++ === 0) throw new Error("not yet");
        ours.push(deliveryOf(message));
        for (const wake of listeners) wake();
      };
      await using consumer = new PushConsumer({ namesrv, group, from: "first", rebalanceIntervalMs: 1_000 });
      consumer.listenOrderly(topic, listener);
      await consumer.start();
      const java = clients.start("consume", { namesrv, topic, group, order: "orderly" });
      const all = () => [...ours, ...deliveriesIn(java.lines)];
      const oursHave = (count: number) =>
        new Promise<void>((resolve) => {
          const wake = () => void (all().length >= count && listeners.delete(wake) && resolve());
          listeners.add(wake);
          wake();
        });
      await java.until(() => (heldBy(java.lines, topic).length === 2 ? true : undefined));
      const producer = await startProducer({ namesrv });
      const sendTo = async (keys: string, count: number) => {
        for (let i = 0; i < count; i++)
          for (let queueId = 0; queueId < 4; queueId++)
            await producer.send(
              { topic, body: `${keys}${i}`, keys: `${keys}${i}` },
              { selector: (queues) => queues.find((queue) => queue.queueId === queueId) },
            );
      };
      await sendTo("a-", 10);
      await Promise.race([java.until(() => (all().length >= 40 ? true : undefined)), oursHave(40)]);
      await java.stop();
      await sendTo("b-", 10);
      await oursHave(80);
      await producer.shutdown();
      const theirs = deliveriesIn(java.lines);
      assert.ok(theirs.length > 0 && ours.length > 40 && refused > 0);
      for (let queueId = 0; queueId < 4; queueId++) {
        const offsets = [...theirs, ...ours]
          .filter((delivery) => delivery.queueId === queueId)
          .map(({ queueOffset }) => queueOffset);
        assert.deepEqual(
          offsets,
          Array.from({ length: 20 }, (_, offset) => offset),
        );
      }
    });

    test("a broadcasting consumer goes on where one of the other kind stopped", { timeout }, async () => {
      const topic = "broadcast";
      await createTopic(namesrv, topic, 2);
      const producer = await startProducer({ namesrv });
      for (const [first, group] of [
        ["java", "g-theirs-first"],
        ["ours", "g-ours-first"],
      ] as const) {
        const member = `${group}-${name.split(" ").at(-2)}`;
        const from = first === "java" ? 0 : 10;
        await sendAll(producer, topic, { from, count: 5 });
        const java = async (count: number) => {
          const options = { namesrv, topic, group, model: "broadcasting", instance: member, count };
          return deliveriesIn(await clients.run("consume", options));
        };
        const our = async (count: number) => {
          const options = { namesrv, group, messageModel: "BROADCASTING" } as const;
          const place = { clientId: `127.0.0.1@${member}`, localOffsetsFolder: offsetsFolder };
          const collector = new Collector({ ...options, ...place }, topic);
          await collector.consumer.start();
          await collector.received(count);
          await collector.consumer.shutdown();
          return collector.deliveries;
        };
        const [one, other] = first === "java" ? [java, our] : [our, java];
        const before = await one(from + 5);
        assert.ok(existsSync(join(offsetsFolder, `127.0.0.1@${member}`, group, "offsets.json")));
        await sendAll(producer, topic, { from: from + 5, count: 5 });
        const after = await other(5);
        assertDelivered([...before, ...after], { count: from + 10 });
      }
      await producer.shutdown();
    });

    test("a question of one kind is answered by the other, both ways", { timeout }, async () => {
      const theirs = clients.start("request", {
        namesrv,
        topic: "to-java",
        group: "g-to-java",
        role: "answer",
      });
      await theirs.line((line) => line["ready"] === true);
      const producer = await startProducer({ namesrv });
      for (let i = 0; i < 3; i++) {
        const reply = await producer.request(
          { topic: "to-java", body: `question ${i}` },
          { timeoutMs: 20_000 },
        );
        assert.equal(reply.text(), `answer to question ${i}`);
      }
      await theirs.stop();

      await using answering = new PushConsumer({ namesrv, group: "g-to-ours", from: "first" });
      answering.listen("to-ours", async (message) => {
        await producer.reply(message, `answer to ${message.text()}`);
      });
      await answering.start();
      const asked = { namesrv, topic: "to-ours", group: "g-asking", role: "ask", count: 3 };
      const lines = await clients.run("request", asked);
      assert.deepEqual(
        lines.map(({ reply }) => reply),
        [0, 1, 2].map((i) => `answer to question ${i}`),
      );
      await producer.shutdown();
    });

    test("mqadmin asks our consumer, has it consume one message, and sets its offsets", {
      timeout,
    }, async () => {
      const [topic, group] = ["asked", "g-asked"];
      await createTopic(namesrv, topic, 2);
      const producer = await startProducer({ namesrv });
      await sendAll(producer, topic, { count: 10 });
      await producer.shutdown();
      const options: PushConsumerOptions = {
        namesrv,
        group,
        clientId: "asked@1",
        offsetPersistIntervalMs: 100,
      };
      const ours = new Collector(options, topic);
      await ours.consumer.start();
      await ours.received(10);
      const connection = await admin(`consumerConnection -g ${group}`);
      assert.match(connection, /asked@1 +127\.0\.0\.1:\d+ +(NODE_JS|OTHER) +V5_5_0/);
      const info = await admin(`consumerStatus -g ${group} -i asked@1`);
      assert.match(info, /#Consumer MQ Detail#/);
      assert.match(info, new RegExp(`${topic} +broker-a +[01] +5 `));

      const [one] = ours.deliveries;
      const id = String(one?.msgId);
      const direct = await admin(`queryMsgById -i ${id} -t ${topic} -g ${group} -d asked@1`);
      assert.match(direct, /consumeResult=CR_SUCCESS|CR_SUCCESS/);
      await ours.received(11);
      assert.equal(ours.deliveries.at(-1)?.msgId, one?.msgId);

      const committed = async (): Promise<string> => admin(`consumerProgress -g ${group}`);
      for (let printed = ""; !allConsumed.test(printed); ) printed = await committed();
      const plain = await PlainConnection.open(broker);
      const asked = { topic, group, clientAddr: "asked@1" };
      const told = await plain.demand(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, asked);
      plain.close();
      assert.match(told.body.toString(), /"asked@1":\{\{[^}]*\}:5,\{[^}]*\}:5\}/);
      await admin(`resetOffsetByTime -g ${group} -t ${topic} -s 0`);
      await ours.received(21);
      await ours.consumer.shutdown();
      assertDelivered(ours.deliveries.slice(11), { count: 10 });
    });

    test("offsets of live Java consumers are set through the broker, by our admin, too", {
      timeout,
    }, async () => {
      const [topic, group] = ["reset", "g-reset"];
      await createTopic(namesrv, topic, 2);
      await clients.run("produce", { namesrv, topic, count: 10 });
      const java = clients.start("consume", { namesrv, topic, group });
      const delivered = (count: number) =>
        java.until(() => (deliveriesIn(java.lines).length >= count ? true : undefined));
      await delivered(10);
      for (let printed = ""; !allConsumed.test(printed); )
        printed = await admin(`consumerProgress -g ${group}`);
      await using ours = new Admin({ namesrv });
      await ours.start();
      const status = await ours.groupStatus(group);
      assert.deepEqual(
        status.members.map(({ language, subscriptions }) => [language, subscriptions]),
        [["JAVA", [{ topic, expressionType: "TAG", expression: "*" }]]],
      );
      assert.equal(status.lag, 0);
      // Each such reset costs a Java consumer ten seconds of rest: once is enough.
      if (name === "the original broker") return java.stop();
      const offsets = await ours.resetOffsets(group, topic, new Date(0));
      assert.deepEqual(
        offsets.map(({ queue, offset }) => [queue.queueId, offset]),
        [
          [0, 0],
          [1, 0],
        ],
      );
      await delivered(20);
      await java.stop();
    });

    test("a group goes on with Java where our lite pull consumer committed, and back", {
      timeout,
    }, async () => {
      const [topic, group] = ["pulled", "g-pulled"];
      await createTopic(namesrv, topic, 2);
      const producer = new Producer({ namesrv });
      await producer.start();
      await sendAll(producer, topic, { count: 20 });
      const pulled = async (count: number): Promise<Delivery[]> => {
        const consumer = new LitePullConsumer({ namesrv, group, from: "first", pullBatchSize: 4 });
        consumer.subscribe(topic);
        await consumer.start();
        const got: Delivery[] = [];
        for await (const message of consumer.messages()) {
          // The one that is not asked beyond stays the group's.
          if (got.length === count) break;
          got.push(deliveryOf(message));
        }
        return got;
      };
      const first = await pulled(12);
      const theirs = deliveriesIn(await clients.run("consume", { namesrv, topic, group, count: 8 }));
      await sendAll(producer, topic, { from: 20, count: 6 });
      const last = await pulled(5);
      await producer.shutdown();
      const all = [...first, ...theirs, ...last].map(({ key }) => key);
      assert.equal(new Set(all).size, 25);
      // The original handles commits and pulls, which commit too, side by side: an older offset may come last.
      if (name === "an OrbitMQ broker") assert.equal(all.length, 25);
    });
  });
}
