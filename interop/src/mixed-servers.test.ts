/** NameServers and brokers of both kinds in one cluster: each registers with each, clients of both kinds use all. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Admin } from "@orbitmq/client";
import { type ServerProcess, startServerProcess } from "orbitmq/testing";
import { assertDelivered, type Delivery, deliveriesIn } from "./delivery.ts";
import { type JavaClients, startJavaClients } from "./java-client.ts";
import { type JavaPart, startJavaBroker, startJavaNameServer } from "./java-server.ts";
import { Collector, consume, sendAll, startProducer } from "./our-clients.ts";
import { Workshop } from "./workshop.ts";

const timeout = 60_000;
const workshop = new Workshop("mixed-servers");
let theirNamesrv: string;
let ourNamesrv: string;
let nameServer: ServerProcess;
let ourBroker: ServerProcess;
let javaBroker: JavaPart;
let clients: JavaClients;

/** Takes a broker from the NameServer's port to the option of `orbitmq namesrv`. */
const portOf = (address: string): string => address.split(":")[1] ?? "";

before(async () => {
  const [java, ours] = await Promise.all([
    startJavaNameServer({ directory: workshop.place("java-namesrv") }),
    startServerProcess({ role: "namesrv", home: "" }),
  ]);
  workshop.ends(java, (it) => it.kill());
  nameServer = workshop.ends(ours, (it) => it.stop());
  [theirNamesrv, ourNamesrv] = [java.address, ours.namesrvAddr];
  const both = `${theirNamesrv};${ourNamesrv}`;
  [javaBroker, ourBroker, clients] = await Promise.all([
    startJavaBroker({
      directory: workshop.place("java-broker"),
      namesrv: both,
      properties: { brokerName: "broker-java", registerNameServerPeriod: "10000" },
    }),
    startServerProcess({
      role: "broker",
      home: workshop.place("data"),
      options: ["--namesrv", both, "--broker-name", "broker-ours"],
    }),
    startJavaClients({ home: workshop.folder }),
  ]);
  workshop.ends(javaBroker, (it) => it.kill());
  workshop.ends(ourBroker, (it) => it.stop());
  workshop.ends(clients, (it) => it.stop());
});

async function brokersAt(namesrv: string): Promise<Record<string, string | undefined>> {
  await using admin = new Admin({ namesrv });
  await admin.start();
  const { brokers } = await admin.clusterInfo();
  return Object.fromEntries(brokers.map(({ brokerName, addresses }) => [brokerName, addresses["0"]]));
}

/** Asks until the NameServer names exactly these brokers. */
async function brokersBecome(namesrv: string, names: readonly string[]): Promise<void> {
  while (Object.keys(await brokersAt(namesrv)).join() !== names.join());
}

const namesrvs = () => [
  ["the original NameServer", theirNamesrv],
  ["ours", ourNamesrv],
];

test("both NameServers name both brokers", { timeout }, async () => {
  const expected = { "broker-java": javaBroker.address, "broker-ours": ourBroker.brokerAddr };
  for (const [, namesrv] of namesrvs()) {
    assert.deepEqual(await brokersAt(namesrv!), expected);
    const [printed] = await clients.run("admin", { line: `clusterList -n ${namesrv}` });
    assert.match(String(printed?.["stdout"]), /broker-java +0 .*\n.*broker-ours +0 /);
  }
});

describe("a topic on both brokers", () => {
  const topic = "everywhere";
  let sent: Delivery[];

  test("is written by clients of both kinds through either NameServer", { timeout }, async () => {
    await using admin = new Admin({ namesrv: ourNamesrv });
    await admin.start();
    const { brokers } = await admin.createTopic(topic, { queues: 2, cluster: "DefaultCluster" });
    assert.deepEqual(brokers, ["broker-java", "broker-ours"]);
    for (const [n, [, namesrv]] of namesrvs().entries()) {
      await clients.run("produce", { namesrv: namesrv!, topic, count: 40, keys: `java${n}-` });
      const producer = await startProducer({ namesrv: namesrv! });
      await sendAll(producer, topic, { keys: `ours${n}-`, count: 40 });
      await producer.shutdown();
    }
  });

  const everything = ["java0-", "ours0-", "java1-", "ours1-"].map((keys) => ({ keys, count: 40 }));

  test("is read whole by clients of both kinds through either NameServer", { timeout }, async () => {
    for (const [n, [, namesrv]] of namesrvs().entries()) {
      const java = { namesrv: namesrv!, topic, group: `java${n}`, count: 160 };
      assertDelivered(deliveriesIn(await clients.run("consume", java)), ...everything);
      sent = [...(await consume({ namesrv: namesrv!, group: `ours${n}` }, topic, 160))];
      assertDelivered(sent, ...everything);
    }
    const stored = new Set(sent.map(({ storeHost }) => storeHost));
    assert.deepEqual(stored, new Set([javaBroker.address, ourBroker.brokerAddr]));
  });

  test("is shared by a group of both kinds", { timeout }, async () => {
    const group = "g-everywhere";
    const ours = new Collector({ namesrv: theirNamesrv, group }, topic);
    await ours.consumer.start();
    const java = clients.start("consume", { namesrv: ourNamesrv, topic, group });
    await ours.holds(2);
    await java.until(() => {
      const newest = java.lines.filter((line) => "assigned" in line && line["topic"] === topic).at(-1);
      return (newest?.["assigned"] as unknown[] | undefined)?.length === 2 ? true : undefined;
    });
    await clients.run("produce", { namesrv: ourNamesrv, topic, count: 40, keys: "shared-" });
    const got = () =>
      [...ours.deliveries, ...deliveriesIn(java.lines)].filter(({ key }) => key.startsWith("shared-"));
    await Promise.race([
      ours.until(() => got().length >= 40),
      java.until(() => (got().length >= 40 ? true : undefined)),
    ]);
    await Promise.all([java.stop(), ours.consumer.shutdown()]);
    assertDelivered(got(), { keys: "shared-", count: 40 });
    assert.ok(ours.deliveries.some(({ key }) => key.startsWith("shared-")));
    assert.ok(deliveriesIn(java.lines).some(({ key }) => key.startsWith("shared-")));
  });
});

test("a topic the original broker creates by itself is known at our NameServer, and the other way round", {
  timeout,
}, async () => {
  for (const [n, [, namesrv]] of namesrvs().entries()) {
    const topic = `created-${n}`;
    const producer = await startProducer({ namesrv: namesrv! });
    await sendAll(producer, topic, { keys: "ours-", count: 20 });
    await producer.shutdown();
    await clients.run("produce", { namesrv: namesrv!, topic, count: 20, keys: "java-" });
    const other = n === 0 ? ourNamesrv : theirNamesrv;
    assertDelivered(
      await consume({ namesrv: other, group: `g-${topic}` }, topic, 40),
      { keys: "ours-", count: 20 },
      { keys: "java-", count: 20 },
    );
  }
});

test("a NameServer of ours that starts anew learns both brokers again", { timeout }, async () => {
  await nameServer.kill();
  nameServer = workshop.ends(
    await startServerProcess({
      role: "namesrv",
      home: "",
      options: ["--namesrv-port", portOf(ourNamesrv)],
    }),
    (it) => it.stop(),
  );
  await brokersBecome(ourNamesrv, ["broker-java", "broker-ours"]);
  const deliveries = await consume({ namesrv: ourNamesrv, group: "after" }, "everywhere", 200);
  assert.equal(new Set(deliveries.map(({ key }) => key)).size, 200);
});

test("a broker of ours that stops is forgotten by both at once", { timeout }, async () => {
  assert.deepEqual(await ourBroker.stop(), { code: 0, signal: null });
  for (const [, namesrv] of namesrvs())
    assert.deepEqual(Object.keys(await brokersAt(namesrv!)), ["broker-java"]);
});

test("an original broker that is killed is forgotten by our NameServer as soon as its connection is gone", {
  timeout,
}, async () => {
  await javaBroker.kill();
  await brokersBecome(ourNamesrv, []);
});
