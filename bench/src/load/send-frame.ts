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

/** What is sent: plain messages, messages for a time, or halves of transactions, which are committed. */
export type SentKind = "plain" | "timer" | "transaction";

export const GROUP = "bench_producer";
const TRANSACTION_PREPARED_TYPE = 4;
/** Timers are due between one and two hours after they were sent, in a second of their own each queue and turn. */
const DELAY_S = 3_600;
const TIMER_FRAMES = 720;

/** Keys a…m are SendMessageRequestHeaderV2; `properties` follow the message's id. */
export function sendFrame(
  topic: string,
  queueId: number,
  bodyBytes: number,
  properties = "",
  sysFlag = 0,
): SendFrame {
  const { frame, valueAt } = binaryFrame(
    SEND_MESSAGE_V2,
    [
      ["a", GROUP],
      ["b", topic],
      ["c", "TBW102"],
      ["d", "4"],
      ["e", String(queueId)],
      ["f", String(sysFlag)],
      ["g", "1700000000000"],
      ["h", "0"],
      ["i", `${ID_NAME}7F0000010000${"0".repeat(20)}\u0002WAIT\u0001true\u0002${properties}`],
      ["j", "0"],
      ["k", "false"],
      ["m", "false"],
    ],
    Buffer.alloc(bodyBytes, 120),
  );
  return { bytes: frame, idAt: valueAt.get("i")! + ID_NAME.length };
}

/** Topics take turns first, then queues: neighbours in time go to different places. */
export function sendFrames(
  topics: readonly string[],
  queues: number,
  bodyBytes: number,
  kind: SentKind = "plain",
): SendFrame[] {
  const frames: SendFrame[] = [];
  const turns = kind === "timer" ? Math.ceil(TIMER_FRAMES / (queues * topics.length)) : 1;
  for (let turn = 0; turn < turns; turn++) {
    for (let queueId = 0; queueId < queues; queueId++) {
      for (const topic of topics) {
        // Far from each other, as the times of different applications are.
        const delayS = DELAY_S + ((frames.length * 1_009) % DELAY_S);
        if (kind === "plain") frames.push(sendFrame(topic, queueId, bodyBytes));
        else if (kind === "timer")
          frames.push(sendFrame(topic, queueId, bodyBytes, `TIMER_DELAY_SEC\u0001${delayS}\u0002`));
        else frames.push(halfFrame(topic, queueId, bodyBytes));
      }
    }
  }
  return frames;
}

function halfFrame(topic: string, queueId: number, bodyBytes: number): SendFrame {
  const properties = `TRAN_MSG\u0001true\u0002PGROUP\u0001${GROUP}\u0002`;
  return sendFrame(topic, queueId, bodyBytes, properties, TRANSACTION_PREPARED_TYPE);
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
