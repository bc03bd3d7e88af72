/** DELETE_SUBSCRIPTION_GROUP_LIST (5003): several groups, as 207 does it for one; 29 when none is named. */
import {
  parseDeleteSubscriptionGroupListBody,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { DeleteSubscriptionGroupNeeds } from "./delete-subscriptiongroup.ts";

export function deleteSubscriptionGroupList({
  groups,
  offsets,
}: DeleteSubscriptionGroupNeeds): RequestHandler {
  return (request, exchange) => {
    const { groupNameList, cleanOffset } = parseDeleteSubscriptionGroupListBody(request.body);
    if (groupNameList.length === 0)
      throw new Refusal(ResponseCode.INVALID_PARAMETER, "the list of groups is empty");
    for (const group of groupNameList) {
      groups.delete(group);
      if (cleanOffset) offsets.forget(group);
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
