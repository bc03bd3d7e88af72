/**
 * SEND_MESSAGE_V2 frames with ROCKETMQ headers, one for each queue of each topic, ready but for what the loader
 * patches: the opaque (4 bytes) and the message's own id, so that a key index has as much to do as in life.
 */
import { binaryFrame, OPAQUE_AT } from "./binary-frame.ts";

export interface SendFrame {
  readonly bytes: Buffer;
  /** Where the 32 digits of UNIQ_KEY begin. */
  readonly idAt: number;
}

const SEND_MESSAGE_V2 = 310;
const ID_NAME = "UNIQ_KEY\u0001";
const ID_DIGITS = 32;
const COUNT_AT = ID_DIGITS - 8;
const LANE_AT = COUNT_AT - 4;
/** Two digits of a byte, as they lie in memory. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, "0").toUpperCase()).readUInt16BE(),
);

export { OPAQUE_AT };

/** Keys a…m are SendMessageRequestHeaderV2. */
export function sendFrame(topic: string, queueId: number, bodyBytes: number): SendFrame {
  const { frame, valueAt } = binaryFrame(
    SEND_MESSAGE_V2,
    [
      ["a", "bench_producer"],
      ["b", topic],
      ["c", "TBW102"],
      ["d", "4"],
      ["e", String(queueId)],
      ["f", "0"],
      ["g", "1700000000000"],
      ["h", "0"],
      ["i", `${ID_NAME}7F0000010000${"0".repeat(20)}\u0002WAIT\u0001true\u0002`],
      ["j", "0"],
      ["k", "false"],
      ["m", "false"],
    ],
    Buffer.alloc(bodyBytes, 120),
  );
  return { bytes: frame, idAt: valueAt.get("i")! + ID_NAME.length };
}

/** Topics take turns first, then queues: neighbours in time go to different places. */
export function sendFrames(topics: readonly string[], queues: number, bodyBytes: number): SendFrame[] {
  const frames: SendFrame[] = [];
  for (let queueId = 0; queueId < queues; queueId++) {
    for (const topic of topics) frames.push(sendFrame(topic, queueId, bodyBytes));
  }
  return frames;
}

/** Makes the id at `at` that of the lane's `count`th message. */
export function writeId(out: Buffer, at: number, lane: number, count: number): void {
  out.writeUInt16BE(HEX_PAIRS[(lane >>> 8) & 0xff]!, at + LANE_AT);
  out.writeUInt16BE(HEX_PAIRS[lane & 0xff]!, at + LANE_AT + 2);
  out.writeUInt16BE(HEX_PAIRS[count >>> 24]!, at + COUNT_AT);
  out.writeUInt16BE(HEX_PAIRS[(count >>> 16) & 0xff]!, at + COUNT_AT + 2);
  out.writeUInt16BE(HEX_PAIRS[(count >>> 8) & 0xff]!, at + COUNT_AT + 4);
  out.writeUInt16BE(HEX_PAIRS[count & 0xff]!, at + COUNT_AT + 6);
}
