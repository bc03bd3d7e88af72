/**
 * QUERY_ASSIGNMENT (400): the broker allocates a topic's queues, on all brokers, to the members of a group that are
 * online here, and tells one of them what is its own and whether it pulls or pops (RocketMQ: QueryAssignmentProcessor).
 * Always 0; an answer without a list means that the member keeps what it has: the topic does not exist, nobody of the
 * group is online, the strategy is unknown. Retry topics are pulled.
 */
import {
  compareMessageQueues,
  encodeAssignments,
  type MessageQueue,
  type MessageQueueAssignment,
  type MessageRequestMode,
  parseQueryAssignmentBody,
  type QueryAssignmentBody,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { allocateForPop, strategies } from "../assignment/allocate.ts";
import type { RequestModes } from "../assignment/request-modes.ts";
import type { TopicQueues } from "../assignment/topic-queues.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import { isRetryTopic } from "../names.ts";

export interface QueryAssignmentNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly consumers: ConsumerGroups;
  readonly requestModes: RequestModes;
  readonly topicQueues: TopicQueues;
}

export function queryAssignment(needs: QueryAssignmentNeeds): RequestHandler {
  return (request, exchange) => {
    const body = parseQueryAssignmentBody(request.body);
    const { mode, popShareQueueNum } = modeOf(needs, body);
    needs.topicQueues.of(body.topic, (all) => {
      const queues = all === undefined ? undefined : allocated(needs, body, all, mode, popShareQueueNum);
      const assignments = queues?.map((messageQueue): MessageQueueAssignment => ({ messageQueue, mode }));
      exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeAssignments(assignments)] });
    });
  };
}

function modeOf(
  { requestModes, options }: QueryAssignmentNeeds,
  { topic, consumerGroup }: QueryAssignmentBody,
): { readonly mode: MessageRequestMode; readonly popShareQueueNum: number } {
  const chosen = requestModes.get(topic, consumerGroup);
  if (chosen !== undefined) return chosen;
  if (isRetryTopic(topic)) return { mode: "PULL", popShareQueueNum: 0 };
  return { mode: options.defaultMessageRequestMode, popShareQueueNum: options.defaultPopShareQueueNum };
}

function allocated(
  { options, consumers }: QueryAssignmentNeeds,
  { consumerGroup, clientId, messageModel, strategyName }: QueryAssignmentBody,
  all: readonly MessageQueue[],
  mode: MessageRequestMode,
  popShareQueueNum: number,
): readonly MessageQueue[] | undefined {
  if (messageModel === "BROADCASTING" || !options.serverLoadBalancerEnable) return all;
  const members = consumers.clientIds(consumerGroup).sort();
  const allocate = strategies.get(strategyName);
  if (members.length === 0 || allocate === undefined) return undefined;
  const index = members.indexOf(clientId);
  const queues = [...all].sort(compareMessageQueues);
  const memberCount = members.length;
  if (queues.length === 0) return [];
  if (mode === "POP" && (popShareQueueNum <= 0 || popShareQueueNum >= memberCount - 1 || index >= 0)) {
    return allocateForPop(allocate, { queues, memberCount, index, popShareQueueNum });
  }
  return index < 0 ? [] : allocate(queues, memberCount, index);
}
