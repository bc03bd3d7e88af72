/**
 * UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST (225): many consumer groups at once, all or none; the body is
 * {"groupConfigList":[SubscriptionGroupConfig]}. Refused as 200 is.
 */
import { parseJsonFile, Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import { subscriptionGroupConfigFromJson } from "../consumer-groups/subscription-group-config.ts";
import {
  checkedGroup,
  type UpdateAndCreateSubscriptionGroupNeeds,
} from "./update-and-create-subscriptiongroup.ts";

export function updateAndCreateSubscriptionGroupList(
  needs: UpdateAndCreateSubscriptionGroupNeeds,
): RequestHandler {
  const { groups, options } = needs;
  return (request, exchange) => {
    const list = parseJsonFile(request.body, "SubscriptionGroupList").objectList("groupConfigList");
    const configs = list.map((json) => checkedGroup(needs, subscriptionGroupConfigFromJson(json)));
    const added = new Set(
      configs.map(({ groupName }) => groupName).filter((name) => groups.get(name) === undefined),
    );
    if (groups.groups.size + added.size > options.groupsMax) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `the broker may have ${options.groupsMax} groups`);
    }
    for (const config of configs) groups.put(config);
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
