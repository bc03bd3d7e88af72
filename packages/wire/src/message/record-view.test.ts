import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goldenBytes, goldenRecords } from "../testing/golden.ts";
import { WireError } from "../wire-error.ts";
import { type MessageRecord, RecordField } from "./message-record.ts";
import { readRecord, readRecords } from "./read-record.ts";
import { isBodyWhole, RecordView, viewRecords } from "./record-view.ts";

const FIELDS: Readonly<Record<keyof MessageRecord, true>> = {
  totalSize: true,
  magic: true,
  bodyCrc: true,
  topic: true,
  queueId: true,
  flag: true,
  queueOffset: true,
  physicalOffset: true,
  sysFlag: true,
  bornTimestamp: true,
  bornHost: true,
  storeTimestamp: true,
  storeHost: true,
  reconsumeTimes: true,
  preparedTransactionOffset: true,
  body: true,
  properties: true,
};

function everyField(record: MessageRecord): object {
  return Object.fromEntries(
    Object.keys(FIELDS).map((name) => {
      const value = record[name as keyof MessageRecord];
      return [name, typeof value === "object" ? Buffer.from(value).toString("hex") : value];
    }),
  );
}

const codec = ["v1-ipv4.bin", "v1-ipv6-born.bin", "v1-ipv6.bin", "v1-empty-body.bin", "v2-ipv4.bin"];
const whole = [
  ...goldenRecords.map(({ bytes }) => bytes),
  ...codec.map((file) => goldenBytes(`codec/${file}`)),
];

describe("a record that is read when somebody looks", () => {
  it("says what a record that is read at once says", () => {
    for (const bytes of whole) {
      const record = readRecord(bytes);
      const view = new RecordView(Buffer.concat([Buffer.alloc(3), bytes]), 3);
      assert.deepEqual(everyField(view), everyField(record));
      assert.deepEqual(everyField(view), everyField(record), "and again");
      assert.ok(isBodyWhole(record));
      assert.ok(isBodyWhole(view));
    }
  });

  it("is one of many in an answer", () => {
    const all = Buffer.concat(whole);
    assert.deepEqual(viewRecords(all).map(everyField), readRecords(all).map(everyField));
    assert.deepEqual(viewRecords(Buffer.alloc(0)), []);
  });

  it("is not made of what is malformed", () => {
    const [bytes] = whole as [Buffer];
    const malformed = (error: unknown) => error instanceof WireError && error.code === "RECORD_MALFORMED";
    for (let cut = 1; cut < bytes.length; cut++) {
      assert.throws(() => viewRecords(Buffer.concat([bytes, bytes.subarray(0, cut)])), malformed);
    }
    for (const field of [RecordField.QUEUE_OFFSET, RecordField.PHYSICAL_OFFSET]) {
      const beyond = Buffer.from(bytes);
      beyond.fill(0x7f, field, field + 8);
      assert.throws(() => viewRecords(beyond), malformed);
    }
  });

  it("knows when its body is not what was sent", () => {
    const bytes = Buffer.from(goldenBytes("codec/v1-ipv4.bin"));
    const { body } = new RecordView(bytes, 0);
    body[0]! ^= 1;
    assert.equal(isBodyWhole(new RecordView(bytes, 0)), false);
    assert.equal(isBodyWhole(readRecord(bytes)), false);
    const checksum = Buffer.from(goldenBytes("codec/v1-ipv4.bin"));
    checksum[RecordField.BODY_CRC + 3]! ^= 1;
    assert.equal(isBodyWhole(new RecordView(checksum, 0)), false);
  });
});
