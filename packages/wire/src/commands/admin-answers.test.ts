/** What administrators ask brokers for: the bodies brokers write are read back as they were. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { newSubscriptionData } from "../bodies/subscription-data.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseConsumeMessageDirectlyResult } from "./consume-message-directly.ts";
import { encodeBrokerConsumeStats, parseBrokerConsumeStats } from "./get-broker-consume-stats.ts";
import { parseConsumerRunningInfo } from "./get-consumer-running-info.ts";
import { encodeConsumerStatus, parseConsumerStatus } from "./invoke-broker-to-get-consumer-status.ts";
import { encodeConsumeTimeSpans, parseConsumeTimeSpans } from "./query-consume-time-span.ts";
import { encodeConsumerSubscription, parseConsumerSubscription } from "./query-subscription-by-consumer.ts";
import { encodeGroupForbidden, parseGroupReadable } from "./update-and-get-group-forbidden.ts";
import { encodeBrokerStatsData, parseBrokerStatsData } from "./view-broker-stats-data.ts";

const queue = { topic: "T", brokerName: "broker-a", queueId: 1 };

it("a counter over three spans of time comes back as it was", () => {
  const data = {
    statsMinute: { sum: 60, tps: 1.5, avgpt: 2 },
    statsHour: { sum: 600, tps: 0.25, avgpt: 1 },
    statsDay: { sum: 0, tps: 0, avgpt: 0 },
  };
  assert.deepEqual(parseBrokerStatsData(encodeBrokerStatsData(data)), data);
});

it("the progress of every group comes back by group and topic", () => {
  const offsets = [{ queue, brokerOffset: 9, consumerOffset: 4, pullOffset: 4, lastTimestamp: 1_000 }];
  const stats = {
    brokerAddr: "127.0.0.1:10911",
    groups: new Map([
      ["g", [{ consumeTps: 0.5, offsets }]],
      ["idle", []],
    ]),
    totalDiff: 5,
    totalInflightDiff: 0,
  };
  assert.deepEqual(parseBrokerConsumeStats(encodeBrokerConsumeStats(stats)), stats);
});

it("the time spans of queues come back", () => {
  const spans = [
    { messageQueue: queue, minTimeStamp: 1, maxTimeStamp: 9, consumeTimeStamp: 5, delayTime: 4 },
    { messageQueue: queue, minTimeStamp: -1, maxTimeStamp: -1, consumeTimeStamp: -1, delayTime: 0 },
  ];
  assert.deepEqual(parseConsumeTimeSpans(encodeConsumeTimeSpans(spans)), spans);
});

it("a group's subscription comes back, and that there is none", () => {
  const subscription = newSubscriptionData("T", "a || b", 7);
  assert.deepEqual(
    parseConsumerSubscription(encodeConsumerSubscription("g", "T", subscription)),
    subscription,
  );
  assert.equal(parseConsumerSubscription(encodeConsumerSubscription("g", "T", undefined)), undefined);
});

it("what members say of their offsets comes back by client id", () => {
  const status = new Map([
    ["one", new Map([[queue, 7]])],
    ["two", new Map()],
  ]);
  assert.deepEqual(parseConsumerStatus(encodeConsumerStatus(status)), status);
});

it("whether a group may read a topic comes back", () => {
  assert.equal(parseGroupReadable(encodeGroupForbidden("g", "T", false)), false);
  assert.equal(parseGroupReadable(encodeGroupForbidden("g", "T", true)), true);
});

it("how a message fared with a consumer is read, with and without a remark", () => {
  const result = {
    consumeResult: "CR_LATER",
    order: true,
    autoCommit: false,
    remark: "no",
    spentTimeMills: 3,
  };
  assert.deepEqual(parseConsumeMessageDirectlyResult(encodeFastjson(result)), result);
  assert.deepEqual(parseConsumeMessageDirectlyResult(encodeFastjson({ consumeResult: "CR_SUCCESS" })), {
    consumeResult: "CR_SUCCESS",
    order: false,
    autoCommit: true,
    remark: "",
    spentTimeMills: 0,
  });
});

it("a member's properties are texts whatever it writes, and its rates are read by topic", () => {
  const status = { consumeRT: 1.5, consumeOKTPS: 2, consumeFailedTPS: 0, consumeFailedMsgs: 1 };
  const info = parseConsumerRunningInfo(
    encodeFastjson({
      properties: { PROP_CONSUMEORDERLY: false, PROP_CLIENT_VERSION: "V5_5_0" },
      statusTable: { T: status },
      mqTable: new Map([[queue, { commitOffset: 3, cachedMsgCount: 2, locked: true }]]),
      jstack: "main",
    }),
  );
  assert.deepEqual([...info.properties].sort(), [
    ["PROP_CLIENT_VERSION", "V5_5_0"],
    ["PROP_CONSUMEORDERLY", "false"],
  ]);
  assert.deepEqual([...info.statuses], [["T", { ...status, pullRT: 0, pullTPS: 0 }]]);
  assert.deepEqual(
    info.queues.map(({ cachedMsgCount, locked }) => [cachedMsgCount, locked]),
    [[2, true]],
  );
  assert.equal(info.jstack, "main");
});
