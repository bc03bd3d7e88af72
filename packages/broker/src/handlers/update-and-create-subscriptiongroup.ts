/**
 * UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200): creates a consumer group or replaces its configuration; the body is
 * a SubscriptionGroupConfig. 29 for a bad name, bad counts and attributes; 1 when there are too many groups.
 */
import { parseJsonFile, Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import {
  type SubscriptionGroupConfig,
  subscriptionGroupConfigFromJson,
} from "../consumer-groups/subscription-group-config.ts";
import { groupNameProblem } from "../names.ts";

export interface UpdateAndCreateSubscriptionGroupNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly groups: GroupRegistry;
}

export function updateAndCreateSubscriptionGroup(
  needs: UpdateAndCreateSubscriptionGroupNeeds,
): RequestHandler {
  const { options, groups } = needs;
  return (request, exchange) => {
    const json = parseJsonFile(request.body, "SubscriptionGroupConfig");
    const config = checkedGroup(needs, subscriptionGroupConfigFromJson(json));
    if (groups.get(config.groupName) === undefined && groups.groups.size >= options.groupsMax) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `the broker has its ${options.groupsMax} groups`);
    }
    groups.put(config);
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}

/** The configuration, when it can be one. Throws Refusal 29. */
export function checkedGroup(
  { options }: UpdateAndCreateSubscriptionGroupNeeds,
  config: SubscriptionGroupConfig,
): SubscriptionGroupConfig {
  const problem = groupNameProblem(config.groupName) ?? configProblem(config, options.topicQueuesMax);
  if (problem !== undefined) throw new Refusal(ResponseCode.INVALID_PARAMETER, problem);
  return config;
}

function configProblem(config: SubscriptionGroupConfig, queuesMax: number): string | undefined {
  const { retryQueueNums, attributes } = config;
  if (retryQueueNums < 0 || retryQueueNums > queuesMax) {
    return `retryQueueNums is ${retryQueueNums}; it must be between 0 and ${queuesMax}`;
  }
  const [attribute] = Object.keys(attributes);
  return attribute === undefined ? undefined : `the attribute ${attribute} of a group is not supported yet`;
}
