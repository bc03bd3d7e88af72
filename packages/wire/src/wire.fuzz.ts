/**
 * Every decoder of this package against random, mutated and cut-up input: what is not valid ends in a WireError
 * (or, where the contract says so, a verdict), never in another exception, a hang, or memory beyond a multiple
 * of the input. Seeds are fixed; ORBITMQ_FUZZ_RUNS is the number of inputs of each test.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatJavaProperties, parseJavaProperties } from "./bodies/java-properties.ts";
import { parseRegisterBrokerBody } from "./bodies/register-broker-body.ts";
import { parseTopicConfigSerializeWrapper } from "./bodies/topic-config.ts";
import { parseTopicRouteData } from "./bodies/topic-route-data.ts";
import { parseDeleteSubscriptionGroupListBody } from "./commands/delete-subscription-group-list.ts";
import { parseDeleteTopicListBody } from "./commands/delete-topic-in-broker.ts";
import { parseProducerTable } from "./commands/get-all-producer-info.ts";
import { parseClusterInfo } from "./commands/get-broker-cluster-info.ts";
import { parseHaStatus } from "./commands/get-broker-ha-status.ts";
import { parseBrokerMemberGroup } from "./commands/get-broker-member-group.ts";
import {
  encodeWhereabouts,
  parseWhereabouts,
  type WhereaboutsBody,
} from "./commands/get-message-whereabouts.ts";
import { parseTopicStatsTable } from "./commands/get-topic-stats-info.ts";
import { parseHeartbeatData } from "./commands/heart-beat.ts";
import { pullMessageRequestHeader } from "./commands/pull-message.ts";
import { parseConsumeQueueView } from "./commands/query-consume-queue.ts";
import { decodeSendMessageRequestHeader } from "./commands/send-message.ts";
import { parseTopicConfigList } from "./commands/update-and-create-topic-list.ts";
import { decodeCommand } from "./frame/decode-command.ts";
import { FrameDecoder } from "./frame/frame.ts";
import { FrameWriter } from "./frame/frame-writer.ts";
import type { RemotingCommand } from "./frame/remoting-command.ts";
import { parseFastjson } from "./json/fastjson.ts";
import { decodeBatchBody, encodeBatchBody } from "./message/batch-body.ts";
import { decodeHostBytes, encodeHostBytes, parseAddress } from "./message/host-address.ts";
import { decompressBody, loadBodyCodec } from "./message/message-body.ts";
import { decodeOffsetMessageId } from "./message/message-id.ts";
import { formatProperties, getProperty, parseProperties } from "./message/message-properties.ts";
import { recordSize, writeRecord } from "./message/message-record.ts";
import { checkRecord, readRecord, readRecords } from "./message/read-record.ts";
import { goldenBytes, goldenFrames, goldenRecords } from "./testing/golden.ts";
import { fuzzRuns, SeededRandom } from "./testing/random.ts";
import { WireError } from "./wire-error.ts";

/** Runs `decode`; only a WireError may come out. Returns whether it succeeded. */
function survives(decode: () => unknown, input: () => string): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw new Error(`a decoder broke on ${input()}`, { cause: error });
  }
}

const hex = (bytes: Uint8Array) => () => Buffer.from(bytes).toString("hex").slice(0, 20_000);

/** Everything a handler could do with a command. */
function useCommand(command: RemotingCommand): void {
  command.ext.forEach(() => {});
  command.ext.get("topic");
  decodeSendMessageRequestHeader(310, command.ext);
}

/** Bytes that look like a frame around a random header. */
function randomFrame(random: SeededRandom): Buffer {
  const header = random.int(2) === 0 ? randomBinaryHeader(random) : randomJsonHeader(random);
  const body = random.bytes(random.int(30));
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.bytes.length + body.length, 0);
  prefix.writeInt32BE(header.bytes.length, 4);
  prefix[4] = random.int(20) === 0 ? random.int(256) : header.type;
  return Buffer.concat([prefix, header.bytes, body]);
}

function randomBinaryHeader(random: SeededRandom): { type: number; bytes: Buffer } {
  const bytes = random.bytes(21 + random.int(80));
  bytes.writeInt32BE(random.pick([0, 0, 0, 3, -1, 1000]), 13);
  if (random.int(4) > 0) bytes.writeInt32BE(random.pick([bytes.length - 21, random.int(100)]), 17);
  for (let at = 21; at + 8 < bytes.length; at += 12) {
    bytes.writeInt16BE(random.pick([1, 2, 0, 255]), at);
    bytes.writeInt32BE(random.pick([1, 2, 0, 5, 1 << 30]), at + 3);
  }
  return { type: 1, bytes };
}

const JSON_PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "\\",
  " ",
  "\n",
  "null",
  "true",
  "-",
  "1",
  "310",
  "1e9",
  "\\u0001",
  "\\uD83D",
  "é",
  '"code":310',
  '"extFields":{',
  '"a":"b"',
  '"flag":1',
  '"language":"JAVA"',
  '"opaque":7',
  '"remark":"x"',
  '"b":{}',
  "{0:",
  "{{",
  "}:",
  "'",
  "L",
  "\\q",
  "__proto__",
  '"__proto__":',
  '"constructor":',
];

function randomJson(random: SeededRandom): string {
  let text = random.int(3) === 0 ? "" : "{";
  for (let pieces = random.int(25); pieces > 0; pieces--) text += random.pick(JSON_PIECES);
  return text;
}

function randomJsonHeader(random: SeededRandom): { type: number; bytes: Buffer } {
  return { type: 0, bytes: Buffer.from(randomJson(random)) };
}

describe("fuzz: frames", () => {
  it("random and mutated golden frames decode or are refused", () => {
    const random = new SeededRandom(1);
    let decoded = 0;
    const runs = fuzzRuns(30_000);
    for (let run = 0; run < runs; run++) {
      const bytes = run % 3 === 0 ? randomFrame(random) : random.mutated(random.pick(goldenFrames).bytes);
      // The lengths are right in most inputs, so that headers are reached.
      if (random.int(5) > 0 && bytes.length >= 8) bytes.writeInt32BE(bytes.length - 4, 0);
      if (survives(() => decodeCommand(bytes), hex(bytes))) decoded++;
      survives(() => useCommand(decodeCommand(bytes)), hex(bytes));
      if (run % 7 === 0)
        survives(() => decodeCommand(bytes.subarray(0, random.int(bytes.length + 1))), hex(bytes));
    }
    assert.ok(decoded > runs / 10, `${decoded} of ${runs} decoded`);
  });

  it("streams cut at random places give their frames or an error, and hold back no more than came in", () => {
    const random = new SeededRandom(2);
    const runs = fuzzRuns(3000);
    for (let run = 0; run < runs; run++) {
      const frames = Array.from({ length: 1 + random.int(5) }, () => random.pick(goldenFrames).bytes);
      const whole = Buffer.concat(frames);
      const isMutated = run % 2 === 0;
      const stream = isMutated ? random.mutated(whole) : whole;
      const seen: Buffer[] = [];
      const decoder = new FrameDecoder((buffer, start, end) => {
        seen.push(Buffer.from(buffer.subarray(start, end)));
      }, 65_536);
      const complete = survives(() => {
        for (let at = 0; at < stream.length; ) {
          const end = Math.min(stream.length, at + 1 + random.int(random.pick([1, 20, 3000])));
          decoder.feed(Uint8Array.prototype.slice.call(stream, at, end));
          at = end;
          assert.ok(decoder.bufferedBytes <= at);
        }
      }, hex(stream));
      assert.ok(isMutated || complete);
      const total = seen.reduce((sum, { length }) => sum + length, 0);
      if (!isMutated) assert.deepEqual(Buffer.concat(seen), whole);
      if (complete) assert.equal(total + decoder.bufferedBytes, stream.length);
      for (const frame of seen) survives(() => useCommand(decodeCommand(frame)), hex(frame));
    }
  });

  it("what the writer writes, both encodings read back", () => {
    const random = new SeededRandom(3);
    const writer = new FrameWriter({ copiedSliceBytesMax: 64 });
    const texts = ["", "x", "grün", "\u0001\u0002", '"\\', "😀", "line\n", "a".repeat(70), "\u007f"];
    for (let run = fuzzRuns(5000); run > 0; run--) {
      const fields = Array.from({ length: random.int(6) }, (_, i) => [`k${i}`, random.pick(texts)] as const);
      const frame = {
        serializeType: random.pick([0, 1] as const),
        code: random.int(65_536) - 32_768,
        language: random.int(14),
        version: random.int(600),
        opaque: random.int(2 ** 32) | 0,
        flag: random.int(4),
        remark: random.pick([undefined, ...texts.slice(1)]),
      };
      writer.frame({
        ...frame,
        header: (sink) => {
          for (const [name, value] of fields) sink.put(name, value);
        },
        body: [Buffer.alloc(random.int(100), run)],
      });
      const batch = writer.take()!;
      const command = decodeCommand(Buffer.concat(batch.slices));
      batch.release();
      const { serializeType, code, language, version, opaque, flag } = command;
      const { remark, ...head } = frame;
      assert.deepEqual({ serializeType, code, language, version, opaque, flag }, head);
      assert.equal(command.remark, remark);
      for (const [name, value] of fields) assert.equal(command.ext.get(name), value);
    }
  });
});

describe("fuzz: headers", () => {
  it("with random values decode or are refused by name, alike in both encodings", () => {
    const random = new SeededRandom(4);
    const values = [
      "",
      "0",
      "-1",
      "7",
      "2147483648",
      "9223372036854775807",
      "1.5",
      "true",
      "false",
      "T",
      "\u0001",
      "99999999999999999999",
      "-",
      "00012",
    ];
    const names = [
      "consumerGroup",
      "topic",
      "queueId",
      "queueOffset",
      "maxMsgNums",
      "sysFlag",
      "commitOffset",
      "suspendTimeoutMillis",
      "subVersion",
      "subscription",
    ];
    const writer = new FrameWriter();
    for (let run = fuzzRuns(10_000); run > 0; run--) {
      const fields = names
        .filter(() => random.int(12) > 0)
        .map((name) => [name, random.int(8) === 0 ? random.pick(values) : "5"] as const);
      const outcomes = ([0, 1] as const).map((serializeType) => {
        writer.frame({
          serializeType,
          code: 11,
          language: 0,
          version: 0,
          opaque: 0,
          flag: 0,
          header: (sink) => {
            for (const [name, value] of fields) sink.put(name, value);
          },
        });
        const batch = writer.take()!;
        const { ext } = decodeCommand(Buffer.concat(batch.slices));
        batch.release();
        try {
          return pullMessageRequestHeader.decode(ext);
        } catch (error) {
          assert.ok(error instanceof WireError);
          return error.message;
        }
      });
      assert.deepEqual(outcomes[0], outcomes[1]);
    }
  });
});

describe("fuzz: records", () => {
  const sources = [
    ...goldenRecords.map(({ bytes }) => bytes),
    goldenBytes("codec/v2-ipv4.bin"),
    goldenBytes("codec/v1-ipv6.bin"),
  ];

  it("random and mutated ones are judged without an exception, and reading agrees with the verdict", () => {
    const random = new SeededRandom(5);
    for (let run = fuzzRuns(30_000); run > 0; run--) {
      const bytes = run % 5 === 0 ? random.bytes(random.int(300)) : random.mutated(random.pick(sources));
      if (random.int(3) > 0 && bytes.length >= 8) {
        bytes.writeInt32BE(bytes.length, 0);
        bytes.writeInt32BE(random.pick([0xdaa320a7, 0xdaa320ab, 0xcbd43194]) | 0, 4);
      }
      const at = random.int(8) === 0 ? random.int(bytes.length + 1) : 0;
      const verdict = checkRecord(bytes, at, bytes.length, { checkCrc: false });
      const readable = survives(() => readRecord(bytes, at, bytes.length), hex(bytes));
      if (verdict.kind !== "record") assert.ok(!readable, hex(bytes)());
      survives(() => readRecords(bytes, { checkCrc: true }), hex(bytes));
      if (readable) {
        const record = readRecord(bytes, at, bytes.length);
        // Text that was no UTF-8 grows when it is written again; everything else keeps its size.
        survives(() => writeRecord(record, Buffer.alloc(recordSize(record)), 0, record), hex(bytes));
      }
    }
  });

  it("batch bodies decode or are refused", () => {
    const random = new SeededRandom(6);
    const good = Buffer.from(
      encodeBatchBody(
        Array.from({ length: 4 }, (_, i) => ({
          flag: i,
          body: Buffer.alloc(i * 7),
          properties: "a\u0001b\u0002",
        })),
      ),
    );
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      const bytes = run % 5 === 0 ? random.bytes(random.int(100)) : random.mutated(good);
      survives(() => decodeBatchBody(bytes), hex(bytes));
    }
  });
});

const WHEREABOUTS: WhereaboutsBody = {
  nowMs: 1,
  log: { minOffset: 0, writtenOffset: 9, flushedOffset: 8, flushDiskType: "SYNC_FLUSH", state: "running" },
  keyIndex: { enabled: true, behindBytes: 0, fromMs: 5 },
  messages: [
    {
      position: 4,
      state: "whole",
      flushed: true,
      delay: { dueMs: 7, delivered: false },
      timer: { dueMs: 7, state: "waiting" },
      transaction: { state: "open", checkTimes: 1, checkMax: 15, nextMs: 9 },
      filters: [{ group: "g", wanted: false }],
      pops: [{ group: "g", popTime: 1, visibleAtMs: 2, state: "open", inOrder: true, poppedBy: "a:1" }],
    },
  ],
};

describe("fuzz: bodies", () => {
  const parsers = [
    parseClusterInfo,
    parseTopicStatsTable,
    parseHeartbeatData,
    parseRegisterBrokerBody,
    parseTopicConfigSerializeWrapper,
    parseTopicRouteData,
    parseTopicConfigList,
    parseDeleteTopicListBody,
    parseDeleteSubscriptionGroupListBody,
    parseConsumeQueueView,
    parseProducerTable,
    parseHaStatus,
    parseBrokerMemberGroup,
    parseWhereabouts,
  ];
  const bodies = goldenFrames
    .map(({ bytes }) => Buffer.from(decodeCommand(bytes).body))
    .filter((body) => body[0] === 0x7b && body.length < 1000);

  it("of whereabouts parse or are refused", () => {
    const random = new SeededRandom(17);
    const good = Buffer.from(encodeWhereabouts(WHEREABOUTS));
    for (let run = fuzzRuns(5_000); run > 0; run--) {
      const bytes = random.mutated(good);
      survives(() => parseWhereabouts(bytes), hex(bytes));
    }
  });

  it("of JSON parse or are refused", () => {
    const random = new SeededRandom(7);
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      const bytes = run % 3 === 0 ? Buffer.from(randomJson(random)) : random.mutated(random.pick(bodies));
      survives(() => parseFastjson(bytes), hex(bytes));
      const parse = random.pick(parsers);
      survives(() => parse(bytes), hex(bytes));
    }
    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  });

  it("that are compressed decompress within the limit or are refused", async () => {
    const random = new SeededRandom(8);
    const kinds = [
      ["zlib", 1],
      ["lz4", 1 | 256],
      ["zstd", 1 | 512],
    ] as const;
    for (const [kind, sysFlag] of kinds) {
      await loadBodyCodec(sysFlag);
      const sources = [goldenBytes(`codec/text.${kind}`), goldenBytes(`codec/empty.${kind}`)];
      for (let run = Math.ceil(fuzzRuns(15_000) / 25); run > 0; run--) {
        const bytes = run % 10 === 0 ? random.bytes(random.int(200)) : random.mutated(random.pick(sources));
        survives(() => assert.ok(decompressBody(bytes, sysFlag, 200_000).length <= 200_000), hex(bytes));
      }
    }
  });
});

describe("fuzz: texts", () => {
  const pieces = [
    "\u0001",
    "\u0002",
    "a",
    "KEYS",
    "TAGS",
    "\u0001\u0002",
    "grün",
    ":",
    "::",
    "[",
    "]",
    "1",
    "65536",
    ".",
    "127.0.0.1",
    "fe80",
    "%",
    "F0",
  ];
  const randomText = (random: SeededRandom): string => {
    let text = "";
    for (let left = random.int(14); left > 0; left--) text += random.pick(pieces);
    return text;
  };

  it("properties parse, and what was written comes back", () => {
    const random = new SeededRandom(9);
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      const text = randomText(random);
      const parsed = parseProperties(text);
      for (const [name, value] of parsed) assert.equal(getProperty(text, name), value, JSON.stringify(text));
      const entries = [...parsed].filter(([, value]) => !value.includes("\u0001"));
      assert.deepEqual([...parseProperties(formatProperties(entries))], entries);
    }
  });

  it("Java properties parse or are refused, and what was written comes back", () => {
    const random = new SeededRandom(11);
    const parts = [
      "a",
      "=",
      ":",
      "\\",
      "\\u00e4",
      "\\u",
      " ",
      "\t",
      "\n",
      "\r\n",
      "#",
      "!",
      "ä",
      "key=value\n",
    ];
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      let text = "";
      for (let left = random.int(12); left > 0; left--) text += random.pick(parts);
      survives(
        () => {
          const entries = parseJavaProperties(text, "x").map(({ key, value }) => [key, value] as const);
          const again = parseJavaProperties(formatJavaProperties(entries), "x");
          assert.deepEqual(
            again.map(({ key, value }) => [key, value]),
            entries,
          );
        },
        () => JSON.stringify(text),
      );
    }
  });

  it("addresses and message ids parse or are refused", () => {
    const random = new SeededRandom(10);
    for (let run = fuzzRuns(20_000); run > 0; run--) {
      const text = randomText(random);
      survives(
        () => decodeHostBytes(encodeHostBytes(parseAddress(text))),
        () => text,
      );
      survives(
        () => decodeOffsetMessageId(text),
        () => text,
      );
    }
  });
});
