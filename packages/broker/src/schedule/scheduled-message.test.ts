import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseProperties, type RecordInput, readRecord } from "@orbitmq/wire";
import { SCHEDULE_TOPIC } from "../names.ts";
import { dueMessage, scheduledMessage } from "./scheduled-message.ts";

const STORE_HOST = Uint8Array.of(10, 0, 0, 1, 0, 0, 0x2a, 0x9f);
const javaRecords = new URL("../../../wire/testdata/store/records/", import.meta.url);

function message(properties: string): RecordInput {
  return {
    topic: "orders",
    queueId: 3,
    flag: 5,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: STORE_HOST,
    storeHost: STORE_HOST,
    reconsumeTimes: 2,
    preparedTransactionOffset: 0,
    body: Buffer.from("x"),
    properties,
  };
}

describe("scheduledMessage", () => {
  it("remembers where a message belongs, and forgets where it belonged in a former life", () => {
    const before =
      "KEYS\u0001k\u0002REAL_TOPIC\u0001old\u0002REAL_QID\u00019\u0002DELAY\u00015\u0002TIMER_DELAY_MS\u00011\u0002";
    const stored = scheduledMessage(message(before), 5, 18);
    assert.deepEqual(
      [stored.topic, stored.queueId, stored.flag, stored.reconsumeTimes],
      [SCHEDULE_TOPIC, 4, 5, 2],
    );
    assert.deepEqual(Object.fromEntries(parseProperties(stored.properties)), {
      KEYS: "k",
      DELAY: "5",
      REAL_TOPIC: "orders",
      REAL_QID: "3",
    });
  });

  it("leaves properties alone that are none", () => {
    const { properties } = scheduledMessage(
      message("a\u0001b\u0001c\u0002nothing\u0002DELAY\u00011\u0002"),
      1,
      18,
    );
    assert.ok(properties.startsWith("a\u0001b\u0001c\u0002nothing\u0002DELAY"));
  });
});

describe("dueMessage", () => {
  it("finds the way back for the records of a Java broker", () => {
    const files = readdirSync(javaRecords).filter((name) => name.startsWith("schedule-topic-xxxx"));
    assert.ok(files.length > 1);
    for (const file of files) {
      const record = readRecord(readFileSync(new URL(file, javaRecords)));
      const due = dueMessage(record, STORE_HOST)!;
      const properties = parseProperties(record.properties);
      assert.equal(due.topic, properties.get("REAL_TOPIC"), file);
      assert.equal(String(due.queueId), properties.get("REAL_QID"), file);
      assert.equal(due.properties, record.properties, file);
      assert.deepEqual(due.body, record.body, file);
    }
  });

  it("does not guess when a record does not say where it belongs", () => {
    const record = readRecord(readFileSync(new URL("schedule-topic-xxxx-tag-taga.bin", javaRecords)));
    for (const properties of [
      "",
      "REAL_TOPIC\u0001t\u0002",
      "REAL_QID\u00011\u0002",
      "REAL_TOPIC\u0001t\u0002REAL_QID\u0001-1\u0002",
    ]) {
      assert.equal(dueMessage({ ...record, properties }, STORE_HOST), undefined);
    }
  });
});
