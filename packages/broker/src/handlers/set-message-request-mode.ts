/**
 * SET_MESSAGE_REQUEST_MODE (401): whether a group pulls or pops a topic; members hear of it when they ask for their
 * queues the next time. Answered once it is kept.
 *
 *   16  a retry topic        17  no such topic        26  no such group        1  it could not be kept
 */
import { parseMessageRequestMode, Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { RequestModes } from "../assignment/request-modes.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import { isRetryTopic } from "../names.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface SetMessageRequestModeNeeds {
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly requestModes: RequestModes;
}

export function setMessageRequestMode({
  topics,
  groups,
  requestModes,
}: SetMessageRequestModeNeeds): RequestHandler {
  return (request, exchange) => {
    const setting = parseMessageRequestMode(request.body);
    const { topic, consumerGroup } = setting;
    if (isRetryTopic(topic)) {
      throw new Refusal(ResponseCode.NO_PERMISSION, "retry topic is not allowed to set mode");
    }
    if (topics.get(topic) === undefined) {
      throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
    }
    if (groups.find(consumerGroup) === undefined) {
      throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, "subscription group does not exist");
    }
    requestModes.set(setting, (error) => {
      if (error === undefined) exchange.reply({ code: ResponseCode.SUCCESS });
      else {
        exchange.reply({
          code: ResponseCode.SYSTEM_ERROR,
          remark: `the mode counts, but could not be kept (${error.code})`,
        });
      }
    });
  };
}
