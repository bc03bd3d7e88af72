/**
 * POP_MESSAGE (200050): messages of a topic that nobody else gets for a while (see popping/pop-run). RocketMQ's checks
 * in their order:
 *
 *   16  the broker is not readable        29  more than 32 messages are asked for, or none; no such queue; a time of
 *       invisibility that is negative or longer than popInvisibleTimeMillisMax
 *   17  no such topic        16  the topic is not readable
 *   26  no such group        16  the group may not consume        23  a bad expression        1  only tags are filtered by
 *
 * Nothing in time: 210; too many wait: 209; the store takes no checkpoints: 2 or 14.
 */
import {
  isReadable,
  isTagType,
  matchesTagsCode,
  newSubscriptionData,
  type PopMessageRequestHeader,
  popMessageRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
  SUB_ALL,
  WireError,
} from "@orbitmq/wire";
import { BrokerError } from "../broker-error.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";
import type { PopFilter } from "../popping/pop-run.ts";
import type { PopService } from "../popping/pop-service.ts";
import { CHECK_POINT_MESSAGES_MAX } from "../popping/revive-records.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { noFilter } from "./check-client-config.ts";

export interface PopMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly filters: FilterRegistry;
  readonly popping: PopService;
}

export function popMessage(needs: PopMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = popMessageRequestHeader.decode(request.ext);
    const { options, popping } = needs;
    checkBrokerReadable(options, "pop message is forbidden");
    checkCount(options, header.maxMsgNums);
    checkInvisibleTime(options, header.invisibleTime);
    checkPopTarget(needs, header);
    popping.pop(header, exchange, popFilter(needs, header));
  };
}

export function checkBrokerReadable(
  { brokerPermission, brokerName }: ResolvedBrokerOptions,
  what: string,
): void {
  if (isReadable(brokerPermission)) return;
  throw new Refusal(ResponseCode.NO_PERMISSION, `the broker[${brokerName}] ${what}`);
}

export function checkCount({ brokerName }: ResolvedBrokerOptions, count: number): void {
  if (count > 0 && count <= CHECK_POINT_MESSAGES_MAX) return;
  throw new Refusal(
    ResponseCode.INVALID_PARAMETER,
    `the broker[${brokerName}] pop message's num is ${count}, not 1 to ${CHECK_POINT_MESSAGES_MAX}`,
  );
}

export function checkInvisibleTime(options: ResolvedBrokerOptions, invisibleTime: number): void {
  const { popInvisibleTimeMillisMax } = options;
  if (invisibleTime >= 0 && invisibleTime <= popInvisibleTimeMillisMax) return;
  throw new Refusal(
    ResponseCode.INVALID_PARAMETER,
    `invisibleTime[${invisibleTime}] is illegal: 0 to ${popInvisibleTimeMillisMax} ms`,
  );
}

/** Topic, queue and group, as POP, PEEK and NOTIFICATION name them. */
export function checkPopTarget(
  { topics, groups }: Pick<PopMessageNeeds, "topics" | "groups">,
  asked: Pick<PopMessageRequestHeader, "topic" | "queueId" | "consumerGroup">,
): void {
  const { topic, queueId, consumerGroup } = asked;
  const config = topics.get(topic);
  if (config === undefined) {
    throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist, apply first please!`);
  }
  if (!isReadable(config.perm)) {
    throw new Refusal(ResponseCode.NO_PERMISSION, `the topic[${topic}] peeking message is forbidden`);
  }
  if (queueId >= config.readQueueNums) {
    throw new Refusal(
      ResponseCode.INVALID_PARAMETER,
      `queueId[${queueId}] is illegal, topic:[${topic}] topicConfig.readQueueNums:[${config.readQueueNums}]`,
    );
  }
  const group = groups.find(consumerGroup);
  if (group === undefined) {
    throw new Refusal(
      ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
      `subscription group [${consumerGroup}] does not exist`,
    );
  }
  if (!group.consumeEnable) {
    throw new Refusal(ResponseCode.NO_PERMISSION, `subscription group no permission, ${consumerGroup}`);
  }
}

/** What a pop or a notification asks for; `undefined`: everything. */
export function popFilter(
  { filters, options }: Pick<PopMessageNeeds, "filters" | "options">,
  { topic, exp, expType }: Pick<PopMessageRequestHeader, "topic" | "exp" | "expType">,
): PopFilter {
  if (exp === undefined || exp === SUB_ALL) return undefined;
  if (isTagType(expType)) {
    try {
      const subscription = newSubscriptionData(topic, exp, 0, expType);
      return (tagsCode) => matchesTagsCode(subscription, tagsCode);
    } catch (error) {
      if (error instanceof WireError) throw unparsed(error.message);
      throw error;
    }
  }
  const compiled = filters.compile(expType ?? "", exp);
  if (compiled instanceof BrokerError) throw unparsed(compiled.message);
  if (!options.enablePropertyFilter) throw noFilter(expType ?? "");
  return compiled;
}

function unparsed(why: string): Refusal {
  return new Refusal(
    ResponseCode.SUBSCRIPTION_PARSE_FAILED,
    `parse the consumer's subscription failed: ${why}`,
  );
}
