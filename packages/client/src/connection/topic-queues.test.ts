import assert from "node:assert/strict";
import { test } from "node:test";
import type { TopicRouteData } from "@orbitmq/wire";
import { publishQueues, queueKey, routeForNewTopic, sameRoute, subscribeQueues } from "./topic-queues.ts";

const broker = (brokerName: string, ids: readonly number[] = [0]) => ({
  cluster: "C",
  brokerName,
  brokerAddrs: new Map(ids.map((id) => [id, `${brokerName}:${10911 + id}`])),
  enableActingMaster: false,
});
const queues = (brokerName: string, perm: number, read: number, write: number) => ({
  brokerName,
  perm,
  readQueueNums: read,
  writeQueueNums: write,
  topicSysFlag: 0,
});
const route = (part: Partial<TopicRouteData>): TopicRouteData => ({
  queueDatas: [],
  brokerDatas: [],
  filterServerTable: new Map(),
  ...part,
});
const names = (list: readonly { brokerName: string; queueId: number }[]) =>
  list.map(({ brokerName, queueId }) => `${brokerName}${queueId}`);

test("a producer sees writable queues of brokers with a master, in order", () => {
  const data = route({
    queueDatas: [queues("b", 6, 1, 2), queues("a", 2, 1, 2), queues("c", 4, 3, 3), queues("d", 6, 1, 1)],
    brokerDatas: [broker("a"), broker("b"), broker("c"), broker("d", [1])],
  });
  assert.deepEqual(names(publishQueues("T", data)), ["a0", "a1", "b0", "b1"]);
});

test("a consumer sees readable queues, also of brokers without a master", () => {
  const data = route({
    queueDatas: [queues("b", 6, 2, 1), queues("a", 2, 1, 2), queues("c", 4, 1, 3)],
    brokerDatas: [broker("a"), broker("b", [1]), broker("c")],
  });
  assert.deepEqual(names(subscribeQueues("T", data)), ["b0", "b1", "c0"]);
});

test("an ordered topic's queues come from its configuration", () => {
  const data = route({ orderTopicConf: "b:1;a:2;broken;c:x", queueDatas: [], brokerDatas: [broker("a")] });
  assert.deepEqual(names(publishQueues("T", data)), ["b0", "a0", "a1"]);
});

test("a new topic gets at most the asked number of the default topic's queues", () => {
  const data = route({
    queueDatas: [queues("a", 7, 8, 8), queues("b", 7, 2, 8)],
    brokerDatas: [broker("a"), broker("b")],
  });
  const fresh = routeForNewTopic(data, 4);
  assert.deepEqual(names(publishQueues("T", fresh)), ["a0", "a1", "a2", "a3", "b0", "b1"]);
  assert.ok(publishQueues("T", fresh).every((queue) => queue.topic === "T"));
});

test("routes are the same when queues and addresses are, in any order", () => {
  const one = route({
    queueDatas: [queues("a", 6, 1, 1), queues("b", 6, 1, 1)],
    brokerDatas: [broker("a", [0, 1])],
  });
  const turned = route({
    queueDatas: [queues("b", 6, 1, 1), queues("a", 6, 1, 1)],
    brokerDatas: [broker("a", [1, 0])],
  });
  assert.ok(sameRoute(one, turned));
  assert.ok(!sameRoute(one, route({ ...one, brokerDatas: [broker("a")] })));
  assert.ok(!sameRoute(one, route({ ...one, queueDatas: [queues("a", 4, 1, 1), queues("b", 6, 1, 1)] })));
});

test("keys of different queues differ", () => {
  assert.notEqual(
    queueKey({ topic: "T", brokerName: "a", queueId: 11 }),
    queueKey({ topic: "T", brokerName: "a1", queueId: 1 }),
  );
});
