/**
 * One SEND_MESSAGE_V2 frame with ROCKETMQ headers, and where the loader patches it: the opaque (4 bytes) and
 * the queue id (one digit).
 */
import { binaryFrame, OPAQUE_AT } from "./binary-frame.ts";

export interface SendFrame {
  readonly frame: Buffer;
  readonly opaqueAt: number;
  readonly queueAt: number;
}

const SEND_MESSAGE_V2 = 310;

/** Keys a…m are SendMessageRequestHeaderV2. */
export function sendFrame(topic: string, bodyBytes: number): SendFrame {
  const { frame, valueAt } = binaryFrame(
    SEND_MESSAGE_V2,
    [
      ["a", "bench_producer"],
      ["b", topic],
      ["c", "TBW102"],
      ["d", "4"],
      ["e", "0"],
      ["f", "0"],
      ["g", "1700000000000"],
      ["h", "0"],
      ["i", "UNIQ_KEY\u00017F000001000000000000000000000000\u0002WAIT\u0001true\u0002"],
      ["j", "0"],
      ["k", "false"],
      ["m", "false"],
    ],
    Buffer.alloc(bodyBytes, 120),
  );
  return { frame, opaqueAt: OPAQUE_AT, queueAt: valueAt.get("e")! };
}
