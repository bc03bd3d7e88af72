import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBatchAckBody, parseBatchAckBody } from "../commands/batch-ack-message.ts";
import {
  encodeAssignments,
  parseAssignments,
  parseQueryAssignmentBody,
} from "../commands/query-assignment.ts";
import {
  encodeMessageRequestMode,
  encodeMessageRequestModes,
  parseMessageRequestMode,
  parseMessageRequestModes,
} from "../commands/set-message-request-mode.ts";
import { WireError } from "../wire-error.ts";
import {
  formatMsgOffsetInfo,
  formatOrderCountInfo,
  formatStartOffsetInfo,
  parseMsgOffsetInfo,
  parseOrderCountInfo,
  parseStartOffsetInfo,
} from "./pop-offset-info.ts";
import {
  popNormalTopicOf,
  popRetryTopicV1,
  popRetryTopicV2,
  popTopicOfType,
  popTopicTypeOf,
} from "./pop-retry-topic.ts";
import { formatReceiptHandle, parseReceiptHandle } from "./receipt-handle.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const refused = (code: string) => (error: unknown) => error instanceof WireError && error.code === code;

describe("the retry topics of POP", () => {
  it("have two spellings, and both lead back to the topic", () => {
    assert.equal(popRetryTopicV1("orders", "billing"), "%RETRY%billing_orders");
    assert.equal(popRetryTopicV2("orders", "billing"), "%RETRY%billing+orders");
    for (const type of [0, 1, 2] as const) {
      const topic = popTopicOfType(type, "orders", "billing");
      assert.equal(popTopicTypeOf(topic), type);
      assert.equal(popNormalTopicOf(topic, "billing"), "orders");
    }
  });
});

describe("a receipt handle", () => {
  const handle = {
    startOffset: 7,
    popTime: 1_700_000_000_123,
    invisibleTime: 60_000,
    reviveQueueId: 3,
    topicType: 1,
    brokerName: "broker-a",
    queueId: 2,
    offset: 9,
  } as const;

  it("is written as Java writes it and comes back", () => {
    assert.equal(formatReceiptHandle(handle), "7 1700000000123 60000 3 1 broker-a 2 9");
    assert.deepEqual(parseReceiptHandle(formatReceiptHandle(handle)), handle);
  });

  it("may lack the offset, and may have more behind it", () => {
    const { offset: _, ...whole } = handle;
    assert.equal(formatReceiptHandle(whole), "7 1700000000123 60000 3 1 broker-a 2");
    assert.equal(parseReceiptHandle(formatReceiptHandle(whole)).offset, undefined);
    assert.equal(parseReceiptHandle(`${formatReceiptHandle(handle)} later`).offset, 9);
  });

  it("that is none is refused", () => {
    for (const bad of [
      "",
      "7 1700000000123 60000 3 1 broker-a",
      "x 1700000000123 60000 3 1 broker-a 2 9",
      "-7 1700000000123 60000 3 1 broker-a 2 9",
      "7 1700000000123 60000 3 4 broker-a 2 9",
      "7 1700000000123 60000 3 1  2 9",
      "7 1700000000123 60000 9999999999 1 broker-a 2 9",
      "7 1700000000123 60000 3 1 broker-a 2 1e3",
    ]) {
      assert.throws(() => parseReceiptHandle(bad), refused("POP_INFO_MALFORMED"), bad);
    }
  });
});

describe("the offset lists of a POP answer", () => {
  it("are written as Java writes them and come back", () => {
    const starts = [
      { topicType: 0, queueId: 1, startOffset: 40 },
      { topicType: 1, queueId: 0, startOffset: 3 },
    ] as const;
    assert.equal(formatStartOffsetInfo(starts), "0 1 40;1 0 3");
    assert.deepEqual(parseStartOffsetInfo("0 1 40;1 0 3"), starts);
    const offsets = [{ topicType: 0, queueId: 1, offsets: [40, 42] }] as const;
    assert.equal(formatMsgOffsetInfo(offsets), "0 1 40,42");
    assert.deepEqual(parseMsgOffsetInfo("0 1 40,42"), offsets);
    const counts = [
      { topicType: 0, queueId: 1, offset: 42, count: 2 },
      { topicType: 0, queueId: 1, count: 0 },
    ] as const;
    assert.equal(formatOrderCountInfo(counts), "0 qo1%42 2;0 1 0");
    assert.deepEqual(parseOrderCountInfo("0 qo1%42 2;0 1 0"), counts);
  });

  it("are empty when there is nothing, and refused when they are none", () => {
    for (const parse of [parseStartOffsetInfo, parseMsgOffsetInfo, parseOrderCountInfo]) {
      assert.deepEqual(parse(undefined), []);
      assert.deepEqual(parse(""), []);
      for (const bad of ["0 1", "3 1 4", "0 1 x", "0 1 4;0 1 5", "0 1 4 5", "0 -1 4"]) {
        assert.throws(() => parse(bad), refused("POP_INFO_MALFORMED"), bad);
      }
    }
  });
});

describe("bodies of POP", () => {
  it("a batch of acknowledgements is written as fastjson writes it and comes back", () => {
    const ack = {
      consumerGroup: "billing",
      topic: "orders",
      topicType: 0,
      startOffset: 100,
      queueId: 2,
      reviveQueueId: 5,
      popTime: 1_700_000_000_123,
      invisibleTime: 60_000,
      offsets: [100, 103, 116],
    } as const;
    const body = encodeBatchAckBody({ brokerName: "broker-a", acks: [ack] });
    assert.equal(
      text(body),
      '{"acks":[{"b":"CQAB","c":"billing","it":60000,"pt":1700000000123,"q":2,"r":"0","rq":5,"so":100,"t":"orders"}],"brokerName":"broker-a"}',
    );
    assert.deepEqual(parseBatchAckBody(body), { brokerName: "broker-a", acks: [ack] });
    const long = `{"acks":[{"bitSet":"CQAB","consumerGroup":"billing","invisibleTime":60000,"popTime":1700000000123,
      "queueId":2,"retry":"0","reviveQueueId":5,"startOffset":100,"topic":"orders"}]}`;
    assert.deepEqual(parseBatchAckBody(Buffer.from(long)).acks, [ack]);
  });

  it("a batch of acknowledgements whose bits or type are none is refused", () => {
    const entry = (members: string): Uint8Array =>
      Buffer.from(`{"acks":[{"c":"g","it":1,"pt":1,"q":2,"rq":5,"so":1,"t":"t",${members}}]}`);
    for (const bad of ['"r":"3","b":""', '"r":"0","b":"*"', `"r":"0","b":"${"A".repeat(200_000)}"`]) {
      assert.throws(() => parseBatchAckBody(entry(bad)), refused("JSON_MALFORMED"));
    }
  });

  it("assignments are a list, or absent for a member that keeps what it has", () => {
    const queue = { topic: "orders", brokerName: "broker-a", queueId: -1 };
    const body = encodeAssignments([{ messageQueue: queue, mode: "POP" }]);
    assert.equal(
      text(body),
      '{"messageQueueAssignments":[{"messageQueue":{"brokerName":"broker-a","queueId":-1,"topic":"orders"},"mode":"POP"}]}',
    );
    assert.deepEqual(parseAssignments(body), [{ messageQueue: queue, mode: "POP" }]);
    assert.equal(text(encodeAssignments(undefined)), "{}");
    assert.equal(parseAssignments(Buffer.from("{}")), undefined);
    assert.throws(
      () => parseAssignments(Buffer.from('{"messageQueueAssignments":[{"messageQueue":{},"mode":"PUSH"}]}')),
      refused("JSON_MALFORMED"),
    );
    assert.equal(
      parseQueryAssignmentBody(Buffer.from('{"topic":"t","consumerGroup":"g","clientId":"c"}')).strategyName,
      "AVG",
    );
  });

  it("a request mode comes back, alone and in the table of all", () => {
    const setting = { topic: "orders", consumerGroup: "billing", mode: "POP", popShareQueueNum: 2 } as const;
    assert.deepEqual(parseMessageRequestMode(encodeMessageRequestMode(setting)), setting);
    const table = encodeMessageRequestModes([
      setting,
      { ...setting, consumerGroup: "shipping", mode: "PULL" },
    ]);
    assert.match(
      text(table),
      /^\{"messageRequestModeMap":\{"orders":\{"billing":\{"consumerGroup":"billing",/,
    );
    assert.deepEqual(
      parseMessageRequestModes(table).map(({ consumerGroup, mode }) => [consumerGroup, mode]),
      [
        ["billing", "POP"],
        ["shipping", "PULL"],
      ],
    );
  });
});
