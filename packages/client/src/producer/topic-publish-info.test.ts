import assert from "node:assert/strict";
import { test } from "node:test";
import type { TopicRouteData } from "@orbitmq/wire";
import { TopicPublishInfo } from "./topic-publish-info.ts";

const random = (start: number) => ({ int: () => start, float: () => 0, bytes: () => new Uint8Array() });

function route(brokers: Record<string, number>): TopicRouteData {
  return {
    queueDatas: Object.entries(brokers).map(([brokerName, writeQueueNums]) => ({
      brokerName,
      writeQueueNums,
      readQueueNums: writeQueueNums,
      perm: 6,
      topicSysFlag: 0,
    })),
    brokerDatas: Object.keys(brokers).map((brokerName) => ({
      cluster: "C",
      brokerName,
      brokerAddrs: new Map([[0, `${brokerName}:10911`]]),
      enableActingMaster: false,
    })),
    filterServerTable: new Map(),
  };
}

const take = (info: TopicPublishInfo, count: number, last?: string) =>
  Array.from({ length: count }, () => info.next(last)).map(
    (queue) => `${queue?.brokerName}${queue?.queueId}`,
  );

test("queues take turns from a random start", () => {
  const info = new TopicPublishInfo("T", route({ a: 2, b: 2 }), false, random(3));
  assert.deepEqual(take(info, 6), ["b1", "a0", "a1", "b0", "b1", "a0"]);
});

test("after a failure another broker is preferred, and the same one taken when there is no other", () => {
  const two = new TopicPublishInfo("T", route({ a: 4, b: 1 }), false, random(0));
  assert.deepEqual(take(two, 2, "a"), ["b0", "b0"]);
  const one = new TopicPublishInfo("T", route({ a: 2 }), false, random(0));
  assert.equal(one.hasOtherBroker("a"), false);
  assert.equal(one.hasOtherBroker("gone"), true);
  assert.deepEqual(take(one, 3, "a"), ["a0", "a1", "a0"]);
});

test("a topic without writable queues has no next queue", () => {
  const info = new TopicPublishInfo("T", route({}), false, random(0));
  assert.equal(info.next(undefined), undefined);
  assert.equal(info.next("a"), undefined);
});
