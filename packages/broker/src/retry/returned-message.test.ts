import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type MessageRecord, parseProperties, readRecord } from "@orbitmq/wire";
import { scheduledMessage } from "../schedule/scheduled-message.ts";
import { isDeadLetter, type Return, returnedMessage } from "./returned-message.ts";

const STORE_HOST = Uint8Array.of(10, 0, 0, 1, 0, 0, 0x2a, 0x9f);
const how: Return = {
  group: "group",
  delayLevel: 0,
  maxReconsumeTimes: 16,
  policy: { kind: "levels" },
  delaysMs: [1_000, 5_000, 10_000, 30_000, 60_000],
};

const javaRecord = (name: string): MessageRecord =>
  readRecord(readFileSync(new URL(`../../../wire/testdata/store/records/${name}.bin`, import.meta.url)));

function consumed(
  reconsumeTimes: number,
  properties = "TAGS\u0001a\u0002UNIQ_KEY\u0001K\u0002",
): MessageRecord {
  const record = javaRecord("goldenstore-plain");
  return { ...record, topic: "orders", reconsumeTimes, properties };
}

function propertiesOf(record: MessageRecord, changes: Partial<Return> = {}): Record<string, string> {
  const { message } = returnedMessage(record, STORE_HOST, { ...how, ...changes });
  return Object.fromEntries(parseProperties(message.properties));
}

describe("a message that is sent back", () => {
  it("waits longer each time, from the third level on", () => {
    const level = (times: number) => returnedMessage(consumed(times), STORE_HOST, how).delayLevel;
    assert.deepEqual([0, 1, 5, 15].map(level), [3, 4, 8, 18]);
  });

  it("waits as long as the consumer says", () => {
    const { delayLevel, isDeadLetter } = returnedMessage(consumed(5), STORE_HOST, { ...how, delayLevel: 1 });
    assert.deepEqual([delayLevel, isDeadLetter], [1, false]);
    assert.equal(propertiesOf(consumed(5), { delayLevel: 1 })["DELAY"], "1");
  });

  it("goes to the dead letters after its last retry, or at once when the consumer says so", () => {
    const outcome = (times: number, changes: Partial<Return> = {}) => {
      const { message, isDeadLetter, delayLevel } = returnedMessage(consumed(times), STORE_HOST, {
        ...how,
        ...changes,
      });
      return `${message.topic} ${isDeadLetter} ${delayLevel > 0} ${message.reconsumeTimes}`;
    };
    assert.equal(outcome(15), "%RETRY%group false true 16");
    assert.equal(outcome(16), "%DLQ%group true false 17");
    assert.equal(outcome(0, { delayLevel: -1 }), "%DLQ%group true false 1");
    assert.equal(outcome(2, { maxReconsumeTimes: 2 }), "%DLQ%group true false 3");
    assert.equal(outcome(0, { maxReconsumeTimes: 0 }), "%DLQ%group true false 1");
    assert.equal(propertiesOf(consumed(16))["DELAY"], "0");
  });

  it("remembers where it came from first, however often it returns", () => {
    const record = consumed(0);
    const first = propertiesOf(record);
    assert.equal(first["RETRY_TOPIC"], "orders");
    assert.match(first["ORIGIN_MESSAGE_ID"] ?? "", /^[0-9A-F]{32}$/);
    const again = {
      ...consumed(1, "RETRY_TOPIC\u0001first\u0002ORIGIN_MESSAGE_ID\u0001ID\u0002WAIT\u0001true\u0002"),
      topic: "%RETRY%group",
    };
    assert.deepEqual(propertiesOf(again), {
      RETRY_TOPIC: "first",
      ORIGIN_MESSAGE_ID: "ID",
      WAIT: "false",
      DELAY: "4",
    });
  });

  it("remembers why it failed last, where there is room for that", () => {
    assert.equal(propertiesOf(consumed(0))["ORBITMQ_FAILURE"], undefined);
    const forged = propertiesOf(consumed(0), { failure: `no\u0001such\u0002table\n${"x".repeat(300)}` });
    assert.equal(forged["ORBITMQ_FAILURE"], `no such table ${"x".repeat(242)}`);
    const before = consumed(3, "ORBITMQ_FAILURE\u0001before\u0002");
    assert.equal(propertiesOf(before)["ORBITMQ_FAILURE"], "before");
    assert.equal(propertiesOf(before, { failure: "now" })["ORBITMQ_FAILURE"], "now");
    const long = consumed(0, `mine\u0001${"x".repeat(9_000)}\u0002`);
    assert.equal(propertiesOf(long, { failure: "now" })["ORBITMQ_FAILURE"], undefined);
  });

  it("comes back as a dead letter to a group that could not consume another group's dead letter", () => {
    const dead = { ...consumed(17, "RETRY_TOPIC\u0001orders\u0002"), topic: "%DLQ%other" };
    assert.equal(propertiesOf(dead, { maxReconsumeTimes: 99 })["RETRY_TOPIC"], "%DLQ%other");
  });

  it("has the properties a Java broker gives it", () => {
    const javaDelayed = javaRecord("schedule-topic-xxxx-tag-taga");
    const expected = parseProperties(javaDelayed.properties);
    const before = ["REAL_TOPIC", "REAL_QID", "ORIGIN_MESSAGE_ID", "RETRY_TOPIC", "DELAY", "__CRC32#"];
    const original: MessageRecord = {
      ...javaDelayed,
      topic: "GoldenStore",
      physicalOffset: Number.parseInt(expected.get("ORIGIN_MESSAGE_ID")!.slice(16), 16),
      storeHost: Buffer.from(expected.get("ORIGIN_MESSAGE_ID")!.slice(0, 16), "hex"),
      reconsumeTimes: 0,
      properties: [...expected]
        .filter(([name]) => !before.includes(name))
        .map(([name, value]) => `${name}\u0001${value}\u0002`)
        .join(""),
    };
    const { message, delayLevel } = returnedMessage(original, STORE_HOST, {
      ...how,
      group: "tour_push",
      delayLevel: 1,
    });
    const stored = scheduledMessage(message, delayLevel, 18);
    assert.deepEqual(new Map([...parseProperties(stored.properties)].sort()), new Map([...expected].sort()));
    assert.deepEqual(
      [stored.topic, stored.queueId, stored.reconsumeTimes, stored.sysFlag],
      [javaDelayed.topic, javaDelayed.queueId, javaDelayed.reconsumeTimes, javaDelayed.sysFlag],
    );
  });
});

describe("a client's own resend", () => {
  it("is a dead letter beyond the limit, and at once in a group that consumes in order", () => {
    assert.equal(isDeadLetter(16, 16, false), false);
    assert.equal(isDeadLetter(17, 16, false), true);
    assert.equal(isDeadLetter(1, 16, true), true);
  });
});
