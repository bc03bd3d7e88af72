/** GET_SUBSCRIPTIONGROUP_CONFIG (352): one consumer group, made on the way if it may be; else 26. */
import {
  encodeFastjson,
  getSubscriptionGroupConfigRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import { subscriptionGroupConfigToJson } from "../consumer-groups/subscription-group-config.ts";

export function getSubscriptionGroupConfig({ groups }: { groups: GroupRegistry }): RequestHandler {
  return (request, exchange) => {
    const { group } = getSubscriptionGroupConfigRequestHeader.decode(request.ext);
    const config = groups.find(group);
    if (config === undefined) {
      throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `No group in this broker: ${group}`);
    }
    exchange.reply({
      code: ResponseCode.SUCCESS,
      body: [encodeFastjson(subscriptionGroupConfigToJson(config))],
    });
  };
}
