import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getRouteInfoRequestHeader, quotesRouteKeys } from "../commands/get-route-info.ts";
import { MQVersion } from "../tables/mq-version.ts";
import { WireError } from "../wire-error.ts";
import { encodeTopicRouteData, parseTopicRouteData, type TopicRouteData } from "./topic-route-data.ts";

const route: TopicRouteData = {
  orderTopicConf: "broker-a:4",
  queueDatas: [{ brokerName: "broker-ü", perm: 6, readQueueNums: 4, writeQueueNums: 2, topicSysFlag: 1 }],
  brokerDatas: [
    {
      cluster: "C",
      brokerName: "broker-ü",
      brokerAddrs: new Map([
        [0, "10.0.0.1:10911"],
        [1, "10.0.0.2:10911"],
      ]),
      enableActingMaster: true,
      zoneName: "z",
    },
  ],
  filterServerTable: new Map([["10.0.0.1:10911", ["10.0.0.3:1"]]]),
  topicQueueMappingByBroker: { "broker-ü": { totalQueues: 8 } },
};

describe("a topic's route", () => {
  it("comes back from both forms of its keys", () => {
    for (const quoteKeys of [true, false]) {
      assert.deepEqual(parseTopicRouteData(encodeTopicRouteData(route, quoteKeys)), route);
    }
  });

  it("is standard JSON in ASCII when its keys are quoted", () => {
    const text = Buffer.from(encodeTopicRouteData(route, true)).toString("latin1");
    assert.match(text, /"brokerAddrs":\{"0":"10.0.0.1:10911","1":/);
    assert.match(text, /broker-\\u00FC/);
    assert.match(
      Buffer.from(encodeTopicRouteData(route, false)).toString(),
      /"brokerAddrs":\{0:"10.0.0.1:10911",1:/,
    );
  });

  it("has its keys quoted for clients from 4.9.4 on, and for those that ask", () => {
    const header = getRouteInfoRequestHeader.decode({
      get: (name) => (name === "topic" ? "T" : undefined),
      forEach: () => {},
    });
    assert.equal(quotesRouteKeys(header, MQVersion.V4_9_3), false);
    assert.equal(quotesRouteKeys(header, MQVersion.V4_9_4), true);
    assert.equal(quotesRouteKeys({ ...header, acceptStandardJsonOnly: true }, 0), true);
  });

  it("is refused with broker ids that are no integers", () => {
    const text = '{"brokerDatas":[{"brokerName":"b","cluster":"c","brokerAddrs":{"x":"a:1"}}]}';
    assert.throws(
      () => parseTopicRouteData(Buffer.from(text)),
      (error) => error instanceof WireError && error.code === "JSON_MALFORMED",
    );
  });
});
