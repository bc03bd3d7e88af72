/** Dead letters of Java consumers, at the original broker and at OrbitMQ: read, redriven once and deleted by our client. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Admin, type DeadLetter, DeadLetters } from "@orbitmq/client";
import { startServerProcess } from "orbitmq/testing";
import { deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { startJavaServer } from "./java-server.ts";
import { Workshop } from "./workshop.ts";

const timeout = 90_000;
const LETTERS = 40;
const workshop = new Workshop("dead-letters");
let clients: JavaClients;
before(async () => {
  clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
});

const servers = {
  "the original broker": async () => {
    const java = await startJavaServer({
      directory: workshop.place("java"),
      // On a busy machine what is sent back would be refused, and come again instead of being dead.
      brokerProperties: { waitTimeMillsInSendQueue: "60000" },
      // A lock that nobody gives back is over soon.
      systemProperties: { "rocketmq.broker.rebalance.lockMaxLiveTime": "2000" },
    });
    workshop.ends(java, (it) => it.kill());
    return java.namesrv;
  },
  OrbitMQ: async () => {
    const server = await startServerProcess({ home: workshop.place("data") });
    workshop.ends(server, (it) => it.stop());
    return server.namesrvAddr;
  },
};

for (const [name, start] of Object.entries(servers)) {
  describe(`dead letters of a Java consumer at ${name}`, () => {
    let namesrv: string;
    let letters: DeadLetters;
    let admin: Admin;
    before(async () => {
      namesrv = await start();
      await clients.run("produce", {
        namesrv,
        topic: "orders",
        count: LETTERS,
        tag: "t",
        "default-queues": 2,
      });
      const options = { namesrv, topic: "orders", group: "failing", "max-reconsume-times": 0, refuse: 1 };
      const consumer = clients.start("consume", options);
      const refused = () => consumer.lines.filter((line) => line["accepted"] === false).length;
      await consumer.until(() => (refused() >= LETTERS ? true : undefined));
      letters = new DeadLetters({ namesrv });
      await letters.start();
      admin = new Admin({ namesrv });
      await admin.start();
      // What was sent back is a dead letter a moment later.
      while ((await letters.list())[0]?.dead !== LETTERS);
      await consumer.stop();
    });
    after(() => Promise.all([letters?.shutdown(), admin?.shutdown()]));

    async function storedIn(topic: string): Promise<number> {
      const { queues } = await admin.topicStatus(topic);
      return queues.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
    }

    async function read(): Promise<DeadLetter[]> {
      const all: DeadLetter[] = [];
      for await (const letter of letters.read("failing")) all.push(letter);
      return all;
    }

    test("tell where they came from", { timeout }, async () => {
      const all = await read();
      assert.deepEqual(all.map(({ keys }) => keys[0]).sort(), keysOf(LETTERS));
      for (const letter of all) {
        assert.deepEqual([letter.originTopic, letter.tag, letter.attempts], ["orders", "t", 1]);
        assert.match(letter.originMsgId ?? "", /^[0-9A-F]{32}$/);
      }
      const [listed] = await letters.list();
      assert.deepEqual([listed?.group, listed?.dead, listed?.isReadable], ["failing", LETTERS, true]);
    });

    test("are redriven once each, also by a run that takes over from one that broke off", {
      timeout,
    }, async () => {
      await letters.delete("failing", { keys: ["key-0"] });
      if (name !== "OrbitMQ") {
        const cut = new DeadLetters({ namesrv });
        await cut.start();
        const broken = cut.redrive("failing", { rate: 20 });
        while ((await storedIn("orders")) < LETTERS + 3);
        await Promise.all([assert.rejects(broken), cut.shutdown()]);
      }
      let waited = false;
      const result = await letters.redrive("failing", {
        onWaiting: () => {
          waited = true;
        },
      });
      assert.equal(waited, name !== "OrbitMQ");
      assert.deepEqual([result.failed, result.complete], [0, true]);
      if (name !== "OrbitMQ") assert.ok(result.found > 0, "some had arrived");
      assert.deepEqual(await read(), []);
      const count = 2 * LETTERS - 1;
      const options = { namesrv, topic: "orders", group: "witness", count, "idle-ms": 10_000 };
      const keys = deliveriesIn(await clients.run("consume", options)).map(({ key }) => key);
      assert.deepEqual(keys.sort(), [...keysOf(LETTERS), ...keysOf(LETTERS).slice(1)].sort());
      const [listed] = await letters.list();
      assert.deepEqual([listed?.dead, listed?.redriven, listed?.deleted], [0, LETTERS - 1, 1]);
    });
  });
}

const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${i}`).sort((a, b) => (a < b ? -1 : 1));
