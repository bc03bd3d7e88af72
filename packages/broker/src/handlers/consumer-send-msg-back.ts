/**
 * CONSUMER_SEND_MSG_BACK (36): a message a consumer could not consume goes to its group's retry topic, by way of
 * a delay, or to its dead-letter topic. RocketMQ's checks in their order:
 *
 *   26  no such group
 *   16  the broker, or the retry topic, is not writable
 *    0  the group has no retry queues: nothing happens
 *    1  no such message; a message of the system's; the store takes no messages; too many topics
 *    1  ours: another message than the one that is named lies there, since a crash has taken what was not flushed;
 *       RocketMQ would send that one back. RocketMQ's consumers then send a copy of what they have themselves
 *
 * Answered once the message is as durable as an acknowledged send: the consumer counts it as done from then on.
 */
import type { Random } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import {
  type ConsumerSendMsgBackRequestHeader,
  consumerSendMsgBackRequestHeader,
  type Exchange,
  encodeOffsetMessageId,
  getProperty,
  isWritable,
  MessageConst,
  type MessageRecord,
  MQVersion,
  Refusal,
  type RemotingCommand,
  type RequestHandler,
  ResponseCode,
  readRecord,
  TopicSysFlag,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { SubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { isNotAllowedSendTopic, retryTopicOf } from "../names.ts";
import { DLQ_QUEUES, groupTopic } from "../retry/group-topics.ts";
import { retryPolicyOf } from "../retry/retry-policy.ts";
import { returnedMessage } from "../retry/returned-message.ts";
import { scheduledMessage } from "../schedule/scheduled-message.ts";
import { AppendReply } from "../sending/append-reply.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface ConsumerSendMsgBackNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly random: Random;
  readonly identity: BrokerIdentity;
  readonly stats: BrokerStats;
  readonly schedule: { readonly delaysMs: readonly number[] };
}

export function consumerSendMsgBack(needs: ConsumerSendMsgBackNeeds): RequestHandler {
  return (request, exchange) => {
    const header = consumerSendMsgBackRequestHeader.decode(request.ext);
    const group = needs.groups.find(header.group);
    if (group === undefined) {
      throw new Refusal(
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        `subscription group not exist, ${header.group}`,
      );
    }
    const { options, topics, store } = needs;
    if (!isWritable(options.brokerPermission)) {
      throw new Refusal(
        ResponseCode.NO_PERMISSION,
        `the broker[${options.brokerName}] sending message is forbidden`,
      );
    }
    if (group.retryQueueNums <= 0) {
      exchange.reply({ code: ResponseCode.SUCCESS });
      return;
    }
    const topicSysFlag = header.unitMode === true ? TopicSysFlag.UNIT_SUB : 0;
    const retryTopic = retryTopicOf(header.group);
    const topic = groupTopic(topics, options.topicsMax, retryTopic, group.retryQueueNums, topicSysFlag);
    if (topic === undefined) throw failed(`topic[${retryTopic}] not exist`);
    if (!isWritable(topic.perm)) {
      throw new Refusal(ResponseCode.NO_PERMISSION, `the topic[${retryTopic}] sending message is forbidden`);
    }
    const limit = limitOf(request, header, group);
    store.recordAt(header.offset, (bytes) => {
      const record =
        bytes === undefined
          ? undefined
          : readRecord(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      // A forged offset must not bring to light what is not for consumers.
      if (record === undefined || isNotAllowedSendTopic(record.topic)) {
        refuse(exchange, `look message by offset failed, ${header.offset}`);
      } else if (!isNamed(record, header.originMsgId)) {
        refuse(exchange, `look message by offset failed, ${header.offset}: it is not ${header.originMsgId}`);
      } else sendBack(needs, header, group, limit, record, exchange);
    });
  };
}

/** Whether a consumer may call the message so: by the id of its producer, by its place, or by its first place. */
function isNamed(record: MessageRecord, id: string | undefined): boolean {
  if (id === undefined || id === "") return true;
  const { properties, storeHost, physicalOffset } = record;
  return (
    id === getProperty(properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) ||
    id === encodeOffsetMessageId(storeHost, physicalOffset) ||
    id === getProperty(properties, MessageConst.ORIGIN_MESSAGE_ID)
  );
}

function limitOf(
  request: RemotingCommand,
  { maxReconsumeTimes }: ConsumerSendMsgBackRequestHeader,
  group: SubscriptionGroupConfig,
): number {
  const knowsLimit = request.version >= MQVersion.V3_4_9;
  return (knowsLimit ? maxReconsumeTimes : undefined) ?? group.retryMaxTimes;
}

function sendBack(
  needs: ConsumerSendMsgBackNeeds,
  header: ConsumerSendMsgBackRequestHeader,
  group: SubscriptionGroupConfig,
  maxReconsumeTimes: number,
  record: MessageRecord,
  exchange: Exchange,
): void {
  const { options, store, topics, random, identity, stats } = needs;
  const { delaysMs } = needs.schedule;
  const policy = retryPolicyOf(group.rest["groupRetryPolicy"]);
  const { message, isDeadLetter, delayLevel } = returnedMessage(record, identity.storeHost, {
    group: header.group,
    delayLevel: header.delayLevel,
    maxReconsumeTimes,
    policy,
    delaysMs,
    failure: header.failure,
  });
  const { topic } = message;
  if (isDeadLetter && groupTopic(topics, options.topicsMax, topic, DLQ_QUEUES, 0) === undefined) {
    refuse(exchange, `topic[${topic}] not exist`);
    return;
  }
  const queueId = isDeadLetter ? 0 : random.int(group.retryQueueNums);
  const placed = { ...message, queueId };
  const stored = isDeadLetter ? placed : scheduledMessage(placed, delayLevel, delaysMs.length);
  const durability = options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
  const result = store.append(stored, durability, new AppendReply(exchange, topics, topic));
  if (result.status === "refused") {
    stats.putFailed++;
    refuse(exchange, `${result.reason}: ${result.remark}`);
    return;
  }
  stats.put(1, result.byteCount, stored.topic);
  stats.returned(
    getProperty(message.properties, MessageConst.RETRY_TOPIC) ?? record.topic,
    header.group,
    isDeadLetter,
  );
}

function failed(remark: string): Refusal {
  return new Refusal(ResponseCode.SYSTEM_ERROR, remark);
}

function refuse(exchange: Exchange, remark: string): void {
  exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark });
}
