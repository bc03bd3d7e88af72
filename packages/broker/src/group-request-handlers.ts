/** Which handler answers which request about groups: who is online, how far they are, what an administrator sets. */
import { RequestCode, type RequestHandler } from "@orbitmq/wire";
import type { ProducerGroups } from "./consumer-groups/producer-groups.ts";
import { type CheckClientConfigNeeds, checkClientConfig } from "./handlers/check-client-config.ts";
import { type CloneGroupOffsetNeeds, cloneGroupOffset } from "./handlers/clone-group-offset.ts";
import {
  type ConsumeMessageDirectlyNeeds,
  consumeMessageDirectly,
} from "./handlers/consume-message-directly.ts";
import {
  type DeleteSubscriptionGroupNeeds,
  deleteSubscriptionGroup,
} from "./handlers/delete-subscriptiongroup.ts";
import { getAllSubscriptionGroupConfig } from "./handlers/get-all-subscriptiongroup-config.ts";
import {
  type GetBrokerConsumeStatsNeeds,
  getBrokerConsumeStats,
} from "./handlers/get-broker-consume-stats.ts";
import { getConsumeStats } from "./handlers/get-consume-stats.ts";
import { getConsumerConnectionList } from "./handlers/get-consumer-connection-list.ts";
import { getConsumerRunningInfo } from "./handlers/get-consumer-running-info.ts";
import { getEarliestMsgStoretime } from "./handlers/get-earliest-msg-storetime.ts";
import { getProducerConnectionList } from "./handlers/get-producer-connection-list.ts";
import { invokeBrokerToGetConsumerStatus } from "./handlers/invoke-broker-to-get-consumer-status.ts";
import {
  type InvokeBrokerToResetOffsetNeeds,
  invokeBrokerToResetOffset,
} from "./handlers/invoke-broker-to-reset-offset.ts";
import { type QueryConsumeTimeSpanNeeds, queryConsumeTimeSpan } from "./handlers/query-consume-time-span.ts";
import { querySubscriptionByConsumer } from "./handlers/query-subscription-by-consumer.ts";
import {
  type QueryTopicConsumeByWhoNeeds,
  queryTopicConsumeByWho,
} from "./handlers/query-topic-consume-by-who.ts";
import {
  type QueryTopicsByConsumerNeeds,
  queryTopicsByConsumer,
} from "./handlers/query-topics-by-consumer.ts";
import { timedCreation } from "./handlers/timed-creation.ts";
import {
  type UpdateAndCreateSubscriptionGroupNeeds,
  updateAndCreateSubscriptionGroup,
} from "./handlers/update-and-create-subscriptiongroup.ts";
import { updateAndCreateSubscriptionGroupList } from "./handlers/update-and-create-subscriptiongroup-list.ts";
import {
  type UpdateAndGetGroupForbiddenNeeds,
  updateAndGetGroupForbidden,
} from "./handlers/update-and-get-group-forbidden.ts";
import { viewBrokerStatsData } from "./handlers/view-broker-stats-data.ts";

export type GroupParts = CheckClientConfigNeeds &
  CloneGroupOffsetNeeds &
  ConsumeMessageDirectlyNeeds &
  InvokeBrokerToResetOffsetNeeds &
  DeleteSubscriptionGroupNeeds &
  GetBrokerConsumeStatsNeeds &
  QueryConsumeTimeSpanNeeds &
  QueryTopicConsumeByWhoNeeds &
  QueryTopicsByConsumerNeeds &
  UpdateAndCreateSubscriptionGroupNeeds &
  UpdateAndGetGroupForbiddenNeeds & { readonly producers: ProducerGroups };

export function groupRequestHandlers(parts: GroupParts): readonly (readonly [number, RequestHandler])[] {
  return [
    [RequestCode.GET_EARLIEST_MSG_STORETIME, getEarliestMsgStoretime(parts)],
    [
      RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
      timedCreation(updateAndCreateSubscriptionGroup(parts), {
        clock: parts.clock,
        counts: parts.stats.counted.groupCreations,
      }),
    ],
    [RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, updateAndCreateSubscriptionGroupList(parts)],
    [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, getAllSubscriptionGroupConfig(parts)],
    [RequestCode.DELETE_SUBSCRIPTIONGROUP, deleteSubscriptionGroup(parts)],
    [RequestCode.GET_CONSUMER_CONNECTION_LIST, getConsumerConnectionList(parts)],
    [RequestCode.GET_PRODUCER_CONNECTION_LIST, getProducerConnectionList(parts)],
    [RequestCode.GET_CONSUME_STATS, getConsumeStats(parts)],
    [RequestCode.GET_BROKER_CONSUME_STATS, getBrokerConsumeStats(parts)],
    [RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, queryTopicConsumeByWho(parts)],
    [RequestCode.QUERY_TOPICS_BY_CONSUMER, queryTopicsByConsumer(parts)],
    [RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, querySubscriptionByConsumer(parts)],
    [RequestCode.QUERY_CONSUME_TIME_SPAN, queryConsumeTimeSpan(parts)],
    [RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN, updateAndGetGroupForbidden(parts)],
    [RequestCode.CLONE_GROUP_OFFSET, cloneGroupOffset(parts)],
    [RequestCode.CHECK_CLIENT_CONFIG, checkClientConfig(parts)],
    [RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, invokeBrokerToResetOffset(parts)],
    [RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, invokeBrokerToGetConsumerStatus(parts)],
    [RequestCode.GET_CONSUMER_RUNNING_INFO, getConsumerRunningInfo(parts)],
    [RequestCode.CONSUME_MESSAGE_DIRECTLY, consumeMessageDirectly(parts)],
    [RequestCode.VIEW_BROKER_STATS_DATA, viewBrokerStatsData(parts)],
  ];
}
