import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import { WireError } from "../wire-error.ts";
import {
  encodeRegisterBrokerBody,
  parseRegisterBrokerBody,
  type RegisterBrokerBody,
} from "./register-broker-body.ts";
import { newTopicConfig } from "./topic-config.ts";

const body: RegisterBrokerBody = {
  topicConfigSerializeWrapper: {
    dataVersion: { counter: 3, stateVersion: 1, timestamp: 1_700_000_000_000 },
    topicConfigTable: new Map([
      [
        "orders",
        newTopicConfig("orders", { readQueueNums: 4, attributes: { "+message.type": "FIFO order" } }),
      ],
      ["%RETRY%g", newTopicConfig("%RETRY%g", { perm: 4, topicFilterType: "MULTI_TAG" })],
    ]),
    topicQueueMappingInfoMap: { orders: { topic: "orders", totalQueues: 8 } },
  },
  filterServerList: ["10.0.0.1:1"],
};

/** The compressed form of these sections, each a count or a text. */
function compressed(...sections: readonly (number | string)[]): Buffer {
  return deflateSync(
    Buffer.concat(
      sections.map((section) => {
        const bytes = Buffer.alloc(typeof section === "number" ? 4 : 4 + Buffer.byteLength(section));
        bytes.writeInt32BE(typeof section === "number" ? section : Buffer.byteLength(section));
        if (typeof section === "string") bytes.write(section, 4);
        return bytes;
      }),
    ),
  );
}

describe("the body of a registration", () => {
  it("comes back from its compressed form", () => {
    assert.deepEqual(parseRegisterBrokerBody(encodeRegisterBrokerBody(body, true)), body);
  });

  it("comes back from its plain form, with what Java always writes", () => {
    const parsed = parseRegisterBrokerBody(encodeRegisterBrokerBody(body));
    const { topicConfigSerializeWrapper: wrapper, filterServerList } = parsed;
    assert.deepEqual(wrapper.topicConfigTable, body.topicConfigSerializeWrapper.topicConfigTable);
    assert.deepEqual(wrapper.dataVersion, body.topicConfigSerializeWrapper.dataVersion);
    assert.deepEqual(wrapper.mappingDataVersion, { counter: 0, stateVersion: 0, timestamp: 0 });
    assert.deepEqual(filterServerList, ["10.0.0.1:1"]);
  });

  it("of a 4.9 broker has neither attributes nor mappings", () => {
    const parsed = parseRegisterBrokerBody(compressed("{}", 1, "orders 8 4 6 SINGLE_TAG", "[]"));
    const expected = newTopicConfig("orders", { readQueueNums: 8, writeQueueNums: 4 });
    assert.deepEqual([...parsed.topicConfigSerializeWrapper.topicConfigTable.values()], [expected]);
  });

  it("is refused when a count or length leads out of it, or a topic makes no sense", () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from("neither"),
      compressed(),
      compressed(5),
      compressed("{}", -1, "[]"),
      compressed("{}", 0x7fffffff),
      compressed("{}", 1, "orders x 4 6 SINGLE_TAG", "[]"),
      compressed("{}", 1, "", "[]"),
      compressed("{}", 1, "orders 8 4 6 SINGLE_TAG nonsense", "[]"),
      compressed("{}", 0, "{}", 0),
      compressed("[]", 0, "[]", 0),
      Buffer.from('{"topicConfigSerializeWrapper":{"topicConfigTable":[]}}'),
    ]) {
      assert.throws(
        () => parseRegisterBrokerBody(bytes),
        (error) => error instanceof WireError && /JSON_MALFORMED|CODEC_FAILED/.test(error.code),
      );
    }
  });
});
