import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseProperties, recordSize, writeRecord } from "@orbitmq/wire";
import { RecordProperties } from "./record-properties.ts";

function recordOf(properties: string, topic = "orders", body = "body"): Buffer {
  const host = Uint8Array.of(10, 0, 0, 1, 0, 0, 0, 1);
  const message = {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties,
  };
  const bytes = Buffer.alloc(recordSize(message) + 7, 0x41);
  writeRecord(message, bytes, 7, { queueOffset: 0, physicalOffset: 0, storeTimestamp: 0 });
  return bytes;
}

describe("the properties of a record", () => {
  it("are found in its bytes", () => {
    const properties = new RecordProperties();
    properties.read(recordOf("a\u0001é\u0002ab\u0001\u0002a\u0001last\u0002b\u0001x\u0001y"), 7);
    assert.deepEqual(
      ["a", "ab", "b", "c", ""].map((name) => properties.get(name)),
      ["last", "", "x\u0001y", null, null],
    );
    properties.read(recordOf("", "t".repeat(300), ""), 7);
    assert.equal(properties.get("a"), null);
  });

  it("are those every other part reads, however many are asked for", () => {
    let seed = 7;
    const int = (bound: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % bound;
    };
    const properties = new RecordProperties();
    for (let run = 0; run < 2_000; run++) {
      const text = Array.from({ length: int(24) }, () => "ab\u0001\u0002\u0001\u0002é"[int(7)]).join("");
      const all = parseProperties(text);
      properties.read(recordOf(text), 7);
      for (const name of ["a", "b", "ab", "ba", "aa", "a", "bb", "b", "ab", "a", "b"]) {
        assert.equal(properties.get(name), all.get(name) ?? null, JSON.stringify([text, name]));
      }
    }
  });
});
