/** Which handler answers which request of an administrator about the broker as a whole; and what is refused in words. */
import { RequestCode, type RequestHandler } from "@orbitmq/wire";
import { type BrokerConfigNeeds, getBrokerConfig, updateBrokerConfig } from "./handlers/broker-config.ts";
import { deleteSubscriptionGroupList } from "./handlers/delete-subscription-group-list.ts";
import type { DeleteSubscriptionGroupNeeds } from "./handlers/delete-subscriptiongroup.ts";
import {
  cleanUnusedTopic,
  type DeleteTopicNeeds,
  deleteTopicInBroker,
  deleteTopicInBrokerList,
} from "./handlers/delete-topic-in-broker.ts";
import { getAllConsumerOffset, getAllDelayOffset } from "./handlers/get-all-offsets.ts";
import { type GetAllProducerInfoNeeds, getAllProducerInfo } from "./handlers/get-all-producer-info.ts";
import { getBrokerHaStatus } from "./handlers/get-broker-ha-status.ts";
import {
  type GetSystemTopicListNeeds,
  getSystemTopicListFromBroker,
} from "./handlers/get-system-topic-list-from-broker.ts";
import { type GetTimerCheckPointNeeds, getTimerCheckPoint } from "./handlers/get-timer-check-point.ts";
import { notSupported } from "./handlers/not-supported.ts";
import { type QueryConsumeQueueNeeds, queryConsumeQueue } from "./handlers/query-consume-queue.ts";
import type { UpdateAndCreateTopicNeeds } from "./handlers/update-and-create-topic.ts";
import { updateAndCreateTopicList } from "./handlers/update-and-create-topic-list.ts";
import type { ScheduleService } from "./schedule/schedule-service.ts";

export type AdminParts = DeleteSubscriptionGroupNeeds &
  DeleteTopicNeeds &
  BrokerConfigNeeds &
  GetAllProducerInfoNeeds &
  GetSystemTopicListNeeds &
  GetTimerCheckPointNeeds &
  QueryConsumeQueueNeeds &
  UpdateAndCreateTopicNeeds & { readonly schedule: Pick<ScheduleService, "text"> };

export function adminRequestHandlers(parts: AdminParts): readonly (readonly [number, RequestHandler])[] {
  return [
    ...notSupported(),
    [RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, updateAndCreateTopicList(parts)],
    [RequestCode.UPDATE_BROKER_CONFIG, updateBrokerConfig(parts)],
    [RequestCode.GET_BROKER_CONFIG, getBrokerConfig(parts)],
    [RequestCode.DELETE_TOPIC_IN_BROKER, deleteTopicInBroker(parts)],
    [RequestCode.DELETE_TOPIC_IN_BROKER_LIST, deleteTopicInBrokerList(parts)],
    [RequestCode.CLEAN_UNUSED_TOPIC, cleanUnusedTopic(parts)],
    [RequestCode.DELETE_SUBSCRIPTION_GROUP_LIST, deleteSubscriptionGroupList(parts)],
    [RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, getSystemTopicListFromBroker(parts)],
    [RequestCode.GET_ALL_PRODUCER_INFO, getAllProducerInfo(parts)],
    [RequestCode.GET_ALL_CONSUMER_OFFSET, getAllConsumerOffset(parts)],
    [RequestCode.GET_ALL_DELAY_OFFSET, getAllDelayOffset(parts)],
    [RequestCode.GET_TIMER_CHECK_POINT, getTimerCheckPoint(parts)],
    [RequestCode.GET_BROKER_HA_STATUS, getBrokerHaStatus(parts)],
    [RequestCode.QUERY_CONSUME_QUEUE, queryConsumeQueue(parts)],
  ];
}
