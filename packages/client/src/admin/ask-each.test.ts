/** What an admin tells when some of several brokers do not do as they are told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestCode } from "@orbitmq/wire";
import type { OrbitError } from "../errors/errors.ts";
import type { FakeBroker } from "../testing/fake-broker.ts";
import { TestWorld } from "../testing/test-world.ts";
import { Admin } from "./admin.ts";

async function stage(): Promise<{ w: TestWorld; admin: Admin; a: FakeBroker; b: FakeBroker }> {
  const w = new TestWorld();
  const a = w.addBroker("broker-a");
  const b = w.addBroker("broker-b");
  w.nameServer.setRoute("orders", [b, a], 2);
  const admin = new Admin(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(admin.start());
  return { w, admin, a, b };
}

test("a change that one broker refuses is done on the others, and the error names both", async () => {
  const { w, admin, a, b } = await stage();
  a.script = ({ code }) =>
    code === RequestCode.UPDATE_AND_CREATE_TOPIC ? { code: 29, remark: "a system topic" } : false;
  const error = (await w.failure(admin.createTopic("fresh"))) as OrbitError;
  assert.equal(b.createdTopics.length, 1);
  assert.equal(error.code, "INVALID_PARAMETER");
  assert.deepEqual(error.done, ["broker-b"]);
  assert.deepEqual(
    error.failures.map(({ server, address, code }) => [server, address, code]),
    [["broker-a", "broker-a:10911", "INVALID_PARAMETER"]],
  );
  assert.match(error.message, /^broker-a: .*a system topic; done on broker-b$/);
  await w.settle(admin.shutdown());
});

test("a change that every broker refuses says what each said", async () => {
  const { w, admin, a, b } = await stage();
  for (const [broker, remark] of [
    [a, "no"],
    [b, "neither"],
  ] as const)
    broker.script = ({ code }) =>
      code === RequestCode.UPDATE_AND_CREATE_TOPIC ? { code: 1, remark } : false;
  const error = (await w.failure(admin.createTopic("fresh"))) as OrbitError;
  assert.deepEqual(error.done, []);
  assert.match(error.message, /^broker-a: .*: no; broker-b: .*: neither$/);
  await w.settle(admin.shutdown());
});

test("a look at brokers of which one is gone shows the others and names the one", async () => {
  const { w, admin, a, b } = await stage();
  a.store("orders", 0, "y");
  w.killBroker(b);
  const status = await w.settle(admin.topicStatus("orders"));
  assert.deepEqual(
    status.queues.map(({ queue, maxOffset }) => [queue.brokerName, maxOffset]),
    [["broker-a", 1]],
  );
  assert.deepEqual(
    status.failures.map(({ server }) => server),
    ["broker-b"],
  );
  await w.settle(admin.shutdown());
});

test("a look at brokers that are all gone rejects and names them", async () => {
  const { w, admin, a, b } = await stage();
  w.killBroker(a);
  w.killBroker(b);
  const error = (await w.failure(admin.topicStatus("orders"))) as OrbitError;
  assert.equal(error.code, "CONNECT_FAILED");
  assert.deepEqual(
    error.failures.map(({ server }) => server),
    ["broker-a", "broker-b"],
  );
  await w.settle(admin.shutdown());
});

test("a broker without a master is named like one that does not answer", async () => {
  const { w, admin } = await stage();
  const route = w.nameServer.routes.get("orders")!;
  w.nameServer.routes.set("orders", {
    ...route,
    brokerDatas: route.brokerDatas.map((broker) =>
      broker.brokerName === "broker-b"
        ? { ...broker, brokerAddrs: new Map([[1, "broker-b:10911"]]) }
        : broker,
    ),
  });
  const { failures } = await w.settle(admin.topicStatus("orders"));
  assert.deepEqual(failures, [
    { server: "broker-b", address: "", code: "BROKER_UNKNOWN", message: "broker-b has no master" },
  ]);
  await w.settle(admin.shutdown());
});

test("a broker may be named by its address, and one that no NameServer knows is asked all the same", async () => {
  const { w, admin, a, b } = await stage();
  const created = await w.settle(admin.createTopic("fresh", { broker: "broker-b:10911" }));
  assert.deepEqual([created.brokers, a.createdTopics.length, b.createdTopics.length], [["broker-b"], 0, 1]);
  const stranger = w.addBroker("stranger");
  await w.settle(admin.createTopic("fresh", { broker: "stranger:10911" }));
  assert.equal(stranger.createdTopics.length, 1);
  await w.settle(admin.shutdown());
});
