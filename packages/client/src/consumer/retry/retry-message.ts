/**
 * The message a consumer itself sends to its group's retry topic when the broker did not take it back (RocketMQ:
 * DefaultMQPushConsumerImpl.sendMessageBackAsNormalMessage, ConsumeMessageOrderlyService.sendMessageBack): the same
 * body and properties, and what the broker would have noted. Pure.
 *
 *   RETRY_TOPIC          the topic it came from
 *   ORIGIN_MESSAGE_ID    its first id
 *   DELAY                3 + earlier retries, or the level asked for
 *   ORBITMQ_FAILURE      what the listener said, when it did
 *   reconsumeTimes       one more than before       (in the request)
 *   maxReconsumeTimes    the consumer's limit       (in the request)
 */
import {
  COMPRESSION_MASK,
  formatProperties,
  MessageConst,
  type MessageRecord,
  MessageSysFlag,
  OrbitProperty,
  parseProperties,
} from "@orbitmq/wire";
import { retryTopicOf } from "../../names/names.ts";
import type { EncodedMessage } from "../../producer/encode-message.ts";
import { messageIdOf, topicOf } from "../queue/pulled-record.ts";

/** The level of a first retry: 10 s. */
export const FIRST_RETRY_LEVEL = 3;

/** What belongs to the record's former place, or is written anew. */
const LEFT_BEHIND = [
  MessageConst.CRC32,
  MessageConst.TRANSACTION_PREPARED,
  MessageConst.DELAY_TIME_LEVEL,
  MessageConst.RECONSUME_TIME,
  MessageConst.MAX_RECONSUME_TIMES,
] as const;

/** `times`: how often it failed before. `delayLevel` above 0 counts instead of 3 + `times`. */
export function retryMessage(
  record: MessageRecord,
  group: string,
  times: number,
  maxReconsumeTimes: number,
  delayLevel: number,
  failure?: string,
): EncodedMessage {
  const properties = parseProperties(record.properties);
  for (const name of LEFT_BEHIND) properties.delete(name);
  const msgId = messageIdOf(record);
  properties.set(MessageConst.RETRY_TOPIC, topicOf(record));
  if (!properties.has(MessageConst.ORIGIN_MESSAGE_ID)) properties.set(MessageConst.ORIGIN_MESSAGE_ID, msgId);
  const level = delayLevel > 0 ? delayLevel : FIRST_RETRY_LEVEL + times;
  properties.set(MessageConst.DELAY_TIME_LEVEL, String(level));
  if (failure !== undefined) properties.set(OrbitProperty.FAILURE, failure);
  return {
    topic: retryTopicOf(group),
    body: record.body,
    properties: formatProperties(properties),
    sysFlag: record.sysFlag & (MessageSysFlag.COMPRESSED | COMPRESSION_MASK),
    flag: record.flag,
    msgId,
    isBatch: false,
    reconsumeTimes: times + 1,
    maxReconsumeTimes,
  };
}
