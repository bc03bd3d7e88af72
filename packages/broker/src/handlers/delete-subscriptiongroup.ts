/**
 * DELETE_SUBSCRIPTIONGROUP (207): forgets a group's configuration and what it is forbidden, and its offsets if
 * wanted. A group that is unknown is deleted already.
 */
import { deleteSubscriptionGroupRequestHeader, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";

export interface DeleteSubscriptionGroupNeeds {
  readonly groups: GroupRegistry;
  readonly offsets: OffsetRegistry;
}

export function deleteSubscriptionGroup({ groups, offsets }: DeleteSubscriptionGroupNeeds): RequestHandler {
  return (request, exchange) => {
    const { groupName, cleanOffset, removeOffset } = deleteSubscriptionGroupRequestHeader.decode(request.ext);
    groups.delete(groupName);
    if (cleanOffset === true || removeOffset === true) offsets.forget(groupName);
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
