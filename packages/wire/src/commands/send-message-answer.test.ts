import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FrameBuffer } from "../frame/frame-buffer.ts";
import { FrameChunkPool } from "../frame/frame-chunk-pool.ts";
import { FrameWriter } from "../frame/frame-writer.ts";
import { type ExtSink, SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "../frame/remoting-command.ts";
import { encodeOffsetMessageId } from "../message/message-id.ts";
import { sendMessageResponseHeader } from "./send-message.ts";
import { SendMessageAnswers } from "./send-message-answer.ts";

function frame(serializeType: 0 | 1, header: (sink: ExtSink) => void): Buffer {
  const writer = new FrameWriter();
  writer.frame({ serializeType, code: 0, language: 0, version: 1, opaque: 9, flag: 1, header });
  return Buffer.from(writer.take()!.slices[0]!);
}

/** Between two other frames, over bytes that are not zero. */
function preparedFrame(write: (out: FrameBuffer) => void): Buffer {
  const pool = new FrameChunkPool(1024);
  pool.give(Buffer.alloc(1024, 0xee));
  const writer = new FrameWriter({ pool });
  const other = {
    serializeType: SERIALIZE_ROCKETMQ,
    code: 0,
    language: 0,
    version: 1,
    opaque: 9,
    flag: 1,
  } as const;
  const before = writer.frame(other);
  const bytes = writer.preparedFrame({ writeFrame: write }, 9, 0, 1);
  writer.frame(other);
  return Buffer.concat(writer.take()!.slices).subarray(before, before + bytes);
}

describe("SendMessageAnswers", () => {
  const hosts = [Buffer.from("7f00000100002a9f", "hex"), Buffer.alloc(20, 0xab)];

  it("writes byte for byte what the schema writes", () => {
    for (const storeHost of hosts) {
      const answers = new SendMessageAnswers("Region ü", true, "disk");
      answers.setStoreHost(encodeOffsetMessageId(storeHost, 0).slice(0, -16));
      for (const key of ["7F000001", 'a "quoted" \\ key', "schlüssel\u0007"]) {
        for (const physicalOffset of [0, 9, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 32, 2 ** 53 - 1]) {
          for (const isFlushed of [true, false]) {
            for (const serializeType of [SERIALIZE_JSON, SERIALIZE_ROCKETMQ] as const) {
              const uniqKey = Buffer.from(`${key}rest`);
              const uniqKeyLength = Buffer.byteLength(key);
              const answer = {
                physicalOffset,
                queueId: 3,
                queueOffset: 1e12,
                uniqKey,
                uniqKeyView: new DataView(uniqKey.buffer, uniqKey.byteOffset, uniqKey.length),
                uniqKeyLength,
                isFlushed,
              };
              const short = frame(serializeType, (sink) => void assert.ok(answers.write(sink, answer)));
              const long = frame(serializeType, (sink) =>
                sendMessageResponseHeader.encode(
                  {
                    msgId: encodeOffsetMessageId(storeHost, physicalOffset),
                    queueId: 3,
                    queueOffset: 1e12,
                    transactionId: key,
                    TRACE_ON: true,
                    MSG_REGION: "Region ü",
                    durability: isFlushed ? "disk" : "memory",
                  },
                  sink,
                ),
              );
              assert.equal(short.toString("latin1"), long.toString("latin1"));
              if (serializeType === SERIALIZE_JSON) continue;
              const whole = preparedFrame((out) => answers.writeFrame(out, 9, 0, 1, answer));
              assert.equal(whole.toString("latin1"), long.toString("latin1"));
            }
          }
        }
      }
    }
  });

  it("leaves other sinks alone", () => {
    const answers = new SendMessageAnswers("r", false, "disk");
    const answer = {
      physicalOffset: 0,
      queueId: 0,
      queueOffset: 0,
      uniqKey: Buffer.alloc(0),
      uniqKeyView: new DataView(new ArrayBuffer(0)),
      uniqKeyLength: 0,
    };
    const put = () => assert.fail("nothing is written");
    assert.equal(answers.write({ put }, { ...answer, isFlushed: true }), false);
  });
});
