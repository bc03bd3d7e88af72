import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeHostBytes,
  queryMessageRequestHeader,
  RequestCode,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
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

const codeOf = (error: unknown) => (error instanceof OrbitError ? error.code : error);

test("a topic is created on every master of the only cluster, with eight queues unless told otherwise", async () => {
  const { w, admin, a, b } = await stage();
  assert.deepEqual(await w.settle(admin.createTopic("fresh")), {
    topic: "fresh",
    queues: 8,
    perm: 6,
    brokers: ["broker-a", "broker-b"],
  });
  await w.settle(admin.createTopic("wide", { cluster: "C", queues: 16, perm: 4 }));
  const expected = [
    { topic: "fresh", queues: 8, perm: 6 },
    { topic: "wide", queues: 16, perm: 4 },
  ];
  assert.deepEqual([a.createdTopics, b.createdTopics], [expected, expected]);
  await w.settle(admin.shutdown());
});

test("a topic is created on one broker when it is named", async () => {
  const { w, admin, a, b } = await stage();
  const created = await w.settle(admin.createTopic("fresh", { broker: "broker-b" }));
  assert.deepEqual(created.brokers, ["broker-b"]);
  assert.deepEqual([a.createdTopics.length, b.createdTopics.length], [0, 1]);
  await w.settle(admin.shutdown());
});

test("a broker's refusal to create a topic is told with its remark", async () => {
  const { w, admin, a } = await stage();
  a.script = ({ code }) =>
    code === RequestCode.UPDATE_AND_CREATE_TOPIC ? { code: 29, remark: "a system topic" } : false;
  const error = (await w.failure(admin.createTopic("fresh"))) as OrbitError;
  assert.deepEqual(
    [error.code, error.responseCode, error.remark],
    ["INVALID_PARAMETER", 29, "a system topic"],
  );
  await w.settle(admin.shutdown());
});

test("wrong arguments are refused before anything is sent", async () => {
  const { w, admin } = await stage();
  const failure = async (promise: Promise<unknown>) => codeOf(await w.failure(promise));
  assert.equal(await failure(admin.createTopic("bad name")), "INVALID_ARGUMENT");
  assert.equal(await failure(admin.createTopic("t", { queues: 0 })), "INVALID_ARGUMENT");
  assert.equal(await failure(admin.createTopic("t", { perm: 9 })), "INVALID_ARGUMENT");
  assert.equal(await failure(admin.createTopic("t", { cluster: "C", broker: "a" })), "INVALID_ARGUMENT");
  assert.equal(await failure(admin.createTopic("t", { cluster: "D" })), "INVALID_ARGUMENT");
  assert.equal(await failure(admin.createTopic("t", { broker: "ghost" })), "BROKER_UNKNOWN");
  assert.equal(await failure(admin.topicRoute("nowhere")), "TOPIC_ROUTE_NOT_FOUND");
  await w.settle(admin.shutdown());
  assert.equal(await failure(admin.topicList()), "SHUT_DOWN");
});

test("topics, routes, offsets and clusters are listed in order", async () => {
  const { w, admin, a, b } = await stage();
  w.nameServer.setRoute("another", [a], 1);
  assert.deepEqual(await w.settle(admin.topicList()), ["another", "orders"]);
  const route = await w.settle(admin.topicRoute("orders"));
  assert.deepEqual(route.brokers, [
    { brokerName: "broker-a", cluster: "C", addresses: { "0": "broker-a:10911" } },
    { brokerName: "broker-b", cluster: "C", addresses: { "0": "broker-b:10911" } },
  ]);
  assert.deepEqual(route.queues[0], { brokerName: "broker-a", readQueueNums: 2, writeQueueNums: 2, perm: 6 });
  b.store("orders", 1, "x");
  a.store("orders", 0, "y");
  const status = await w.settle(admin.topicStatus("orders"));
  assert.deepEqual(
    status.queues.map(({ queue, minOffset, maxOffset }) => [
      queue.brokerName,
      queue.queueId,
      minOffset,
      maxOffset,
    ]),
    [
      ["broker-a", 0, 0, 1],
      ["broker-b", 1, 0, 1],
    ],
  );
  assert.deepEqual(await w.settle(admin.clusterInfo()), {
    clusters: { C: ["broker-a", "broker-b"] },
    brokers: route.brokers,
  });
  await w.settle(admin.shutdown());
});

test("messages are found by key on every master, oldest first, and none is an empty list", async () => {
  const { w, admin, a, b } = await stage();
  const asked: string[] = [];
  a.script = (request) => {
    if (request.code !== RequestCode.QUERY_MESSAGE) return false;
    const { key, maxNum, indexType, endTimestamp } = queryMessageRequestHeader.decode(request.ext);
    asked.push(`${key} ${maxNum} ${indexType} ${request.ext.get("_UNIQUE_KEY_QUERY")} ${endTimestamp}`);
    return { code: 0, body: [recordOf("from a", 5_000)] };
  };
  b.script = ({ code }) =>
    code === RequestCode.QUERY_MESSAGE ? { code: 22, remark: "can not find message" } : false;
  const found = await w.settle(admin.queryMessage("orders", "k", { max: 7, endMs: 9_000 }));
  assert.deepEqual(
    found.map((message) => [message.text(), message.queue.brokerName, message.keys]),
    [["from a", "broker-a", ["k"]]],
  );
  await w.settle(admin.queryMessage("orders", "red", { by: "tag" }));
  assert.deepEqual(asked, ["k 7 K false 9000", `red 64 T false ${Number.MAX_SAFE_INTEGER}`]);
  await w.settle(admin.shutdown());
});

test("a message is found by the id of its producer, and an id nobody knows is QUERY_NOT_FOUND", async () => {
  const { w, admin, a, b } = await stage();
  for (const broker of [a, b]) {
    broker.script = (request) => {
      if (request.code !== RequestCode.QUERY_MESSAGE) return false;
      const { key } = queryMessageRequestHeader.decode(request.ext);
      const isHere = broker === b && key === "ID-1" && request.ext.get("_UNIQUE_KEY_QUERY") === "true";
      return isHere
        ? { code: 0, body: [recordOf("it", 1_000)] }
        : { code: 22, remark: "can not find message" };
    };
  }
  const message = await w.settle(admin.viewMessage("orders", "ID-1"));
  assert.deepEqual([message.text(), message.queue.brokerName], ["it", "broker-b"]);
  assert.equal(codeOf(await w.failure(admin.viewMessage("orders", "ID-2"))), "QUERY_NOT_FOUND");
  await w.settle(admin.shutdown());
});

function recordOf(body: string, storeTimestamp: number): Buffer {
  const host = encodeHostBytes({ host: "127.0.0.1", port: 10911 });
  const input = {
    topic: "orders",
    queueId: 1,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: "KEYS\u0001k\u0002UNIQ_KEY\u0001ID-1\u0002",
  };
  const bytes = Buffer.alloc(recordSize(input));
  writeRecord(input, bytes, 0, { queueOffset: 0, physicalOffset: 0, storeTimestamp });
  return bytes;
}
