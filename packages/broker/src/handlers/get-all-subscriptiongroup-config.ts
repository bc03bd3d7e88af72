/**
 * GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201): all consumer groups of this broker; in pages when the client asks for
 * pages and names the version of those it already has.
 */
import {
  encodeFastjson,
  type GetAllSubscriptionGroupRequestHeader,
  getAllSubscriptionGroupRequestHeader,
  getAllSubscriptionGroupResponseHeader,
  parseDataVersion,
  type RequestHandler,
  ResponseCode,
  sameDataVersion,
} from "@orbitmq/wire";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import { subscriptionGroupConfigToJson } from "../consumer-groups/subscription-group-config.ts";
import type { SubscriptionGroups } from "../consumer-groups/subscription-groups.ts";

/** RocketMQ: splitMetadataSize. */
const PAGE_MAX = 2_000;

export function getAllSubscriptionGroupConfig({
  groups: registry,
}: {
  groups: GroupRegistry;
}): RequestHandler {
  const { groups } = registry;
  return (request, exchange) => {
    const header = getAllSubscriptionGroupRequestHeader.decode(request.ext);
    const isPaged = header.maxGroupNum !== undefined;
    const names = isPaged ? page(groups, header) : [...groups.table.keys()];
    const forbiddenTable = new Map<string, ReadonlyMap<string, number>>();
    const subscriptionGroupTable = new Map<string, object>();
    for (const name of names) {
      subscriptionGroupTable.set(name, subscriptionGroupConfigToJson(groups.table.get(name)!));
      const forbidden = groups.forbidden.get(name);
      if (forbidden !== undefined) forbiddenTable.set(name, forbidden);
    }
    const body = { dataVersion: groups.dataVersion, forbiddenTable, subscriptionGroupTable };
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => getAllSubscriptionGroupResponseHeader.encode({ totalGroupNum: groups.size }, sink),
      body: [encodeFastjson(body)],
    });
  };
}

/** From `groupSeq` in the order of names; from the start when the table has changed since the first page. */
function page(groups: SubscriptionGroups, header: GetAllSubscriptionGroupRequestHeader): string[] {
  const { dataVersion, groupSeq = 0, maxGroupNum = PAGE_MAX } = header;
  const unchanged =
    dataVersion !== undefined && sameDataVersion(parseDataVersion(dataVersion), groups.dataVersion);
  const start = unchanged ? Math.max(0, groupSeq) : 0;
  const count = Math.max(1, Math.min(maxGroupNum, PAGE_MAX));
  return [...groups.table.keys()].sort().slice(start, start + count);
}
