import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeRecallHandle, getProperty, newTopicConfig, RequestCode } from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { answerTo, brokerRoom } from "../testing/broker-room.ts";
import { recallMessage } from "./recall-message.ts";

/** The room's clock. */
const NOW_MS = 1_700_000_001_000;
const GOOD = { topic: "orders", brokerName: "broker-a", timestampMs: NOW_MS + 5_001, uniqKey: "key" };

function room(tuning: Partial<BrokerTuning> = {}) {
  const at = brokerRoom({ tuning: { recallMessageEnable: true, ...tuning } });
  at.topics.topics.apply({ kind: "topic-put", topic: newTopicConfig("orders", {}), atMs: 0 });
  const recall = (recallHandle: string, topic = "orders") =>
    answerTo(at, recallMessage(at), { code: RequestCode.RECALL_MESSAGE, ext: { topic, recallHandle } });
  return { at, recall };
}

describe("recall-message", () => {
  it("stores a message that deletes the other in the same second, and answers its id", () => {
    const { at, recall } = room();
    const answer = recall(encodeRecallHandle(GOOD));
    assert.deepEqual([answer.code, answer.ext.get("msgId")], [0, "key"]);
    assert.equal(answer.ext.get("MSG_REGION"), "DefaultRegion");
    const [{ message }] = at.store.appended as [(typeof at.store.appended)[0]];
    const of = (name: string) => getProperty(message.properties, name);
    assert.equal(message.topic, "rmq_sys_wheel_timer");
    assert.deepEqual(
      ["TIMER_DEL_UNIQKEY", "TIMER_OUT_MS", "UNIQ_KEY", "TAGS", "REAL_TOPIC", "REAL_QID"].map(of),
      ["orders+key", String(NOW_MS + 5_000), "key", "_RECALL_TAG_", "orders", "0"],
    );
  });

  const refused: [string, Partial<BrokerTuning>, string, string, number][] = [
    ["it is off", { recallMessageEnable: false }, encodeRecallHandle(GOOD), "orders", 16],
    [
      "the broker takes nothing, and recalls neither",
      { brokerPermission: 4, allowRecallWhenBrokerNotWriteable: false },
      encodeRecallHandle(GOOD),
      "orders",
      14,
    ],
    ["the topic is unknown", {}, encodeRecallHandle(GOOD), "nowhere", 17],
    ["the handle is none", {}, "v1", "orders", 604],
    ["the handle is of another broker", {}, encodeRecallHandle({ ...GOOD, brokerName: "b" }), "orders", 604],
    ["the handle is of another topic", {}, encodeRecallHandle({ ...GOOD, topic: "other" }), "orders", 604],
    ["the message is due", {}, encodeRecallHandle({ ...GOOD, timestampMs: NOW_MS }), "orders", 604],
    ["there are no timers", { timerWheelEnable: false }, encodeRecallHandle(GOOD), "orders", 1],
  ];
  for (const [when, tuning, handle, topic, code] of refused) {
    it(`answers ${code} when ${when}`, () => {
      const { at, recall } = room(tuning);
      const answer = recall(handle, topic);
      assert.deepEqual([answer.code, answer.ext.get("MSG_REGION")], [code, "DefaultRegion"]);
      assert.equal(at.store.appended.length, 0);
    });
  }

  it("goes on while the broker takes no messages from clients, unless told otherwise", () => {
    assert.equal(room({ brokerPermission: 4 }).recall(encodeRecallHandle(GOOD)).code, 0);
  });
});
