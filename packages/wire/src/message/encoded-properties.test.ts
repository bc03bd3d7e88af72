import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fuzzRuns, SeededRandom } from "../testing/random.ts";
import { EncodedProperties } from "./encoded-properties.ts";
import { getProperty } from "./message-properties.ts";

function read(text: string): EncodedProperties {
  const properties = new EncodedProperties();
  const bytes = Buffer.from(`..${text}..`);
  properties.read(bytes, 2, bytes.length - 2);
  return properties;
}

function value(properties: EncodedProperties, start: number, end: number): string | undefined {
  return start < 0 ? undefined : properties.bytes.toString("utf8", start, end);
}

describe("EncodedProperties", () => {
  it("finds tags, keys and the unique key, the last of a name", () => {
    const found = read(
      "UNIQ_KEY\u0001A\u0002TAGS\u0001t\u0002KEYS\u0001k l\u0002TAGS\u0001ü\u0002UNIQ_KEY\u0001\u0002",
    );
    assert.equal(value(found, found.tagsStart, found.tagsEnd), "ü");
    assert.equal(value(found, found.keysStart, found.keysEnd), "k l");
    assert.equal(value(found, found.uniqKeyStart, found.uniqKeyEnd), "A");
    assert.equal(found.isPlain, true);
    const none = read("TAG\u0001a\u0002KEY\u0001b\u0002UNIQ_KEYS\u0001c\u0002XTAGS\u0001d");
    assert.deepEqual([none.tagsStart, none.keysStart, none.uniqKeyStart], [-1, -1, -1]);
  });

  it("says that a message is not plain when a broker has to do something about it", () => {
    for (const name of [
      "DELAY",
      "TIMER_DELAY_SEC",
      "TIMER_DELAY_MS",
      "TIMER_DELIVER_MS",
      "TRAN_MSG",
      "INNER_NUM",
      "INNER_BASE",
      "MSG_REGION",
      "TRACE_ON",
      "CLUSTER",
      "POP_CK",
      "PGROUP",
      "RETRY_TOPIC",
      "REAL_TOPIC",
      "REAL_QID",
      "RECONSUME_TIME",
      "MAX_RECONSUME_TIMES",
      "__CRC32#",
      "__STARTDELIVERTIME",
    ]) {
      assert.equal(read(`TAGS\u0001a\u0002${name}\u00011`).isPlain, false, name);
    }
    assert.equal(read("WAIT\u0001false\u0002").isPlain, false);
    assert.equal(read("WAIT\u0001\u0002").isPlain, false);
    for (const plain of [
      "",
      "WAIT\u0001true\u0002",
      "WAIT\u0001true",
      "__SHARDINGKEY\u00017\u0002",
      "id\u00011",
    ]) {
      assert.equal(read(plain).isPlain, true, plain);
    }
  });

  it("knows what waits for a time, unless there is more to be done about it", () => {
    for (const [name, text, value] of [
      ["TIMER_DELAY_SEC", "60", 60],
      ["TIMER_DELAY_MS", "1500", 1_500],
      ["TIMER_DELIVER_MS", "999999999999999", 999_999_999_999_999],
      ["TIMER_DELAY_SEC", "1000000000000000", Number.NaN],
      ["TIMER_DELAY_SEC", "-1", Number.NaN],
      ["TIMER_DELAY_SEC", "6x", Number.NaN],
      ["TIMER_DELAY_SEC", "", Number.NaN],
    ] as const) {
      const found = read(`TAGS\u0001a\u0002${name}\u0001${text}\u0002`);
      assert.deepEqual([found.isTimed, found.isPlain, found.isHalf], [true, false, false]);
      assert.deepEqual([found.timerTrigger, found.timerValue], [name, value]);
    }
    const timed = "TIMER_DELAY_SEC\u00011\u0002";
    for (const text of [
      `${timed}${timed}`,
      `${timed}TIMER_OUT_MS\u00011\u0002`,
      `${timed}TIMER_DEL_UNIQKEY\u0001a\u0002`,
      `${timed}DELAY\u00013\u0002`,
      `${timed}TRAN_MSG\u0001true\u0002PGROUP\u0001g\u0002`,
      `${timed}REAL_TOPIC\u0001t\u0002`,
      "TIMER_DELAY_SE\u00011\u0002",
      "TIMER_DELAY_SECS\u00011\u0002",
    ]) {
      const other = read(text);
      assert.deepEqual([other.isTimed, other.isPlain], [false, false], text);
    }
  });

  it("knows the half of a transaction, unless there is more to be done about it", () => {
    const half = "TRAN_MSG\u0001true\u0002PGROUP\u0001group\u0002";
    const found = read(`TAGS\u0001a\u0002${half}`);
    assert.deepEqual([found.isHalf, found.isPlain], [true, false]);
    assert.equal(value(found, found.groupStart, found.groupEnd), "group");
    for (const text of [
      "PGROUP\u0001group\u0002",
      "TRAN_MSG\u0001true\u0002",
      "TRAN_MSG\u0001true\u0002PGROUP\u0001\u0002",
      "TRAN_MSG\u0001True\u0002PGROUP\u0001group\u0002",
      "TRAN_MSG\u0001false\u0002PGROUP\u0001group\u0002",
      `${half}TRAN_MSG\u0001false\u0002`,
      `${half}DELAY\u00013\u0002`,
      `${half}REAL_TOPIC\u0001t\u0002`,
      `${half}__transactionId__\u0001t\u0002`,
      `${half}POP_CK\u0001t\u0002`,
    ]) {
      const other = read(text);
      assert.deepEqual([other.isHalf, other.isPlain], [false, false], text);
    }
  });

  it("knows whether there may be a checksum among them", () => {
    assert.equal(read("TAGS\u0001a\u0002__CRC32#\u00011\u0002").mayHaveChecksum, true);
    assert.equal(read("__transactionId__\u0001a\u0002MSG_REGION\u0001r\u0002").mayHaveChecksum, false);
  });

  it("writes what it has read and its ending, with the separator that is missing between them", () => {
    for (const [text, expected] of [
      ["", "END\u0001e\u0002"],
      ["a\u0001b", "a\u0001b\u0002END\u0001e\u0002"],
      ["a\u0001b\u0002", "a\u0001b\u0002END\u0001e\u0002"],
    ] as const) {
      const properties = read(text);
      properties.ending = Buffer.from("END\u0001e\u0002");
      const out = Buffer.alloc(40);
      assert.equal(properties.write(out, 3) - 3, properties.byteLength);
      assert.equal(out.toString("utf8", 3, 3 + properties.byteLength), expected);
      assert.equal(properties.text(), expected);
    }
  });

  it("agrees with the reading of text, whatever the text", () => {
    const random = new SeededRandom(20);
    const parts = [
      "TAGS",
      "KEYS",
      "UNIQ_KEY",
      "WAIT",
      "true",
      "x",
      "ö",
      "\u0001",
      "\u0001",
      "\u0002",
      "\u0002",
    ];
    for (let run = fuzzRuns(2_000); run > 0; run--) {
      let text = "";
      for (let left = random.int(14); left > 0; left--) text += parts[random.int(parts.length)]!;
      const found = read(text);
      // An entry without a name-value separator ends in nothing; what follows it is read all the same.
      const tags = getProperty(text, "TAGS");
      assert.equal(value(found, found.tagsStart, found.tagsEnd), tags, JSON.stringify(text));
      assert.equal(
        value(found, found.keysStart, found.keysEnd),
        getProperty(text, "KEYS"),
        JSON.stringify(text),
      );
    }
  });
});
