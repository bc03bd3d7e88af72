import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WireError } from "../wire-error.ts";
import { decodeCommand } from "./decode-command.ts";
import { FrameWriter } from "./frame-writer.ts";
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  renamed,
  string,
} from "./header-schema.ts";
import { type ExtFields, SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "./remoting-command.ts";

const schema = defineHeader("TestHeader", {
  topic: name(),
  text: optional(string()),
  queueId: int32(),
  offset: renamed("o", int64()),
  flag: optional(bool()),
});
type TestHeader = HeaderValue<typeof schema>;

/** The three forms in which a header can arrive: either encoding, or anything else that has fields. */
const sources: Readonly<Record<string, (fields: Record<string, string>) => ExtFields>> = {
  JSON: (fields) => received(SERIALIZE_JSON, fields),
  ROCKETMQ: (fields) => received(SERIALIZE_ROCKETMQ, fields),
  map: (fields) => ({
    get: (name) => fields[name],
    forEach: (visit) => {
      for (const [name, value] of Object.entries(fields)) visit(name, value);
    },
  }),
};

function received(serializeType: 0 | 1, fields: Record<string, string>): ExtFields {
  const writer = new FrameWriter();
  const head = { serializeType, code: 1, language: 0, version: 0, opaque: 0, flag: 0 };
  writer.frame({
    ...head,
    header: (sink) => {
      for (const [name, value] of Object.entries(fields)) sink.put(name, value);
    },
  });
  return decodeCommand(Buffer.concat(writer.take()!.slices)).ext;
}

function refuses(ext: ExtFields, code: string, field: string): void {
  assert.throws(
    () => schema.decode(ext),
    (error) =>
      error instanceof WireError && error.code === code && error.message.startsWith(`TestHeader: ${field} `),
  );
}

for (const [source, from] of Object.entries(sources)) {
  describe(`a header from ${source}`, () => {
    it("decodes in any order, whatever else is there", () => {
      const value: TestHeader = schema.decode(
        from({ o: "-7", other: "x", flag: "true", queueId: "3", topic: "T", text: "a\u0001b" }),
      );
      assert.deepEqual(value, { topic: "T", text: "a\u0001b", queueId: 3, offset: -7, flag: true });
      assert.deepEqual(Object.keys(value), ["topic", "text", "queueId", "offset", "flag"]);
    });

    it("leaves absent and empty optional fields undefined", () => {
      const absent = schema.decode(from({ topic: "T", queueId: "3", o: "0" }));
      assert.deepEqual([absent.text, absent.flag], [undefined, undefined]);
      const empty = schema.decode(from({ topic: "", text: "", queueId: "3", o: "0", flag: "" }));
      assert.deepEqual([empty.topic, empty.text, empty.flag], ["", undefined, undefined]);
    });

    it("forgets the header before it", () => {
      schema.decode(from({ topic: "T", text: "x", queueId: "3", o: "0", flag: "true" }));
      const value = schema.decode(from({ topic: "U", queueId: "4", o: "1" }));
      assert.deepEqual({ ...value }, { topic: "U", text: undefined, queueId: 4, offset: 1, flag: undefined });
    });

    it("takes the integers of its width and no others", () => {
      const base = { topic: "T", queueId: "1", o: "1" };
      for (const text of ["0", "-1", "2147483647", "-2147483648", "007"]) {
        assert.equal(schema.decode(from({ ...base, queueId: text })).queueId, Number(text));
      }
      for (const text of [
        "2147483648",
        "-2147483649",
        "1.5",
        "1e3",
        " 1",
        "",
        "-",
        "0x1",
        "１",
        "99999999999999999999",
      ]) {
        refuses(from({ ...base, queueId: text }), "HEADER_FIELD_INVALID", "queueId");
      }
      assert.equal(schema.decode(from({ ...base, o: "9007199254740991" })).offset, Number.MAX_SAFE_INTEGER);
      refuses(from({ ...base, o: "99999999999999999999" }), "HEADER_FIELD_INVALID", "o");
    });

    it("takes what lies just beyond the safe integers as the largest of them", () => {
      for (const o of ["9007199254740992", "9007199254740993", "99999999999999999"]) {
        assert.equal(schema.decode(from({ topic: "T", queueId: "1", o })).offset, Number.MAX_SAFE_INTEGER, o);
      }
    });

    it("has Long.MAX_VALUE become the largest safe integer", () => {
      const base = { topic: "T", queueId: "1" };
      assert.equal(
        schema.decode(from({ ...base, o: "9223372036854775807" })).offset,
        Number.MAX_SAFE_INTEGER,
      );
      assert.equal(
        schema.decode(from({ ...base, o: "-9223372036854775808" })).offset,
        Number.MIN_SAFE_INTEGER,
      );
      assert.ok(Object.is(schema.decode(from({ ...base, o: "-0" })).offset, 0));
    });

    it("is refused by name when a field is missing or no boolean", () => {
      refuses(from({ queueId: "3", o: "0" }), "HEADER_FIELD_MISSING", "topic");
      refuses(from({ topic: "T", queueId: "3" }), "HEADER_FIELD_MISSING", "o");
      refuses(from({ topic: "T", queueId: "3", o: "0", flag: "TRUE" }), "HEADER_FIELD_INVALID", "flag");
    });
  });
}

describe("encoding a header", () => {
  const value: TestHeader = { topic: "grün", queueId: -1, offset: Number.MAX_SAFE_INTEGER, flag: false };

  it("writes the same fields through any sink", () => {
    const expected = [
      ["topic", "grün"],
      ["queueId", "-1"],
      ["o", "9007199254740991"],
      ["flag", "false"],
    ];
    const put: [string, string][] = [];
    schema.encode(value, {
      put: (name, text) => {
        put.push([name, text]);
      },
    });
    assert.deepEqual(put, expected);
    for (const serializeType of [SERIALIZE_JSON, SERIALIZE_ROCKETMQ] as const) {
      const writer = new FrameWriter();
      const head = { serializeType, code: 1, language: 0, version: 0, opaque: 0, flag: 0 };
      writer.frame({ ...head, header: (sink) => schema.encode(value, sink) });
      const seen: [string, string][] = [];
      decodeCommand(Buffer.concat(writer.take()!.slices)).ext.forEach((name, text) => {
        seen.push([name, text]);
      });
      assert.deepEqual(seen, expected);
    }
  });

  it("writes every integer as String does", () => {
    const numbers = [
      0, 9, 10, -10, 2147483647, 2147483648, -2147483648, 4294967296, 1e15, 999999999999999, 12345678901,
    ];
    const one = defineHeader("One", { n: int64() });
    for (const n of [...numbers, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
      const writer = new FrameWriter();
      const head = {
        serializeType: SERIALIZE_ROCKETMQ,
        code: 1,
        language: 0,
        version: 0,
        opaque: 0,
        flag: 0,
      } as const;
      writer.frame({ ...head, header: (sink) => one.encode({ n }, sink) });
      assert.equal(decodeCommand(Buffer.concat(writer.take()!.slices)).ext.get("n"), String(n));
    }
  });

  it("refuses what cannot be sent", () => {
    const sink = { put: () => {} };
    assert.throws(() => schema.encode({ ...value, queueId: 1.5 }, sink), /TestHeader.queueId is an integer/);
    assert.throws(
      () => schema.encode({ ...value, offset: 2 ** 53 }, sink),
      /TestHeader.offset is an integer/,
    );
    const { topic, ...rest } = value;
    assert.equal(topic, "grün");
    assert.throws(
      () => schema.encode(rest as TestHeader, sink),
      (error) => error instanceof WireError && error.code === "HEADER_FIELD_MISSING",
    );
  });
});
