import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, json, text } from "./codecs.ts";
import type { StandardResult, StandardSchema } from "./standard-schema.ts";

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);

function schemaOf<T>(
  validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>,
): StandardSchema<unknown, T> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

test("bytes pass through, text is UTF-8 and nothing else", () => {
  const body = Uint8Array.of(0xff, 0);
  assert.equal(bytes.encode(body), body);
  assert.equal(bytes.decode(body), body);
  assert.equal(text.decode(text.encode("grüße 🎉")), "grüße 🎉");
  assert.throws(() => text.decode(body), TypeError);
});

test("json round-trips, and refuses what is no JSON in either direction", () => {
  const codec = json<{ id: number }>();
  assert.deepEqual(codec.decode(codec.encode({ id: 7 })), { id: 7 });
  assert.throws(() => codec.decode(utf8("{")), SyntaxError);
  assert.throws(() => codec.decode(Uint8Array.of(0xff)), TypeError);
  assert.throws(() => json().encode(undefined), /no JSON form/);
});

test("a schema's output is what the listener gets", () => {
  const doubled = schemaOf((value) => ({ value: Number(value) * 2 }));
  assert.equal(json(doubled).decode(utf8("21")), 42);
});

test("a schema's issues are named with their paths", () => {
  const picky = schemaOf<never>(() => ({
    issues: [{ message: "too small", path: ["order", { key: "amount" }, 0] }, { message: "odd" }],
  }));
  assert.throws(() => json(picky).decode(utf8("{}")), /order\.amount\.0: too small; odd/);
});

test("an asynchronous schema makes decoding asynchronous", async () => {
  const slow = schemaOf(async (value) =>
    value === 1 ? { value: "one" } : { issues: [{ message: "not one" }] },
  );
  assert.equal(await json(slow).decode(utf8("1")), "one");
  await assert.rejects(async () => json(slow).decode(utf8("2")), /not one/);
});
