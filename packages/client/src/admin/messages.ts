/** Messages by their place: one at a queue offset, what a ConsumeQueue says of it, and half messages to check again. */
import {
  type ConsumeQueueView,
  PullSysFlag,
  parseConsumeQueueView,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  queryConsumeQueueRequestHeader,
  RequestCode,
  ResponseCode,
  resumeCheckHalfMessageRequestHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { copyRecords } from "../consumer/queue/pulled-record.ts";
import { fromResponse } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { checkTopic } from "../names/names.ts";
import { messageOf } from "./find-messages.ts";
import { oneBroker } from "./servers.ts";

/** A group every broker knows (RocketMQ: MixAll.TOOLS_CONSUMER_GROUP); it commits nothing. */
const TOOLS_GROUP = "TOOLS_CONSUMER";
const COUNT_DEFAULT = 10;

export interface ConsumeQueueOptions {
  /** The first unit. Default where the queue begins. */
  readonly from?: number | undefined;
  /** At most so many units. Default 10. */
  readonly count?: number | undefined;
  /** Whose subscription to tell. */
  readonly group?: string | undefined;
}

/** The message at a queue offset (11). Rejects with QUERY_NOT_FOUND when there is none. */
export async function messageAt(
  instance: ClientInstance,
  queue: MessageQueue,
  offset: number,
): Promise<ReceivedMessage> {
  checkTopic(queue.topic);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new OrbitError("INVALID_ARGUMENT", `${offset} is no offset`);
  const { topic, brokerName, queueId } = queue;
  const { address } = await oneBroker(instance, brokerName);
  const header = {
    consumerGroup: TOOLS_GROUP,
    topic,
    queueId,
    queueOffset: offset,
    maxMsgNums: 1,
    sysFlag: PullSysFlag.SUBSCRIPTION,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: "*",
    subVersion: 0,
    expressionType: "TAG",
  };
  const found = await instance.call(
    address,
    {
      code: RequestCode.PULL_MESSAGE,
      header: (sink) => pullMessageRequestHeader.encode(header, sink),
    },
    ({ code, remark, body, ext }) => {
      if (code === ResponseCode.SUCCESS) return { record: copyRecords(body)[0] };
      const none = [
        ResponseCode.PULL_NOT_FOUND,
        ResponseCode.PULL_RETRY_IMMEDIATELY,
        ResponseCode.PULL_OFFSET_MOVED,
      ];
      if (!none.some((each) => each === code)) throw fromResponse(code, remark, brokerName);
      const { minOffset, maxOffset } = pullMessageResponseHeader.decode(ext);
      return { bounds: `it has ${minOffset} to ${maxOffset - 1}` };
    },
  );
  const { record } = found;
  if (record !== undefined && record.queueOffset === offset) return messageOf(record, brokerName);
  const hint = found.bounds === undefined ? "" : `; ${found.bounds}`;
  throw new OrbitError(
    "QUERY_NOT_FOUND",
    `queue ${queueId} of ${topic} on ${brokerName} has no offset ${offset}${hint}`,
    { broker: brokerName },
  );
}

/** Units of a ConsumeQueue as they are on disk (321). */
export async function consumeQueue(
  instance: ClientInstance,
  { topic, brokerName, queueId }: MessageQueue,
  { from = 0, count = COUNT_DEFAULT, group }: ConsumeQueueOptions,
): Promise<ConsumeQueueView> {
  checkTopic(topic);
  const { address } = await oneBroker(instance, brokerName);
  const header = { topic, queueId, index: from, count, consumerGroup: group };
  return instance.ask(
    address,
    {
      code: RequestCode.QUERY_CONSUME_QUEUE,
      header: (sink) => queryConsumeQueueRequestHeader.encode(header, sink),
    },
    ({ body }) => parseConsumeQueueView(body),
  );
}

/** A half message that was parked after its last check is checked again (323). */
export async function resumeCheck(
  instance: ClientInstance,
  broker: string,
  topic: string,
  offsetMsgId: string,
): Promise<void> {
  const { address } = await oneBroker(instance, broker);
  await instance.ask(
    address,
    {
      code: RequestCode.RESUME_CHECK_HALF_MESSAGE,
      header: (sink) => resumeCheckHalfMessageRequestHeader.encode({ topic, msgId: offsetMsgId }, sink),
    },
    () => undefined,
  );
}
