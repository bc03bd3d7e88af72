import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LANGUAGE_UNKNOWN } from "../tables/language-code.ts";
import { WireError } from "../wire-error.ts";
import { decodeCommand } from "./decode-command.ts";
import { SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "./remoting-command.ts";

function jsonFrame(header: string, body = ""): Buffer {
  return framed(SERIALIZE_JSON, Buffer.from(header), Buffer.from(body));
}

function framed(type: number, header: Buffer, body = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(4 + header.length + body.length, 0);
  bytes.writeInt32BE(header.length, 4);
  bytes[4] = type;
  return Buffer.concat([bytes, header, body]);
}

/** code 310, JAVA, version 513, opaque 7, no flag, no remark, the given ext bytes. */
function binaryFrame(ext: string, extLength = ext.length / 2): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(extLength);
  const fixed = Buffer.from("0136000201000000070000000000000000", "hex");
  return framed(SERIALIZE_ROCKETMQ, Buffer.concat([fixed, length, Buffer.from(ext, "hex")]));
}

function isMalformed(error: unknown): boolean {
  return error instanceof WireError && error.code === "FRAME_MALFORMED";
}

describe("a JSON header", () => {
  it("gives every member", () => {
    const command = decodeCommand(
      jsonFrame(
        '{"code":17,"extFields":{"a":"b","n":"x\\u0001\\n\\"y"},"flag":1,"language":"GO","opaque":-5,"remark":"no\\ttopic \\u00fc","serializeTypeCurrentRPC":"JSON","version":513}',
        "body",
      ),
    );
    assert.deepEqual(
      [command.code, command.flag, command.language, command.opaque, command.version, command.remark],
      [17, 1, 9, -5, 513, "no\ttopic ü"],
    );
    assert.equal(command.ext.get("a"), "b");
    assert.equal(command.ext.get("n"), 'x\u0001\n"y');
    assert.equal(command.ext.get("toString"), undefined);
    assert.equal(Buffer.from(command.body).toString(), "body");
    assert.equal(command.serializeType, SERIALIZE_JSON);
  });

  it("may leave out everything but the code", () => {
    const command = decodeCommand(jsonFrame(' { "code" : 105 } '));
    assert.deepEqual(
      [command.code, command.flag, command.language, command.opaque, command.version, command.remark],
      [105, 0, LANGUAGE_UNKNOWN, 0, 0, undefined],
    );
    assert.equal(command.body.length, 0);
  });

  it("may carry members nobody knows, nulls, numbers and languages by number", () => {
    const command = decodeCommand(
      jsonFrame(
        '{"x":{"y":["}",{"z":1}]},"language":13,"remark":null,"extFields":{"i":12,"t":true,"0":null,"d":"1","d":"2"},"code":1,}',
      ),
    );
    assert.equal(command.language, 13);
    assert.equal(command.remark, undefined);
    const fields: [string, string][] = [];
    command.ext.forEach((name, value) => {
      fields.push([name, value]);
    });
    assert.deepEqual(fields, [
      ["i", "12"],
      ["t", "true"],
      ["d", "1"],
      ["d", "2"],
    ]);
    assert.equal(command.ext.get("d"), "2");
    assert.equal(command.ext.get("0"), undefined);
  });

  it("reads escapes beyond ASCII, in names and in long values too", () => {
    const long = "\\u0001".repeat(6000);
    const { ext } = decodeCommand(
      jsonFrame(
        `{"code":1,"extFields":{"\\u0061":"\\uD83D\\uDE00 gr\\u00FCn","long":"${long}","raw":"a\u0001b\\\\"}}`,
      ),
    );
    assert.equal(ext.get("a"), "😀 grün");
    assert.equal(ext.get("long"), "\u0001".repeat(6000));
    assert.equal(ext.get("raw"), "a\u0001b\\");
  });

  it("is refused when it is no object, has no code, or a field is no integer", () => {
    for (const header of [
      "",
      "null",
      "[]",
      "{",
      '{"code"',
      '{"code":1',
      '{"code":1} x',
      '{"code":1}}',
      "{code:1}",
      '{"code":"1"}',
      '{"code":1.5}',
      '{"code":4294967296}',
      '{"code":1,"flag":{}}',
      '{"flag":1}',
      '{"code":1,"remark":"\\q"}',
      '{"code":1 "flag":0}',
      '{"code":1,"x":{"y":1}',
      '{"code":1,"x":"',
    ]) {
      assert.throws(() => decodeCommand(jsonFrame(header, "}")), isMalformed, header);
    }
  });

  it("with ext fields that are not flat is refused by whoever reads them", () => {
    for (const ext of ['{"a":{}}', '{"a":[1]}', '{"a"}', "{a:1}", '{"a":"\\q"}', '{"a":1]', '{"a":}']) {
      const frame = jsonFrame(`{"code":1,"extFields":${ext}}`);
      assert.throws(() => decodeCommand(frame).ext.forEach(() => {}), isMalformed, ext);
      assert.throws(() => decodeCommand(frame).ext.get("a"), isMalformed, ext);
    }
  });

  it("costs no more memory than its bytes, whatever is nested in it", () => {
    const deep = "[".repeat(4_000_000) + "]".repeat(4_000_000);
    assert.equal(decodeCommand(jsonFrame(`{"code":1,"x":${deep}}`)).code, 1);
  });
});

describe("a ROCKETMQ header", () => {
  it("gives its fields", () => {
    const command = decodeCommand(binaryFrame("0001610000000162" + "0002616200000000"));
    assert.deepEqual(
      [command.code, command.language, command.version, command.opaque, command.flag, command.remark],
      [310, 0, 513, 7, 0, undefined],
    );
    assert.equal(command.ext.get("a"), "b");
    assert.equal(command.ext.get("ab"), "");
    assert.equal(command.ext.get("b"), undefined);
  });

  it("reads signed codes and UTF-8 remarks", () => {
    const remark = Buffer.from("grün");
    const head = Buffer.from("ff38090201ffffffff00000001", "hex");
    const length = Buffer.alloc(4);
    length.writeInt32BE(remark.length);
    const command = decodeCommand(
      framed(SERIALIZE_ROCKETMQ, Buffer.concat([head, length, remark, Buffer.alloc(4)])),
    );
    assert.deepEqual([command.code, command.opaque, command.remark], [-200, -1, "grün"]);
  });

  it("is refused when lengths lead out of it", () => {
    for (const frame of [
      framed(SERIALIZE_ROCKETMQ, Buffer.alloc(20)),
      binaryFrame("0001610000000162", 9),
      binaryFrame("0001610000000162", -1),
      binaryFrame("00016100000002" + "62"),
      binaryFrame("000161ffffffff" + "62"),
      binaryFrame("ffff61"),
      binaryFrame("00"),
      binaryFrame("000161000000"),
      binaryFrame(`8001${"61".repeat(0x8001)}00000000`),
      framed(SERIALIZE_ROCKETMQ, Buffer.from("01360002010000000700000000fffffff8" + "00000000", "hex")),
      framed(SERIALIZE_ROCKETMQ, Buffer.from("0136000201000000070000000000000005" + "00000000", "hex")),
      framed(SERIALIZE_ROCKETMQ, Buffer.from("01360002010000000700000000ffffffff" + "00000000", "hex")),
    ]) {
      assert.throws(() => decodeCommand(frame), isMalformed, frame.toString("hex"));
    }
  });
});

describe("a frame", () => {
  it("is refused when its type is unknown or its lengths are not its own", () => {
    const good = jsonFrame('{"code":1}');
    assert.equal(decodeCommand(good).code, 1);
    assert.throws(() => decodeCommand(framed(2, Buffer.from('{"code":1}'))), isMalformed);
    assert.throws(() => decodeCommand(good.subarray(0, 7)), isMalformed);
    assert.throws(() => decodeCommand(good.subarray(0, good.length - 1)), isMalformed);
    assert.throws(() => decodeCommand(Buffer.concat([good, good])), isMalformed);
  });

  it("may lie anywhere in a buffer, and its body is a view", () => {
    const good = jsonFrame('{"code":1}', "body");
    const buffer = Buffer.concat([Buffer.alloc(5), good, Buffer.alloc(3)]);
    const { body } = decodeCommand(buffer, 5, 5 + good.length);
    assert.equal(body.buffer, buffer.buffer);
    assert.equal(Buffer.from(body).toString(), "body");
  });
});
