import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeCommand } from "../frame/decode-command.ts";
import { FrameWriter } from "../frame/frame-writer.ts";
import { type RemotingCommand, SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "../frame/remoting-command.ts";
import { goldenFrames } from "../testing/golden.ts";
import { fuzzRuns, SeededRandom } from "../testing/random.ts";
import { WireError } from "../wire-error.ts";
import { PlainSend } from "./plain-send.ts";
import { decodeSendMessageRequestHeader, type SendMessageRequestHeader } from "./send-message.ts";

type Fields = Record<string, string>;

const FIELDS: Fields = {
  a: "group",
  b: "orders",
  c: "TBW102",
  d: "4",
  e: "3",
  f: "1",
  g: "1700000000123",
  h: "-7",
  i: "UNIQ_KEY\u0001ABC\u0002TAGS\u0001t\u0002",
  j: "2",
  k: "false",
  l: "16",
  m: "false",
  n: "broker-a",
};
const LONG = ["producerGroup", "topic", "defaultTopic", "defaultTopicQueueNums", "queueId", "sysFlag"].concat(
  [
    "bornTimestamp",
    "flag",
    "properties",
    "reconsumeTimes",
    "unitMode",
    "maxReconsumeTimes",
    "batch",
    "bname",
  ],
);

function request(code: number, json: boolean, fields: Fields): RemotingCommand {
  const writer = new FrameWriter();
  writer.frame({
    serializeType: json ? SERIALIZE_JSON : SERIALIZE_ROCKETMQ,
    code,
    language: 0,
    version: 479,
    opaque: 1,
    flag: 0,
    header: (sink) => {
      for (const [name, text] of Object.entries(fields)) {
        sink.put(code === 10 ? (LONG[name.charCodeAt(0) - 97] ?? name) : name, text);
      }
    },
  });
  return decodeCommand(Buffer.from(writer.take()!.slices[0]!));
}

/** The header as the schema reads it; undefined when it refuses it. */
function slowly(command: RemotingCommand): SendMessageRequestHeader | undefined {
  try {
    return decodeSendMessageRequestHeader(command.code, command.ext);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** What a plain send has read is what the schema reads. */
function agrees(plain: PlainSend, command: RemotingCommand, about: string): boolean {
  if (!plain.read(command.code, command.ext)) return false;
  const header = slowly(command);
  assert.ok(header !== undefined, `${about}: the schema refuses it`);
  const { topic, queueId, sysFlag, bornTimestamp, flag, reconsumeTimes } = plain;
  assert.deepEqual(
    { topic, queueId, sysFlag, bornTimestamp, flag, reconsumeTimes },
    {
      topic: header.topic,
      queueId: header.queueId,
      sysFlag: header.sysFlag,
      bornTimestamp: header.bornTimestamp,
      flag: header.flag,
      reconsumeTimes: header.reconsumeTimes ?? 0,
    },
    about,
  );
  assert.deepEqual([header.unitMode ?? false, header.batch ?? false], [false, false], about);
  const { bytes, start, end } = plain.properties;
  assert.equal(bytes.toString("utf8", start, end), header.properties ?? "", about);
  return true;
}

describe("plain-send", () => {
  const plain = new PlainSend();

  it("reads the ordinary send of both codes in both encodings", () => {
    for (const code of [10, 310]) {
      for (const json of [false, true]) {
        const about = `${code} ${json ? "JSON" : "ROCKETMQ"}`;
        assert.equal(agrees(plain, request(code, json, FIELDS), about), true, about);
        const { i: _properties, j: _times, l: _max, n: _broker, ...few } = FIELDS;
        assert.equal(agrees(plain, request(code, json, few), `${about}, few`), true, about);
        assert.equal(plain.reconsumeTimes, 0);
      }
    }
  });

  it("reads a request although others were decoded since", () => {
    const first = request(310, false, FIELDS);
    const second = request(310, false, { ...FIELDS, b: "another", e: "1" });
    const send = new PlainSend();
    for (const [each, topic, queueId] of [
      [first, "orders", 3],
      [second, "another", 1],
      [first, "orders", 3],
    ] as const) {
      assert.equal(send.read(310, each.ext), true);
      assert.deepEqual([send.topic, send.queueId], [topic, queueId]);
    }
  });

  it("leaves alone what is a batch, in unit mode, or asks the broker for something", () => {
    for (const change of [
      { m: "true" },
      { k: "true" },
      { i: "DELAY\u00013\u0002" },
      { i: "WAIT\u0001false\u0002" },
    ]) {
      for (const json of [false, true]) {
        assert.equal(
          plain.read(310, request(310, json, { ...FIELDS, ...change }).ext),
          false,
          JSON.stringify(change),
        );
      }
    }
  });

  it("leaves alone what is missing or malformed", () => {
    for (const json of [false, true]) {
      for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"]) {
        const { [name]: _left, ...rest } = FIELDS;
        assert.equal(plain.read(310, request(310, json, rest).ext), false, name);
      }
      for (const name of ["d", "e", "f", "g", "h", "j", "k", "l", "m"]) {
        assert.equal(plain.read(310, request(310, json, { ...FIELDS, [name]: "1x" }).ext), false, name);
      }
    }
  });

  it("reads the golden sends of the Java clients as the schema does", () => {
    let read = 0;
    for (const { file, kind, command: code, bytes } of goldenFrames) {
      if (kind === "response" || (code !== 310 && code !== 10)) continue;
      if (agrees(plain, decodeCommand(bytes), file)) read++;
    }
    assert.ok(read > 0, "a golden send is plain");
  });

  it("agrees with the schema on fields that were changed at random", () => {
    const random = new SeededRandom(310);
    const values = [
      "",
      "0",
      "3",
      "-1",
      "2147483648",
      "9223372036854775807",
      "true",
      "false",
      "fAlse",
      "ü",
      "%RETRY%g",
    ];
    let read = 0;
    const runs = fuzzRuns(3_000);
    for (let run = 0; run < runs; run++) {
      const fields = { ...FIELDS };
      for (let left = random.int(3); left > 0; left--) {
        const name = String.fromCharCode(97 + random.int(14));
        if (random.int(3) === 0) delete fields[name];
        else fields[name] = values[random.int(values.length)]!;
      }
      const code = random.int(2) === 0 ? 10 : 310;
      if (agrees(plain, request(code, random.int(2) === 0, fields), JSON.stringify(fields))) read++;
    }
    assert.ok(read > runs / 4, `${read} of ${runs} were plain`);
  });
});
