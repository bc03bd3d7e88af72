import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBatchBody, getProperty } from "@orbitmq/wire";
import { OrbitError, type OrbitErrorCode } from "../errors/errors.ts";
import { json } from "../message/codecs.ts";
import type { AnyMessage } from "../message/message.ts";
import { topic } from "../message/typed-topic.ts";
import { newUniqueIds } from "../message/unique-id.ts";
import { Namespace } from "../names/namespace.ts";
import { oneSimHost } from "../testing/test-world.ts";
import { type EncodeLimits, encodeBatch, encodeMessage, halfOf } from "./encode-message.ts";

const ids = newUniqueIds(oneSimHost());
const limits: EncodeLimits = {
  messageBytesMax: 1_000,
  propertiesBytesMax: 300,
  compressOverBytes: Number.POSITIVE_INFINITY,
  compressLevel: 5,
  compressType: "ZLIB",
  namespace: new Namespace(),
};
const encode = (message: AnyMessage<unknown>, part: Partial<EncodeLimits> = {}) =>
  encodeMessage(message, { ...limits, ...part }, ids);

function refuses(code: OrbitErrorCode, fn: () => unknown, mentions = /./): void {
  assert.throws(fn, (error) => {
    assert.ok(error instanceof OrbitError);
    assert.equal(error.code, code);
    assert.equal(error.outcome, "refused");
    assert.match(error.message, mentions);
    return true;
  });
}

test("strings travel as UTF-8 and bytes as they are", () => {
  assert.equal(Buffer.from(encode({ topic: "T", body: "grüße" }).body).toString(), "grüße");
  const body = Uint8Array.of(1, 2, 3);
  assert.equal(encode({ topic: "T", body }).body, body);
});

test("tag, keys, the application's properties, the id and WAIT become properties", () => {
  const { properties, msgId } = encode({
    topic: "T",
    body: "x",
    tag: "t",
    keys: ["a", "b"],
    properties: { color: "red", __SHARDINGKEY: "s" },
  });
  const expected = {
    UNIQ_KEY: msgId,
    TAGS: "t",
    KEYS: "a b",
    color: "red",
    __SHARDINGKEY: "s",
    WAIT: "true",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(getProperty(properties, name), value);
  const relaxed = encode({ topic: "T", body: "x", properties: { WAIT: "false" } });
  assert.equal(getProperty(relaxed.properties, "WAIT"), "false");
});

test("an empty list of keys is none; an empty key is refused", () => {
  const { properties } = encode({ topic: "T", body: "x", keys: [] });
  assert.equal(getProperty(properties, "KEYS"), undefined);
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", keys: "" }), /KEYS/);
});

test("a typed topic's value becomes the body; what its codec throws is ENCODE_FAILED", () => {
  const orders = topic("orders", json<unknown>());
  assert.equal(Buffer.from(encode({ topic: orders, value: { id: 1 } }).body).toString(), '{"id":1}');
  refuses("ENCODE_FAILED", () => encode({ topic: orders, value: undefined }), /orders/);
  refuses("ENCODE_FAILED", () => encode({ topic: orders, value: 1n }), /orders/);
});

test("delayMs and deliverAtMs become TIMER properties, one of them only, and none in a batch", () => {
  const text = (message: object) => encode({ topic: "T", body: "x", ...message }).properties;
  assert.equal(getProperty(text({ delayMs: 1_500 }), "TIMER_DELAY_MS"), "1500");
  assert.equal(getProperty(text({ delayMs: 0 }), "TIMER_DELAY_MS"), undefined);
  assert.equal(getProperty(text({ deliverAtMs: 1_700_000_000_000 }), "TIMER_DELIVER_MS"), "1700000000000");
  const wrong = [
    { delayMs: -1 },
    { delayMs: 1.5 },
    { deliverAtMs: Number.NaN },
    { delayMs: 1, delayLevel: 1 },
  ];
  for (const message of wrong) refuses("MESSAGE_INVALID", () => text(message));
  refuses(
    "MESSAGE_INVALID",
    () => encodeBatch([{ topic: "T", body: "x", delayMs: 1 }], limits, ids),
    /delayMs/,
  );
  const asProperty = { topic: "T", body: "x", properties: { TIMER_DELIVER_MS: "1" } };
  refuses("MESSAGE_INVALID", () => encode(asProperty), /use deliverAtMs/);
});

test("what asks for what is not built is refused, never sent as an ordinary message", () => {
  for (const name of ["__STARTDELIVERTIME"]) {
    const message = { topic: "T", body: "x", properties: { [name]: "1" } };
    refuses("NOT_SUPPORTED_YET", () => encode(message), new RegExp(name));
    refuses("NOT_SUPPORTED_YET", () => encodeBatch([message], limits, ids), new RegExp(name));
  }
});

test("a half of a transaction says so by flag and properties, which nobody may set by hand", () => {
  const message = { topic: "T", body: "x", properties: { a: "b" } };
  const half = halfOf(encode(message), message, "g");
  assert.equal(half.sysFlag & 12, 4);
  const of = (name: string) => getProperty(half.properties, name);
  assert.deepEqual([of("TRAN_MSG"), of("PGROUP"), of("a")], ["true", "g", "b"]);
  const delayed = { ...message, delayLevel: 1 };
  refuses("MESSAGE_INVALID", () => halfOf(encode(delayed), delayed, "g"), /delayLevel/);
  for (const name of ["TRAN_MSG", "PGROUP"])
    refuses(
      "MESSAGE_INVALID",
      () => encode({ topic: "T", body: "x", properties: { [name]: "true" } }),
      /reserved/,
    );
});

test("a delay level becomes DELAY; one that is none, and one in a batch, are refused", () => {
  const delayed = (delayLevel: number) => encode({ topic: "T", body: "x", delayLevel });
  assert.equal(getProperty(delayed(3).properties, "DELAY"), "3");
  assert.equal(getProperty(delayed(0).properties, "DELAY"), undefined);
  for (const level of [-1, 1.5, Number.NaN, 2 ** 31]) refuses("MESSAGE_INVALID", () => delayed(level));
  const batch = [{ topic: "T", body: "x", delayLevel: 1 }];
  refuses("MESSAGE_INVALID", () => encodeBatch(batch, limits, ids), /delayLevel/);
});

test("reserved property names are refused with what to use instead", () => {
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", properties: { TAGS: "t" } }), /use tag/);
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", properties: { KEYS: "k" } }), /use keys/);
  const delayed = { topic: "T", body: "x", properties: { DELAY: "1" } };
  refuses("MESSAGE_INVALID", () => encode(delayed), /use delayLevel/);
  for (const name of ["UNIQ_KEY", "REAL_TOPIC", "PGROUP", "POP_CK", "INNER_NUM"]) {
    refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", properties: { [name]: "1" } }));
  }
});

test("properties that cannot be written, and limits, are refused", () => {
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", tag: "a\u0001b" }), /TAGS/);
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", properties: { p: "a\u0002" } }));
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", tag: "" }), /TAGS/);
  refuses("MESSAGE_INVALID", () =>
    encode({ topic: "T", body: "x", properties: { p: 7 as unknown as string } }),
  );
  refuses(
    "MESSAGE_TOO_LARGE",
    () => encode({ topic: "T", body: "x", properties: { p: "é".repeat(150) } }),
    /300/,
  );
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "" }), /empty/);
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: 5 as unknown as string }));
  refuses("MESSAGE_INVALID", () => encode({ topic: "T", body: "x", flag: 2 ** 31 }));
  refuses("MESSAGE_TOO_LARGE", () => encode({ topic: "T", body: "x".repeat(1_001) }), /1001.*1000/);
});

test("a long body is compressed unless that makes it longer", () => {
  const part = { compressOverBytes: 100 };
  assert.ok(encode({ topic: "T", body: "a".repeat(100) }, part).sysFlag !== 0);
  assert.equal(encode({ topic: "T", body: "a".repeat(99) }, part).sysFlag, 0);
  const noise = Uint8Array.from({ length: 200 }, (_, i) => (i * 197 + ((i * i) % 251)) & 0xff);
  const encoded = encode({ topic: "T", body: noise }, part);
  if (encoded.sysFlag === 0) assert.equal(encoded.body, noise);
  else assert.ok(encoded.body.length < noise.length);
});

test("a batch has one topic, one WAIT, at least one message and a limit in total", () => {
  const one = { topic: "T", body: "1" };
  const { body, isBatch, msgId } = encodeBatch([one, { ...one, body: "2" }], limits, ids);
  assert.deepEqual(
    decodeBatchBody(body).map((entry) => Buffer.from(entry.body).toString()),
    ["1", "2"],
  );
  assert.ok(isBatch);
  assert.equal(msgId.split(",").length, 2);
  refuses("MESSAGE_INVALID", () => encodeBatch([], limits, ids), /empty/);
  refuses("MESSAGE_INVALID", () => encodeBatch([one, { topic: "U", body: "x" }], limits, ids), /T and U/);
  const relaxed = { ...one, properties: { WAIT: "false" } };
  refuses("MESSAGE_INVALID", () => encodeBatch([one, relaxed], limits, ids), /WAIT/);
  const long = { topic: "T", body: "x".repeat(400) };
  refuses("MESSAGE_TOO_LARGE", () => encodeBatch([long, long, long], limits, ids), /1000/);
});
