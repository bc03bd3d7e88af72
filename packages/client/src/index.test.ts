import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeHost } from "@orbitmq/host/node";
import { Admin, OrbitError, Producer, PushConsumer, Reader } from "./index.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { FakeNameServer } from "./testing/fake-name-server.ts";

interface Cluster {
  readonly nameServer: FakeNameServer;
  readonly broker: FakeBroker;
  stop(): Promise<void>;
}

async function realCluster(): Promise<Cluster> {
  const host = nodeHost();
  const nameServer = new FakeNameServer(host);
  await nameServer.listen("127.0.0.1", 0);
  const broker = new FakeBroker(host, "127.0.0.1", "broker-a", 0);
  await broker.listen();
  nameServer.setRoute("orders", [broker], 2);
  const stop = async () => {
    await new Promise((resolve) => broker.server.stop(1_000, resolve));
    await new Promise((resolve) => nameServer.server.stop(1_000, resolve));
  };
  return { nameServer, broker, stop };
}

/** What keeps the process alive, besides what the test runner has open. */
const resources = () =>
  process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Immediate|GetAddrInfo/.test(name));

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("on the real machine all four clients work, leave nothing open, print nothing and touch no process handler", async () => {
  const before = resources();
  const events = ["exit", "SIGINT", "SIGTERM", "uncaughtException", "unhandledRejection"] as const;
  const listeners = events.map((event) => process.listenerCount(event));
  const { nameServer, broker, stop } = await realCluster();
  const namesrv = nameServer.address;
  {
    await using producer = new Producer({ namesrv });
    await using consumer = new PushConsumer({ namesrv, group: "g", from: "first" });
    await using reader = new Reader({ namesrv });
    await using admin = new Admin({ namesrv });
    let heard: (text: string) => void = () => {};
    const hears = new Promise<string>((resolve) => {
      heard = resolve;
    });
    consumer.listen("orders", (message) => heard(message.text()));
    await Promise.all([producer.start(), consumer.start(), reader.start(), admin.start()]);
    await producer.send({ topic: "orders", body: "hello" });
    assert.equal(await hears, "hello");
    for await (const message of reader.read("orders", { follow: false })) {
      assert.equal(message.text(), "hello");
    }
    assert.deepEqual(await admin.topicList(), ["orders"]);
  }
  assert.deepEqual(broker.unregistered.sort(), ["ORBITMQ_PRODUCER", "g"]);
  await stop();
  while (resources().length > before.length) await turn();
  assert.deepEqual(
    events.map((event) => process.listenerCount(event)),
    listeners,
  );
});

test("mapAddress turns advertised addresses into reachable ones", async () => {
  const { nameServer, broker, stop } = await realCluster();
  const dialled = broker.address;
  broker.address = "broker.inside:10911";
  nameServer.setRoute("orders", [broker], 1);
  const asked: string[] = [];
  await using producer = new Producer({
    namesrv: nameServer.address,
    mapAddress: (address) => {
      asked.push(address);
      return address === "broker.inside:10911" ? dialled : address;
    },
  });
  await producer.start();
  const result = await producer.send({ topic: "orders", body: "x" });
  assert.equal(result.queue.brokerName, "broker-a");
  assert.ok(asked.includes("broker.inside:10911"));
  await producer.shutdown();
  await stop();
});

test("a start that finds no NameServer rejects, names the address and leaves nothing open", async () => {
  const before = resources();
  const producer = new Producer({ namesrv: "127.0.0.1:1", startTimeoutMs: 200 });
  await assert.rejects(producer.start(), (error) => {
    assert.ok(error instanceof OrbitError);
    assert.equal(error.code, "NAME_SERVER_UNREACHABLE");
    assert.match(error.message, /127\.0\.0\.1:1/);
    return true;
  });
  while (resources().length > before.length) await turn();
});
