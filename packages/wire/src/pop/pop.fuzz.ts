/** The codecs of POP against random and mutated input: what is none is refused with a WireError. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBatchAckBody, parseBatchAckBody } from "../commands/batch-ack-message.ts";
import {
  encodeAssignments,
  encodeQueryAssignmentBody,
  parseAssignments,
  parseQueryAssignmentBody,
} from "../commands/query-assignment.ts";
import {
  encodeMessageRequestMode,
  encodeMessageRequestModes,
  parseMessageRequestMode,
  parseMessageRequestModes,
} from "../commands/set-message-request-mode.ts";
import { fuzzRuns, SeededRandom } from "../testing/random.ts";
import { WireError } from "../wire-error.ts";
import {
  formatMsgOffsetInfo,
  formatOrderCountInfo,
  formatStartOffsetInfo,
  parseMsgOffsetInfo,
  parseOrderCountInfo,
  parseStartOffsetInfo,
} from "./pop-offset-info.ts";
import { formatReceiptHandle, parseReceiptHandle } from "./receipt-handle.ts";

function refusesOrReads<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

describe("fuzz: texts of POP", () => {
  const pieces = [
    "0",
    "1",
    "2",
    " ",
    ";",
    ",",
    "qo",
    "%",
    "-",
    "9007199254740993",
    "broker-a",
    "@",
    "x",
    "60000",
  ];

  it("are read or refused, and what was read is written back the same", () => {
    const random = new SeededRandom(21);
    const codecs: { parse: (text: string) => unknown; format: (value: never) => string }[] = [
      { parse: parseReceiptHandle, format: formatReceiptHandle },
      { parse: parseStartOffsetInfo, format: formatStartOffsetInfo },
      { parse: parseMsgOffsetInfo, format: formatMsgOffsetInfo },
      { parse: parseOrderCountInfo, format: formatOrderCountInfo },
    ];
    const good = [
      "7 1700000000123 60000 3 1 broker-a 2 9",
      "0 1 40;1 0 3",
      "0 1 40,42;1 0 3",
      "0 qo1%42 2;0 1 0",
    ];
    let read = 0;
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      let text = "";
      if (run % 2 === 0) for (let left = random.int(20); left > 0; left--) text += random.pick(pieces);
      else text = random.mutated(Buffer.from(random.pick(good))).toString("latin1");
      for (const { parse, format } of codecs) {
        const value = refusesOrReads(() => parse(text));
        if (value === undefined) continue;
        read++;
        assert.deepEqual(parse(format(value as never)), value, text);
      }
    }
    assert.ok(read > 100, `${read} read`);
  });
});

describe("fuzz: bodies of POP", () => {
  it("are read or refused", () => {
    const random = new SeededRandom(22);
    const setting = { topic: "t", consumerGroup: "g", mode: "POP", popShareQueueNum: 1 } as const;
    const ack = {
      ...{
        consumerGroup: "g",
        topic: "t",
        topicType: 0 as const,
        startOffset: 1,
        queueId: 0,
        reviveQueueId: 0,
      },
      ...{ popTime: 1, invisibleTime: 1, offsets: [1, 5, 30] },
    } as const;
    const bodies: [Uint8Array, (bytes: Uint8Array) => unknown][] = [
      [encodeBatchAckBody({ brokerName: "b", acks: [ack, ack] }), parseBatchAckBody],
      [
        encodeQueryAssignmentBody({
          ...{ topic: "t", consumerGroup: "g", clientId: "c" },
          ...{ strategyName: "AVG", messageModel: "CLUSTERING" },
        }),
        parseQueryAssignmentBody,
      ],
      [
        encodeAssignments([{ messageQueue: { topic: "t", brokerName: "b", queueId: 0 }, mode: "POP" }]),
        parseAssignments,
      ],
      [encodeMessageRequestMode(setting), parseMessageRequestMode],
      [encodeMessageRequestModes([setting]), parseMessageRequestModes],
    ];
    for (let run = fuzzRuns(10_000); run > 0; run--) {
      const [bytes, parse] = random.pick(bodies);
      refusesOrReads(() => parse(random.mutated(bytes)));
    }
  });
});
