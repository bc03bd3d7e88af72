import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  EncodedProperties,
  PROPERTIES_BYTES_MAX,
  plainCrc32,
  type RecordSource,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import { seededRandom } from "../testing/crash-model.ts";
import { RecordEncoder } from "./record-encoder.ts";
import { checkSeal, SEAL_BYTES, sealBytes } from "./record-seal.ts";
import { Slab } from "./slab.ts";

const HOST = Uint8Array.from([127, 0, 0, 1, 0, 0, 42, 159]);
const HOST_V6 = Uint8Array.from({ length: 20 }, (_, index) => 200 + index);
const position = { queueOffset: 2 ** 40 + 7, physicalOffset: 2 ** 33 + 5, storeTimestamp: 1_763_730_000_123 };
const encoder = new RecordEncoder();

const message = (more: Partial<RecordSource>): RecordSource => ({
  topic: "orders",
  queueId: 3,
  flag: -1,
  sysFlag: 1,
  bornTimestamp: 1_763_730_000_001,
  bornHost: HOST,
  storeHost: HOST,
  reconsumeTimes: 2,
  preparedTransactionOffset: 2 ** 35,
  body: Buffer.from("body"),
  properties: "TAGS\u0001a\u0002",
  ...more,
});

/** What the encoder writes, between bytes that must stay as they are. */
function encoded(source: RecordSource): Buffer {
  const size = recordSize(source) + sealBytes(source.properties);
  const slab = new Slab(Buffer.alloc(size + 40, 0xee));
  encoder.write(source, slab, 17, size, position);
  assert.ok(slab.bytes.subarray(0, 17).every((byte) => byte === 0xee));
  assert.ok(slab.bytes.subarray(17 + size).every((byte) => byte === 0xee));
  return slab.bytes.subarray(17, 17 + size);
}

/** The same by `writeRecord`: the seal is a property like others, but for its digits. */
function expected(source: RecordSource): Buffer {
  const text = typeof source.properties === "string" ? source.properties : source.properties.text();
  const separator = text === "" || text.endsWith("\u0002") ? "" : "\u0002";
  const seal = `${separator}__CRC32#\u0001##########\u0002`;
  const isSealed = Buffer.byteLength(text) + separator.length + SEAL_BYTES <= PROPERTIES_BYTES_MAX;
  const whole = { ...source, properties: isSealed ? text + seal : text };
  const bytes = Buffer.alloc(recordSize(whole));
  writeRecord(whole, bytes, 0, position);
  if (!isSealed) return bytes;
  const crc = plainCrc32(bytes.subarray(0, bytes.length - SEAL_BYTES)) & 0x7fffffff;
  const digits = [...String(crc).padStart(10, "0")].reverse().join("");
  bytes.write(digits, bytes.length - 11, "latin1");
  return bytes;
}

function isAsExpected(source: RecordSource): void {
  const bytes = encoded(source);
  assert.equal(bytes.toString("latin1"), expected(source).toString("latin1"));
  assert.notEqual(checkSeal(bytes, 0, bytes.length), "wrong");
}

describe("a record", () => {
  it("is what writeRecord writes, and a seal behind it, for bodies and properties of many lengths", () => {
    const random = seededRandom(7);
    const int = (bound: number) => Math.floor(random() * bound);
    for (let round = 0; round < 400; round += 1) {
      const body = Buffer.from(Array.from({ length: int(round < 300 ? 400 : 6000) }, () => int(256)));
      const properties = "K\u0001".padEnd(int(300), "wert ü") + (random() < 0.5 ? "\u0002" : "");
      isAsExpected(message({ body, properties, queueId: int(100), topic: "t".repeat(1 + int(140)) }));
    }
  });

  it("is that also with IPv6 hosts, long topics, nothing in it, and properties as they came", () => {
    for (const [bornHost, storeHost] of [
      [HOST_V6, HOST],
      [HOST, HOST_V6],
      [HOST_V6, HOST_V6],
    ] as const) {
      isAsExpected(message({ bornHost, storeHost }));
    }
    for (const topic of [
      "",
      "ü".repeat(63),
      "ü".repeat(64),
      "t".repeat(127),
      "t".repeat(128),
      "t".repeat(3000),
    ]) {
      isAsExpected(message({ topic }));
    }
    isAsExpected(message({ body: Buffer.alloc(0), properties: "" }));
    for (const text of ["", "TAGS\u0001a", "UNIQ_KEY\u00010123\u0002WAIT\u0001true\u0002"]) {
      const properties = new EncodedProperties();
      properties.ending = Buffer.from("CLUSTER\u0001c\u0002");
      properties.read(Buffer.from(`..${text}`), 2, 2 + text.length);
      isAsExpected(message({ properties }));
    }
  });

  it("goes without a seal when its properties leave no room for one", () => {
    for (const room of [SEAL_BYTES + 1, SEAL_BYTES, SEAL_BYTES - 1, 0]) {
      for (const end of ["v", "\u0002"]) {
        isAsExpected(message({ properties: `K\u0001`.padEnd(PROPERTIES_BYTES_MAX - room - 1, "v") + end }));
      }
    }
  });
});
