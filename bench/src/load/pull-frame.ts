/** One PULL_MESSAGE with ROCKETMQ headers, its subscription along with it, that waits for nothing. */
import { binaryFrame, OPAQUE_AT } from "./binary-frame.ts";

const PULL_MESSAGE = 11;
const MESSAGES = 32;
const SUBSCRIPTION = "4";

export function pullFrame(topic: string, queueId: number, offset: number, opaque: number): Buffer {
  const { frame } = binaryFrame(PULL_MESSAGE, [
    ["consumerGroup", "bench_puller"],
    ["topic", topic],
    ["queueId", String(queueId)],
    ["queueOffset", String(offset)],
    ["maxMsgNums", String(MESSAGES)],
    ["sysFlag", SUBSCRIPTION],
    ["commitOffset", "0"],
    ["suspendTimeoutMillis", "0"],
    ["subscription", "*"],
    ["subVersion", "0"],
    ["expressionType", "TAG"],
  ]);
  frame.writeInt32BE(opaque, OPAQUE_AT);
  return frame;
}
