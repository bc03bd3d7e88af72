/** mqadmin of both versions on groups of Java consumers at OrbitMQ: who is online, how far they are, offsets set anew. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, deliveriesIn } from "./delivery.ts";
import { javaVersions } from "./java-classpath.ts";
import { type JavaClients, type JavaRun, startJavaClients } from "./java-client.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("groups");
let server: ServerProcess;
before(async () => {
  server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
});

for (const version of javaVersions) {
  describe(`mqadmin and consumers ${version}`, () => {
    const topic = `groups-${version.replaceAll(".", "")}`;
    const group = `g-${topic}`;
    let namesrv: string;
    let clients: JavaClients;
    let consumer: JavaRun;
    before(async () => {
      ({ namesrvAddr: namesrv } = server);
      clients = workshop.ends(await startJavaClients({ home: workshop.folder, version }), (it) => it.stop());
      await clients.run("produce", { namesrv, topic, count: 20, "default-queues": 2 });
      consumer = clients.start("consume", { namesrv, topic, group, instance: `watched-${topic}` });
      await delivered(20);
    });

    const delivered = (count: number) =>
      consumer.until(() => (deliveriesIn(consumer.lines).length >= count ? true : undefined));

    async function admin(command: string): Promise<string> {
      const [printed] = await clients.run("admin", { line: `${command} -n ${namesrv}` });
      assert.doesNotMatch(
        String(printed?.["stderr"]),
        /SubCommandException|^Caused by/m,
        `${command}: ${printed?.["stderr"]}`,
      );
      return String(printed?.["stdout"]);
    }

    /** Commits and statistics follow a delivery by a moment. */
    async function eventually(command: string, pattern: RegExp): Promise<void> {
      for (let printed = ""; !pattern.test(printed); ) printed = await admin(command);
    }

    test("consumerConnection shows who is online and what it subscribes to", { timeout }, async () => {
      const printed = await admin(`consumerConnection -g ${group}`);
      assert.match(
        printed,
        new RegExp(`127\\.0\\.0\\.1@watched-${topic}\\S* +127\\.0\\.0\\.1:\\d+ +JAVA +V`),
      );
      assert.match(printed, new RegExp(`${topic} +(SubExpression: )?\\*`));
      assert.match(printed, /ConsumeType: CONSUME_PASSIVELY\s+MessageModel: CLUSTERING/);
    });

    test("consumerProgress and brokerConsumeStats show how far it is", { timeout }, async () => {
      // Before the first commit there are no rows, and nothing is behind.
      await eventually(`consumerProgress -g ${group}`, new RegExp(`${topic} +broker-a +0 +10 +10 +`));
      await eventually(`consumerProgress -g ${group}`, /Diff Total: 0/i);
      const stats = await admin(`brokerConsumeStats -b 127.0.0.1:${server.brokerAddr.split(":").at(-1)}`);
      assert.match(stats, new RegExp(`${topic} +${group} +broker-a +0 +10 +10 +0`));
    });

    test("consumerStatus asks the consumer itself", { timeout }, async () => {
      const printed = await admin(`consumerStatus -g ${group} -i ${clientId()}`);
      assert.match(printed, /#Consumer MQ Detail#/);
      assert.match(printed, new RegExp(`${topic} +broker-a +0 +10 `));
    });

    test("resetOffsetByTime lets an online group consume everything again", { timeout }, async () => {
      const printed = await admin(`resetOffsetByTime -g ${group} -t ${topic} -s 0`);
      assert.match(printed, /broker-a +0 +0/);
      await delivered(40);
      const keys = deliveriesIn(consumer.lines).map(({ key }) => key);
      assert.equal(new Set(keys).size, 20);
    });

    test("cloneGroupOffset and deleteSubGroup move and forget offsets", { timeout }, async () => {
      const other = `${group}-clone`;
      await admin(`updateSubGroup -c DefaultCluster -g ${other}`);
      await eventually(`consumerProgress -g ${group}`, /Diff Total: 0/i);
      await admin(`cloneGroupOffset -s ${group} -d ${other} -t ${topic}`);
      const options = { namesrv, topic, group: other };
      await clients.run("produce", { namesrv, topic, count: 6, keys: "new-" });
      assertDelivered(deliveriesIn(await clients.run("consume", { ...options, count: 6 })), {
        keys: "new-",
        count: 6,
      });
      await admin(`deleteSubGroup -c DefaultCluster -g ${other} -r true`);
      const again = deliveriesIn(await clients.run("consume", { ...options, count: 26 }));
      assertDelivered(again, { count: 20 }, { keys: "new-", count: 6 });
    });

    const clientId = (): string =>
      String(consumer.lines.find((line) => line["ready"] === true)?.["clientId"]);
  });
}
