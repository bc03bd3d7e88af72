/**
 * CONSUME_MESSAGE_DIRECTLY (309): has one consumer consume one message, passed on with the message's record. 1
 * when there is no such message or consumer, 207 when the consumer does not answer.
 */
import type { MessageStore } from "@orbitmq/store";
import {
  consumeMessageDirectlyRequestHeader,
  decodeOffsetMessageId,
  Refusal,
  RequestCode,
  type RequestHandler,
  ResponseCode,
  readRecord,
  WireError,
} from "@orbitmq/wire";
import { callConsumer, fieldsOf } from "../calling/call-consumer.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import { isNotAllowedSendTopic } from "../names.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface ConsumeMessageDirectlyNeeds {
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly consumers: ConsumerGroups;
  readonly brokerName: string;
}

export function consumeMessageDirectly(needs: ConsumeMessageDirectlyNeeds): RequestHandler {
  const { store, topics, groups, consumers, brokerName } = needs;
  return (request, exchange) => {
    const header = consumeMessageDirectlyRequestHeader.decode(request.ext);
    const { consumerGroup: group, clientId = "", msgId = "" } = header;
    const position = positionOf(msgId);
    const ext = fieldsOf(request);
    ext.set("brokerName", brokerName);
    const topic = header.topic === undefined ? undefined : topics.get(header.topic);
    if (topic !== undefined) ext.set("topicSysFlag", String(topic.topicSysFlag));
    const groupSysFlag = groups.get(group)?.groupSysFlag;
    if (groupSysFlag !== undefined) ext.set("groupSysFlag", String(groupSysFlag));
    store.recordAt(position, (body) => {
      if (body === undefined || isNotAllowedSendTopic(topicOf(body))) {
        exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark: `there is no message ${msgId}` });
        return;
      }
      callConsumer(
        consumers,
        { code: RequestCode.CONSUME_MESSAGE_DIRECTLY, group, clientId, ext, body },
        exchange,
      );
    });
  };
}

function positionOf(msgId: string): number {
  try {
    return decodeOffsetMessageId(msgId).physicalOffset;
  } catch (error) {
    if (error instanceof WireError) throw new Refusal(ResponseCode.SYSTEM_ERROR, error.message);
    throw error;
  }
}

function topicOf(record: Uint8Array): string {
  return readRecord(Buffer.from(record.buffer, record.byteOffset, record.length)).topic;
}
