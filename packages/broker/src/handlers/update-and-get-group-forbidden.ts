/**
 * UPDATE_AND_GET_GROUP_FORBIDDEN (353): forbids a group to read a topic, or allows it again; its pulls are answered
 * 16 (forbiddenType 5) meanwhile. 26 for an unknown group, 17 for an unknown topic.
 */
import {
  encodeGroupForbidden,
  Refusal,
  type RequestHandler,
  ResponseCode,
  updateGroupForbiddenRequestHeader,
} from "@orbitmq/wire";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface UpdateAndGetGroupForbiddenNeeds {
  readonly groups: GroupRegistry;
  readonly topics: TopicRegistry;
}

export function updateAndGetGroupForbidden({
  groups,
  topics,
}: UpdateAndGetGroupForbiddenNeeds): RequestHandler {
  return (request, exchange) => {
    const { group, topic, readable } = updateGroupForbiddenRequestHeader.decode(request.ext);
    if (readable !== undefined) {
      if (groups.find(group) === undefined) {
        throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${group} not exist!`);
      }
      if (topics.get(topic) === undefined) {
        throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
      }
      groups.forbidReading(group, topic, !readable);
    }
    const isReadable = !groups.groups.isReadForbidden(group, topic);
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeGroupForbidden(group, topic, isReadable)] });
  };
}
