import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goldenBytes } from "../testing/golden.ts";
import { WireError } from "../wire-error.ts";
import { BATCH_ENTRIES_MAX, BatchReader, decodeBatchBody, encodeBatchBody } from "./batch-body.ts";
import { parseProperties } from "./message-properties.ts";

describe("a batch body", () => {
  it("from Java is read, and written again to the byte", () => {
    const bytes = goldenBytes("codec/batch-body.bin");
    const entries = decodeBatchBody(bytes);
    assert.deepEqual(
      entries.map(({ flag, body, properties }) => [
        flag,
        Buffer.from(body).toString(),
        parseProperties(properties).get("KEYS"),
      ]),
      [0, 1, 2].map((i) => [i, `body ${i}`, `key-${i}`]),
    );
    assert.deepEqual(Buffer.from(encodeBatchBody(entries)), bytes);
  });

  it("holds empty bodies, empty properties and text beyond ASCII", () => {
    const entries = [
      { flag: -1, body: Buffer.alloc(0), properties: "" },
      { flag: 5, body: Buffer.from("x"), properties: "a\u0001ü😀\u0002" },
    ];
    assert.deepEqual(
      decodeBatchBody(encodeBatchBody(entries)).map((entry) => ({ ...entry, body: Buffer.from(entry.body) })),
      entries,
    );
  });

  it("is read by one reader after another, whatever the one before held", () => {
    const reader = new BatchReader();
    const bodyOf = (...properties: string[]) =>
      Buffer.from(
        encodeBatchBody(properties.map((text) => ({ flag: 0, body: Buffer.from("x"), properties: text }))),
      );
    const read = (bytes: Buffer) => reader.read(bytes).map(({ properties }) => properties.readText());
    const [long, short] = [
      ["KEYS\u0001a\u0002", "KEYS\u0001b\u0002", "TAGS\u0001c\u0002"],
      ["WAIT\u0001false\u0002", ""],
    ];
    assert.deepEqual(read(bodyOf(...long!)), long);
    assert.deepEqual(read(bodyOf(...short!)), short);
    assert.throws(() => read(bodyOf(...short!).subarray(0, 50)), WireError);
    assert.deepEqual(read(bodyOf(...long!)), long);
    const [first, second] = reader.read(bodyOf(...short!));
    assert.deepEqual([first!.properties.isPlain, second!.properties.isPlain], [false, true]);
    assert.equal(reader.read(bodyOf(...long!))[0]!.properties.isPlain, true);
  });

  it("is refused when a length leads out of it, when it is empty or has too many entries", () => {
    const good = Buffer.from(
      encodeBatchBody([{ flag: 0, body: Buffer.from("hello"), properties: "a\u0001b\u0002" }]),
    );
    const cases = [Buffer.alloc(0), good.subarray(0, 21), good.subarray(0, good.length - 1)];
    for (const [at, value] of [
      [0, 21],
      [0, good.length + 1],
      [0, -1],
      [16, -1],
      [16, 6],
      [16, 0x7fffffff],
    ] as const) {
      const bad = Buffer.from(good);
      bad.writeInt32BE(value, at);
      cases.push(bad);
    }
    const tooMany = Buffer.alloc(22 * (BATCH_ENTRIES_MAX + 1));
    for (let at = 0; at < tooMany.length; at += 22) tooMany.writeInt32BE(22, at);
    for (const bytes of [...cases, tooMany]) {
      assert.throws(
        () => decodeBatchBody(bytes),
        (error) => error instanceof WireError && error.code === "RECORD_MALFORMED",
      );
    }
  });

  it("is not written with properties beyond 32,767 bytes", () => {
    assert.throws(
      () => encodeBatchBody([{ flag: 0, body: Buffer.alloc(0), properties: "ü".repeat(16_384) }]),
      (error) => error instanceof WireError && error.code === "PROPERTIES_MALFORMED",
    );
  });
});
