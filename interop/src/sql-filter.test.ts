/** Filters by SQL92: official Java clients against OrbitMQ, and our client against the Java broker. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { OrbitError, sql } from "@orbitmq/client";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, deliveriesIn } from "./delivery.ts";
import { javaVersions } from "./java-classpath.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { type JavaServer, startJavaServer } from "./java-server.ts";
import { Collector } from "./our-clients.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("sql-filter");
const EXPRESSION = "price > 5.0 AND TAGS IN ('TagA', 'TagB')";

/** Ten messages each that are too cheap, right, and of the wrong tag. */
async function produceAll(
  clients: JavaClients,
  namesrv: string,
  topic: string,
  right = "right-",
): Promise<void> {
  for (const [keys, price, tag] of [
    ["cheap-", "4.5", "TagA"],
    [right, "5.5", "TagB"],
    ["other-", "7", "TagC"],
  ]) {
    const property = `price=${price}`;
    await clients.run("produce", { namesrv, topic, count: 10, keys: keys!, tag: tag!, property });
  }
}

describe("Java clients filter on OrbitMQ by SQL92", () => {
  let server: ServerProcess;
  before(async () => {
    server = workshop.ends(await startServerProcess({ home: workshop.place("data") }), (it) => it.stop());
  });

  for (const version of javaVersions) {
    test(`${version}: a consumer gets what matches and nothing else`, { timeout }, async () => {
      const { namesrvAddr: namesrv } = server;
      const started = await startJavaClients({ home: workshop.folder, version });
      const clients = workshop.ends(started, (it) => it.stop());
      const topic = `sql-${version.replaceAll(".", "")}`;
      await produceAll(clients, namesrv, topic);
      const consumer = clients.start("consume", { namesrv, topic, group: `g-${topic}`, sql: EXPRESSION });
      await consumer.until(() => (deliveriesIn(consumer.lines).length >= 10 ? true : undefined));
      // What the broker let through wrongly would come before these.
      await produceAll(clients, namesrv, topic, "again-");
      await consumer.until(() => (deliveriesIn(consumer.lines).length >= 20 ? true : undefined));
      await consumer.stop();
      const shape = { count: 10, tag: "TagB" };
      assertDelivered(
        deliveriesIn(consumer.lines),
        { ...shape, keys: "right-" },
        { ...shape, keys: "again-" },
      );
      const illegal = clients.run("consume", {
        namesrv,
        topic,
        group: "g-illegal",
        sql: "price >",
        count: 1,
      });
      await assert.rejects(illegal, /illegal SQL92 expression at its end/);
    });
  }
});

describe("our client filters on the Java broker by SQL92", () => {
  let java: JavaServer;
  before(async () => {
    const started = await startJavaServer({ directory: workshop.place("java") });
    java = workshop.ends(started, (it) => it.kill());
  });

  test("it gets what matches, and is refused an illegal expression", { timeout }, async () => {
    const clients = workshop.ends(await startJavaClients({ home: workshop.folder }), (it) => it.stop());
    const { namesrv } = java;
    const topic = "sql";
    await produceAll(clients, namesrv, topic);
    const ours = new Collector({ namesrv, group: "g-ours" }, topic, sql(EXPRESSION));
    await ours.consumer.start();
    await ours.received(10);
    await produceAll(clients, namesrv, topic, "again-");
    await ours.received(20);
    const shape = { count: 10, tag: "TagB" };
    assertDelivered(ours.deliveries, { ...shape, keys: "right-" }, { ...shape, keys: "again-" });
    await ours.consumer.shutdown();
    const illegal = new Collector({ namesrv, group: "g-illegal" }, topic, sql("price >"));
    await assert.rejects(illegal.consumer.start(), (error) => {
      assert.ok(error instanceof OrbitError);
      assert.deepEqual([error.code, error.responseCode], ["SUBSCRIPTION_PARSE_FAILED", 23]);
      return true;
    });
  });
});
