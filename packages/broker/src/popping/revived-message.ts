/**
 * What becomes of a popped message that nobody acknowledged in time (RocketMQ: PopReviveService.reviveRetry): it
 * goes to the retry topic of its group and topic, to be popped again at once, or to the group's dead-letter topic
 * when it has come back often enough. RocketMQ leaves the latter to consumers. A decision only.
 */
import {
  encodeOffsetMessageId,
  getProperty,
  MessageConst,
  type MessageRecord,
  popNormalTopicOf,
  popRetryTopicV1,
  popRetryTopicV2,
  type RecordInput,
} from "@orbitmq/wire";
import { dlqTopicOf, isRetryTopic } from "../names.ts";
import { withProperties } from "../sending/property-text.ts";

const INT32_MAX = 2_147_483_647;
const PROPERTIES_BYTES_MAX = 32_767;
/** Room that a handle takes among a message's properties when it is popped again. */
const HANDLE_BYTES_MAX = 512;

export interface Revival {
  readonly group: string;
  /** Wall ms. */
  readonly popTime: number;
  readonly retryMaxTimes: number;
  readonly enableRetryTopicV2: boolean;
}

export interface Revived {
  readonly message: RecordInput;
  readonly isDeadLetter: boolean;
}

export function revivedMessage(record: MessageRecord, storeHost: Uint8Array, how: Revival): Revived {
  const { group, popTime, retryMaxTimes, enableRetryTopicV2 } = how;
  const normalTopic = popNormalTopicOf(record.topic, group);
  const known = (name: string): string | undefined => getProperty(record.properties, name) || undefined;
  const retryTopic = isRetryTopic(record.topic)
    ? record.topic
    : enableRetryTopicV2
      ? popRetryTopicV2(record.topic, group)
      : popRetryTopicV1(record.topic, group);
  const properties = withProperties(record.properties, {
    [MessageConst.CRC32]: undefined,
    [MessageConst.FIRST_POP_TIME]: known(MessageConst.FIRST_POP_TIME) ?? popTime,
  });
  // A message without room for a handle could not be popped: whoever looks into the dead letters can see it.
  const hasRoom = Buffer.byteLength(properties) <= PROPERTIES_BYTES_MAX - HANDLE_BYTES_MAX;
  const isDeadLetter = record.reconsumeTimes >= retryMaxTimes || !hasRoom;
  const origin = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
  return {
    isDeadLetter,
    message: {
      topic: isDeadLetter ? dlqTopicOf(group) : retryTopic,
      queueId: 0,
      flag: record.flag,
      sysFlag: record.sysFlag,
      bornTimestamp: record.bornTimestamp,
      bornHost: record.bornHost,
      storeHost,
      reconsumeTimes: Math.min(record.reconsumeTimes + 1, INT32_MAX),
      preparedTransactionOffset: 0,
      body: record.body,
      properties:
        isDeadLetter && hasRoom
          ? withProperties(properties, {
              [MessageConst.RETRY_TOPIC]: known(MessageConst.RETRY_TOPIC) ?? normalTopic,
              [MessageConst.ORIGIN_MESSAGE_ID]: known(MessageConst.ORIGIN_MESSAGE_ID) ?? origin,
            })
          : isDeadLetter
            ? record.properties
            : properties,
    },
  };
}
