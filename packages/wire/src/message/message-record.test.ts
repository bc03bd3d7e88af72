import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goldenBytes, goldenRecords } from "../testing/golden.ts";
import { WireError } from "../wire-error.ts";
import { EncodedProperties } from "./encoded-properties.ts";
import { encodeHostBytes } from "./host-address.ts";
import {
  bodyLengthAt,
  MAGIC_V1,
  MAGIC_V2,
  patchRecord,
  RECORD_BYTES_MIN,
  RecordField,
  type RecordInput,
  type RecordPosition,
  recordSize,
  storeTimestampAt,
  writeBlank,
  writeRecord,
} from "./message-record.ts";
import { checkRecord, readContent, readRecord, readRecords } from "./read-record.ts";

const v4 = encodeHostBytes({ host: "192.0.2.7", port: 51_234 });
const v6 = encodeHostBytes({ host: "2001:db8::7", port: 51_234 });
const position: RecordPosition = {
  queueOffset: 2 ** 40 + 3,
  physicalOffset: 2 ** 52,
  storeTimestamp: 1.7e12,
};

function input(overrides: Partial<RecordInput> = {}): RecordInput {
  return {
    topic: "orders",
    queueId: 3,
    flag: 7,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_123,
    bornHost: v4,
    storeHost: v4,
    reconsumeTimes: 2,
    preparedTransactionOffset: 2 ** 33,
    body: Buffer.from("hello"),
    properties: "colour\u0001grün\u0002",
    ...overrides,
  };
}

function written(record: RecordInput): Buffer {
  const bytes = Buffer.alloc(recordSize(record));
  assert.equal(writeRecord(record, bytes, 0, position), bytes.length);
  return bytes;
}

describe("a message record", () => {
  it("gives its content without a string, and its properties without the checksum that ends them", () => {
    const checksum = "__CRC32#\u00010123456789\u0002";
    for (const [stored, kept] of [
      ["colour\u0001grün\u0002", "colour\u0001grün\u0002"],
      [`colour\u0001grün\u0002${checksum}`, "colour\u0001grün\u0002"],
      [checksum, ""],
      [`colour${checksum}`, `colour${checksum}`],
      [`${checksum}colour\u0001grün\u0002`, `${checksum}colour\u0001grün\u0002`],
    ] as const) {
      const bytes = written(input({ properties: stored, bornHost: v6, topic: "t".repeat(200) }));
      const properties = new EncodedProperties();
      const content = readContent(Buffer.concat([Buffer.alloc(5), bytes]), 5, properties);
      assert.equal(properties.readText(), kept);
      const record = readRecord(bytes);
      const { flag, sysFlag, bornTimestamp, bornHost, reconsumeTimes, body } = record;
      assert.deepEqual(content, { flag, sysFlag, bornTimestamp, bornHost, reconsumeTimes, body });
    }
    assert.throws(() => readContent(written(input()).subarray(1), 0, new EncodedProperties()), WireError);
  });

  for (const { file, bytes } of goldenRecords) {
    it(`of a Java broker is written again as it was read: ${file}`, () => {
      const record = readRecord(bytes, 0, bytes.length, { checkCrc: true });
      assert.deepEqual(checkRecord(bytes, 0, bytes.length), { kind: "record", size: bytes.length });
      assert.equal(recordSize(record), bytes.length);
      const again = Buffer.alloc(bytes.length);
      assert.equal(writeRecord(record, again, 0, record), bytes.length);
      assert.deepEqual(again, bytes);
    });
  }

  for (const [file, topicBytes, bornBytes, storeBytes] of [
    ["v1-ipv4.bin", 6, 8, 8],
    ["v1-ipv6-born.bin", 6, 20, 8],
    ["v1-ipv6.bin", 6, 20, 20],
    ["v1-empty-body.bin", 6, 8, 8],
    ["v2-ipv4.bin", 147, 8, 8],
  ] as const) {
    it(`of Java's encoder is written again as it was read: ${file}`, () => {
      const bytes = goldenBytes(`codec/${file}`);
      const record = readRecord(bytes, 0, bytes.length, { checkCrc: true });
      assert.equal(record.topic.length, topicBytes);
      assert.equal(record.bornHost.length, bornBytes);
      assert.equal(record.storeHost.length, storeBytes);
      assert.equal(record.magic, file.startsWith("v2") ? MAGIC_V2 : MAGIC_V1);
      assert.equal(record.queueOffset, 4_294_967_299);
      assert.equal(record.preparedTransactionOffset, 4_294_967_297);
      assert.equal(
        record.properties,
        "colour\u0001grün\u0002KEYS\u0001key-1 key-2\u0002TAGS\u0001TagA\u0002",
      );
      const again = Buffer.alloc(bytes.length);
      assert.equal(writeRecord(record, again, 0, record), bytes.length);
      assert.deepEqual(again, bytes);
    });
  }

  it("gives back every field", () => {
    for (const record of [
      input(),
      input({ bornHost: v6, storeHost: v6, flag: -1, queueId: 0, body: Buffer.alloc(0), properties: "" }),
      input({ topic: "t".repeat(127) }),
      input({ topic: "t".repeat(128), storeHost: v6 }),
      input({ topic: "ü".repeat(127) }),
      input({ properties: "p".repeat(32_767), body: Buffer.alloc(5000, 9) }),
    ]) {
      const bytes = written(record);
      const { totalSize, magic, bodyCrc, sysFlag, ...rest } = readRecord(bytes, 0, bytes.length, {
        checkCrc: true,
      });
      assert.equal(totalSize, bytes.length);
      assert.equal(magic, Buffer.byteLength(record.topic) > 127 ? MAGIC_V2 : MAGIC_V1);
      assert.ok(bodyCrc >= 0);
      assert.equal(
        sysFlag,
        (record.bornHost.length === 20 ? 16 : 0) | (record.storeHost.length === 20 ? 32 : 0),
      );
      const { sysFlag: _, ...expected } = record;
      assert.deepEqual(
        { ...rest, body: Buffer.from(rest.body), bornHost: Buffer.from(rest.bornHost) },
        { ...expected, ...position },
      );
      assert.deepEqual(checkRecord(bytes, 0, bytes.length), { kind: "record", size: bytes.length });
    }
  });

  it("takes its host bits from its hosts, not from the flag it is given", () => {
    const bytes = written(input({ sysFlag: 0x1 | 0x10 | 0x20 }));
    assert.equal(readRecord(bytes).sysFlag, 0x1);
  });

  it("is 91 bytes when empty", () => {
    const empty = input({ topic: "", body: Buffer.alloc(0), properties: "" });
    assert.equal(recordSize(empty), RECORD_BYTES_MIN);
    assert.equal(written(empty).length, 91);
  });

  it("can be written anywhere, patched, and told where its fields are", () => {
    const record = input({ bornHost: v6 });
    const size = recordSize(record);
    const slab = Buffer.alloc(size + 20, 0xee);
    writeRecord(record, slab, 10, { queueOffset: 0, physicalOffset: 0, storeTimestamp: 0 });
    patchRecord(slab, 10, position);
    const read = readRecord(slab, 10, 10 + size);
    assert.deepEqual(
      [read.queueOffset, read.physicalOffset, read.storeTimestamp],
      [position.queueOffset, position.physicalOffset, position.storeTimestamp],
    );
    assert.equal(slab.readBigInt64BE(10 + storeTimestampAt(read.sysFlag)), BigInt(position.storeTimestamp));
    assert.equal(slab.readInt32BE(10 + bodyLengthAt(read.sysFlag)), 5);
    assert.equal(slab.readInt32BE(10 + RecordField.QUEUE_ID), 3);
    assert.ok(slab.subarray(0, 10).every((byte) => byte === 0xee));
    assert.ok(slab.subarray(10 + size).every((byte) => byte === 0xee));
  });

  it("is not written where there is no room", () => {
    const record = input();
    for (let missing = 1; missing < recordSize(record); missing++) {
      const small = Buffer.alloc(recordSize(record) - missing);
      assert.throws(() => writeRecord(record, small, 0, position), `${missing} bytes missing`);
    }
  });

  it("has limits for topic and properties", () => {
    const code = (expected: string) => (error: unknown) =>
      error instanceof WireError && error.code === expected;
    assert.throws(() => recordSize(input({ topic: "t".repeat(32_768) })), code("RECORD_MALFORMED"));
    assert.throws(() => recordSize(input({ properties: "ü".repeat(16_384) })), code("PROPERTIES_MALFORMED"));
  });
});

describe("checking records", () => {
  const bytes = written(input());

  it("tells a whole record, a blank, zeros and an end too early apart", () => {
    assert.deepEqual(checkRecord(bytes, 0, bytes.length - 1), { kind: "short", size: bytes.length });
    assert.deepEqual(checkRecord(bytes, 0, 7), { kind: "short", size: 8 });
    assert.deepEqual(checkRecord(Buffer.alloc(100), 0, 100), { kind: "zero" });
    const blank = Buffer.alloc(100);
    writeBlank(blank, 0, 100);
    assert.deepEqual(checkRecord(blank, 0, 100), { kind: "blank", size: 100 });
    assert.deepEqual(checkRecord(blank, 0, 99), { kind: "short", size: 100 });
  });

  it("finds every flipped bit of the body, and of nothing else only when asked not to compare", () => {
    const bodyAt = bodyLengthAt(0) + 4;
    for (let at = bodyAt; at < bodyAt + 5; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 0x10;
      assert.equal(checkRecord(flipped, 0, flipped.length).kind, "bad");
      assert.equal(checkRecord(flipped, 0, flipped.length, { checkCrc: false }).kind, "record");
    }
  });

  it("finds a record that lies somewhere else than it says", () => {
    const { physicalOffset } = position;
    assert.equal(checkRecord(bytes, 0, bytes.length, { physicalOffset }).kind, "record");
    assert.deepEqual(checkRecord(bytes, 0, bytes.length, { physicalOffset: 5 }), {
      kind: "bad",
      reason: `it says it lies at ${physicalOffset}, not at 5`,
    });
  });

  it("finds lengths that contradict each other", () => {
    const bodyLength = bodyLengthAt(0);
    const topicLength = bodyLength + 4 + 5;
    const propertiesLength = topicLength + 1 + 6;
    for (const change of [
      (b: Buffer) => b.writeInt32BE(bytes.length - 1, 0),
      (b: Buffer) => b.writeInt32BE(90, 0),
      (b: Buffer) => b.writeInt32BE(-5, 0),
      (b: Buffer) => b.writeInt32BE(1, 4),
      (b: Buffer) => b.writeInt32BE(-1, bodyLength),
      (b: Buffer) => b.writeInt32BE(6, bodyLength),
      (b: Buffer) => b.writeInt32BE(0x7fffffff, bodyLength),
      (b: Buffer) => b.writeUInt8(255, topicLength),
      (b: Buffer) => b.writeInt16BE(-1, propertiesLength),
      (b: Buffer) => b.writeInt16BE(1, propertiesLength),
      (b: Buffer) => b.writeInt32BE(0x30, RecordField.SYS_FLAG),
    ]) {
      const changed = Buffer.from(bytes);
      change(changed);
      assert.equal(checkRecord(changed, 0, changed.length).kind, "bad");
      assert.throws(
        () => readRecord(changed),
        (error) => error instanceof WireError && error.code === "RECORD_MALFORMED",
      );
    }
  });
});

describe("reading records", () => {
  it("reads all records of a pull response in order", () => {
    const bodies = ["a", "bb", "ccc"];
    const all = Buffer.concat(bodies.map((body) => written(input({ body: Buffer.from(body) }))));
    assert.deepEqual(
      readRecords(all).map(({ body }) => Buffer.from(body).toString()),
      bodies,
    );
    assert.throws(() => readRecords(all.subarray(0, all.length - 1)), WireError);
    assert.deepEqual(readRecords(Buffer.alloc(0)), []);
  });

  it("compares the checksum when asked to", () => {
    const bytes = written(input());
    bytes[bodyLengthAt(0) + 4]! ^= 1;
    assert.equal(readRecord(bytes).topic, "orders");
    assert.throws(
      () => readRecord(bytes, 0, bytes.length, { checkCrc: true }),
      (error) => error instanceof WireError && error.code === "RECORD_CRC_MISMATCH",
    );
  });
});
