/** Which handler answers which request code; every other code is answered 3 REQUEST_CODE_NOT_SUPPORTED. */
import { RequestCode, type RequestHandler, updateAndCreateTopicRequestHeader } from "@orbitmq/wire";
import { type AdminParts, adminRequestHandlers } from "./admin-request-handlers.ts";
import { type GroupParts, groupRequestHandlers } from "./group-request-handlers.ts";
import { cleanExpiredConsumeQueue } from "./handlers/clean-expired-consumequeue.ts";
import { type ConsumerSendMsgBackNeeds, consumerSendMsgBack } from "./handlers/consumer-send-msg-back.ts";
import { deleteExpiredCommitLog } from "./handlers/delete-expired-commitlog.ts";
import { type EndTransactionNeeds, endTransaction } from "./handlers/end-transaction.ts";
import { getAllTopicConfig } from "./handlers/get-all-topic-config.ts";
import { type GetBrokerRuntimeInfoNeeds, getBrokerRuntimeInfo } from "./handlers/get-broker-runtime-info.ts";
import { getConsumerListByGroup } from "./handlers/get-consumer-list-by-group.ts";
import { getMaxOffset } from "./handlers/get-max-offset.ts";
import {
  type GetMessageWhereaboutsNeeds,
  getMessageWhereabouts,
} from "./handlers/get-message-whereabouts.ts";
import { getMinOffset } from "./handlers/get-min-offset.ts";
import { getSubscriptionGroupConfig } from "./handlers/get-subscriptiongroup-config.ts";
import { getTopicConfig } from "./handlers/get-topic-config.ts";
import { type GetTopicStatsInfoNeeds, getTopicStatsInfo } from "./handlers/get-topic-stats-info.ts";
import { type HeartBeatNeeds, heartBeat } from "./handlers/heart-beat.ts";
import { lockBatchMq } from "./handlers/lock-batch-mq.ts";
import { type PullMessageNeeds, pullMessage } from "./handlers/pull-message.ts";
import { type QueryConsumerOffsetNeeds, queryConsumerOffset } from "./handlers/query-consumer-offset.ts";
import { queryMessage } from "./handlers/query-message.ts";
import { type RecallMessageNeeds, recallMessage } from "./handlers/recall-message.ts";
import {
  type ResumeCheckHalfMessageNeeds,
  resumeCheckHalfMessage,
} from "./handlers/resume-check-half-message.ts";
import { searchOffsetByTimestamp } from "./handlers/search-offset-by-timestamp.ts";
import { type SendMessageNeeds, sendMessage } from "./handlers/send-message.ts";
import { type SendReplyMessageNeeds, sendReplyMessage } from "./handlers/send-reply-message.ts";
import { timedCreation } from "./handlers/timed-creation.ts";
import { unlockBatchMq } from "./handlers/unlock-batch-mq.ts";
import { type UnregisterClientNeeds, unregisterClient } from "./handlers/unregister-client.ts";
import { type UpdateAndCreateTopicNeeds, updateAndCreateTopic } from "./handlers/update-and-create-topic.ts";
import { type UpdateConsumerOffsetNeeds, updateConsumerOffset } from "./handlers/update-consumer-offset.ts";
import { viewMessageById } from "./handlers/view-message-by-id.ts";
import { type PopParts, popRequestHandlers } from "./pop-request-handlers.ts";
import { isSystemTopic } from "./topics/system-topics.ts";

/** All that handlers need; each takes its own part. */
export type BrokerParts = SendMessageNeeds &
  ConsumerSendMsgBackNeeds &
  SendReplyMessageNeeds &
  PullMessageNeeds &
  QueryConsumerOffsetNeeds &
  UpdateConsumerOffsetNeeds &
  HeartBeatNeeds &
  UnregisterClientNeeds &
  UpdateAndCreateTopicNeeds &
  GetTopicStatsInfoNeeds &
  GetBrokerRuntimeInfoNeeds &
  RecallMessageNeeds &
  GetMessageWhereaboutsNeeds &
  EndTransactionNeeds &
  ResumeCheckHalfMessageNeeds &
  PopParts &
  AdminParts &
  GroupParts;

export function requestHandlers(parts: BrokerParts): ReadonlyMap<number, RequestHandler> {
  const send = sendMessage(parts);
  const pull = pullMessage(parts);
  const reply = sendReplyMessage(parts);
  return new Map<number, RequestHandler>([
    [RequestCode.SEND_MESSAGE, send],
    [RequestCode.SEND_MESSAGE_V2, send],
    [RequestCode.SEND_BATCH_MESSAGE, send],
    [RequestCode.SEND_REPLY_MESSAGE, reply],
    [RequestCode.SEND_REPLY_MESSAGE_V2, reply],
    [RequestCode.RECALL_MESSAGE, recallMessage(parts)],
    [RequestCode.CONSUMER_SEND_MSG_BACK, consumerSendMsgBack(parts)],
    [RequestCode.END_TRANSACTION, endTransaction(parts)],
    [RequestCode.RESUME_CHECK_HALF_MESSAGE, resumeCheckHalfMessage(parts)],
    [RequestCode.LOCK_BATCH_MQ, lockBatchMq(parts)],
    [RequestCode.UNLOCK_BATCH_MQ, unlockBatchMq(parts)],
    [RequestCode.PULL_MESSAGE, pull],
    [RequestCode.LITE_PULL_MESSAGE, pull],
    [RequestCode.QUERY_CONSUMER_OFFSET, queryConsumerOffset(parts)],
    [RequestCode.UPDATE_CONSUMER_OFFSET, updateConsumerOffset(parts)],
    [RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, searchOffsetByTimestamp(parts)],
    [RequestCode.GET_MAX_OFFSET, getMaxOffset(parts)],
    [RequestCode.GET_MIN_OFFSET, getMinOffset(parts)],
    [RequestCode.QUERY_MESSAGE, queryMessage(parts)],
    [RequestCode.VIEW_MESSAGE_BY_ID, viewMessageById(parts)],
    [RequestCode.GET_MESSAGE_WHEREABOUTS, getMessageWhereabouts(parts)],
    [RequestCode.HEART_BEAT, heartBeat(parts)],
    [RequestCode.UNREGISTER_CLIENT, unregisterClient(parts)],
    [RequestCode.GET_CONSUMER_LIST_BY_GROUP, getConsumerListByGroup(parts)],
    [
      RequestCode.UPDATE_AND_CREATE_TOPIC,
      timedCreation(updateAndCreateTopic(parts), {
        clock: parts.clock,
        counts: parts.stats.counted.topicCreations,
        isSystem: ({ ext }) =>
          isSystemTopic(updateAndCreateTopicRequestHeader.decode(ext).topic, parts.options),
      }),
    ],
    [RequestCode.GET_TOPIC_STATS_INFO, getTopicStatsInfo(parts)],
    [RequestCode.GET_ALL_TOPIC_CONFIG, getAllTopicConfig(parts)],
    [RequestCode.GET_BROKER_RUNTIME_INFO, getBrokerRuntimeInfo(parts)],
    [RequestCode.GET_TOPIC_CONFIG, getTopicConfig(parts)],
    [RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, cleanExpiredConsumeQueue(parts)],
    [RequestCode.DELETE_EXPIRED_COMMITLOG, deleteExpiredCommitLog(parts)],
    [RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, getSubscriptionGroupConfig(parts)],
    ...popRequestHandlers(parts),
    ...adminRequestHandlers(parts),
    ...groupRequestHandlers(parts),
  ]);
}
