/** Traces against bytes of Java's own encoder (rocketmq-client 5.5.0, TraceDataEncoder.encoderFromContextBean). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeTrace, encodeTrace } from "./trace-codec.ts";
import type { TraceContext } from "./trace-context.ts";

const head = { timeMs: 1_700_000_000_123, regionId: "DefaultRegion", group: "g" } as const;
const message = { topic: "orders", msgId: "7F0000010001", tag: "red", keys: "k1 k2" } as const;
const pub = {
  ...head,
  ...message,
  type: "Pub",
  storeHost: "127.0.0.1:10911",
  bodyLength: 5,
  costMs: 7,
  messageType: "Normal_Msg",
  offsetMsgId: "7F00000100002A9F0000000000000000",
  success: true,
} as const;
const before = {
  ...head,
  type: "SubBefore",
  requestId: "REQ1",
  msgId: message.msgId,
  retryTimes: 2,
  keys: message.keys,
} as const;
const after = {
  type: "SubAfter",
  requestId: "REQ1",
  msgId: message.msgId,
  keys: message.keys,
  costMs: 7,
} as const;

const golden: readonly (readonly [name: string, contexts: readonly TraceContext[], base64: string])[] = [
  [
    "Pub",
    [pub],
    "UHViATE3MDAwMDAwMDAxMjMBRGVmYXVsdFJlZ2lvbgFnAW9yZGVycwE3RjAwMDAwMTAwMDEBcmVkAWsxIGsyATEyNy4wLjAuMToxMDkxMQE1ATcBMAE3RjAwMDAwMTAwMDAyQTlGMDAwMDAwMDAwMDAwMDAwMAF0cnVlAg==",
  ],
  [
    "Pub of a delayed message without tag and keys",
    [{ ...pub, tag: undefined, keys: undefined, messageType: "Delay_Msg" }],
    "UHViATE3MDAwMDAwMDAxMjMBRGVmYXVsdFJlZ2lvbgFnAW9yZGVycwE3RjAwMDAwMTAwMDEBbnVsbAFudWxsATEyNy4wLjAuMToxMDkxMQE1ATcBMwE3RjAwMDAwMTAwMDAyQTlGMDAwMDAwMDAwMDAwMDAwMAF0cnVlAg==",
  ],
  [
    "Pub with a key that is not ASCII",
    [{ ...pub, keys: "ключ" }],
    "UHViATE3MDAwMDAwMDAxMjMBRGVmYXVsdFJlZ2lvbgFnAW9yZGVycwE3RjAwMDAwMTAwMDEBcmVkAdC60LvRjtGHATEyNy4wLjAuMToxMDkxMQE1ATcBMAE3RjAwMDAwMTAwMDAyQTlGMDAwMDAwMDAwMDAwMDAwMAF0cnVlAg==",
  ],
  [
    "SubBefore of two messages",
    [before, { ...before, keys: undefined }],
    "U3ViQmVmb3JlATE3MDAwMDAwMDAxMjMBRGVmYXVsdFJlZ2lvbgFnAVJFUTEBN0YwMDAwMDEwMDAxATIBazEgazICU3ViQmVmb3JlATE3MDAwMDAwMDAxMjMBRGVmYXVsdFJlZ2lvbgFnAVJFUTEBN0YwMDAwMDEwMDAxATIBbnVsbAI=",
  ],
  [
    "SubAfter of a failure",
    [{ ...after, timeMs: head.timeMs, group: "g", success: false, outcome: "FAILED" }],
    "U3ViQWZ0ZXIBUkVRMQE3RjAwMDAwMTAwMDEBNwFmYWxzZQFrMSBrMgE0ATE3MDAwMDAwMDAxMjMBZwI=",
  ],
  [
    "SubAfter of the cloud's",
    [{ ...after, timeMs: undefined, group: undefined, success: true, outcome: "SUCCESS" }],
    "U3ViQWZ0ZXIBUkVRMQE3RjAwMDAwMTAwMDEBNwF0cnVlAWsxIGsyATABAg==",
  ],
  [
    "EndTransaction",
    [
      {
        ...head,
        ...message,
        type: "EndTransaction",
        storeHost: "127.0.0.1:10911",
        messageType: "Trans_msg_Commit",
        transactionId: "TX1",
        state: "COMMIT_MESSAGE",
        fromTransactionCheck: true,
      },
    ],
    "RW5kVHJhbnNhY3Rpb24BMTcwMDAwMDAwMDEyMwFEZWZhdWx0UmVnaW9uAWcBb3JkZXJzATdGMDAwMDAxMDAwMQFyZWQBazEgazIBMTI3LjAuMC4xOjEwOTExATIBVFgxAUNPTU1JVF9NRVNTQUdFAXRydWUC",
  ],
  [
    "Recall",
    [{ ...head, type: "Recall", topic: "orders", msgId: message.msgId, success: true }],
    "UmVjYWxsATE3MDAwMDAwMDAxMjMBRGVmYXVsdFJlZ2lvbgFnAW9yZGVycwE3RjAwMDAwMTAwMDEBdHJ1ZQI=",
  ],
];

describe("the text of a trace", () => {
  for (const [name, contexts, base64] of golden) {
    it(`is Java's, and is read again: ${name}`, () => {
      const text = Buffer.from(base64, "base64").toString("utf8");
      assert.equal(contexts.map(encodeTrace).join(""), text);
      assert.deepEqual(decodeTrace(text), { contexts, malformed: 0 });
    });
  }

  it("of a client before 4.4, without the place of a Pub and the outcome of a SubAfter, is read", () => {
    const old = (...fields: string[]) => `${fields.join("\u0001")}\u0002`;
    const oldPub = old("Pub", "1", "r", "g", "t", "id", "", "", "h:1", "3", "4", "0", "false");
    const oldAfter = old("SubAfter", "req", "id", "9", "true", "k");
    const { contexts, malformed } = decodeTrace(oldPub + oldAfter);
    assert.equal(malformed, 0);
    const [published, consumed] = contexts;
    assert.deepEqual(published, {
      type: "Pub",
      timeMs: 1,
      regionId: "r",
      group: "g",
      topic: "t",
      msgId: "id",
      tag: undefined,
      keys: undefined,
      storeHost: "h:1",
      bodyLength: 3,
      costMs: 4,
      messageType: "Normal_Msg",
      offsetMsgId: undefined,
      success: false,
    });
    assert.deepEqual([consumed?.type, consumed?.timeMs], ["SubAfter", undefined]);
  });

  it("has pieces that are none counted and passed over", () => {
    const good = encodeTrace(pub);
    const broken = good.replace("1700000000123", "soon");
    assert.deepEqual(decodeTrace(`Nothing\u0002${broken}${good}Pub\u00011`), {
      contexts: [pub],
      malformed: 3,
    });
  });
});
