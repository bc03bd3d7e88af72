/** One PULL_MESSAGE with ROCKETMQ headers, its subscription along with it; at the end of a queue it waits, or not. */
import { binaryFrame, OPAQUE_AT } from "./binary-frame.ts";

const PULL_MESSAGE = 11;
const MESSAGES = 32;
const SUBSCRIPTION = 4;
const SUSPEND = 2;
const SUSPEND_MS = 15_000;

export function pullFrame(
  topic: string,
  queueId: number,
  offset: number,
  opaque: number,
  waits: boolean,
): Buffer {
  const { frame } = binaryFrame(PULL_MESSAGE, [
    ["consumerGroup", "bench_puller"],
    ["topic", topic],
    ["queueId", String(queueId)],
    ["queueOffset", String(offset)],
    ["maxMsgNums", String(MESSAGES)],
    ["sysFlag", String(waits ? SUBSCRIPTION | SUSPEND : SUBSCRIPTION)],
    ["commitOffset", "0"],
    ["suspendTimeoutMillis", String(waits ? SUSPEND_MS : 0)],
    ["subscription", "*"],
    ["subVersion", "0"],
    ["expressionType", "TAG"],
  ]);
  frame.writeInt32BE(opaque, OPAQUE_AT);
  return frame;
}
