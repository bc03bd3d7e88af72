/**
 * What brokers take a group that is online to subscribe to of one topic (345), broker by broker: each keeps what the
 * member it heard of last wants, so where members want different things, brokers may differ, too.
 */
import {
  parseConsumerSubscription,
  querySubscriptionByConsumerRequestHeader,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import type { ServerFailure } from "../errors/errors.ts";
import { checkGroup } from "../names/names.ts";
import type { GroupSubscription } from "./admin-types.ts";
import { lookAtEach } from "./ask-each.ts";
import { mastersOfRoute } from "./servers.ts";
import { topicRoute } from "./topics.ts";

/** A group's subscription as one broker has it. */
export interface BrokerSubscription extends GroupSubscription {
  readonly brokerName: string;
  /** When a member made it, ms since the epoch by the member's clock. */
  readonly subVersion: number;
}

export interface ConsumerSubscription {
  readonly group: string;
  /** By broker. Empty: the group is not online, or does not subscribe to the topic. */
  readonly subscriptions: readonly BrokerSubscription[];
  readonly failures: readonly ServerFailure[];
}

export async function consumerSubscription(
  instance: ClientInstance,
  group: string,
  topic: string,
): Promise<ConsumerSubscription> {
  checkGroup(group);
  const route = await topicRoute(instance, topic);
  const { answers, failures } = await lookAtEach(mastersOfRoute(route), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER,
        header: (sink) => querySubscriptionByConsumerRequestHeader.encode({ group, topic }, sink),
      },
      ({ body }) => parseConsumerSubscription(body),
    ),
  );
  const subscriptions: BrokerSubscription[] = [];
  for (const { server: brokerName, value } of answers) {
    if (value === undefined) continue;
    const { expressionType, subString: expression, subVersion } = value;
    subscriptions.push({ brokerName, topic, expressionType, expression, subVersion });
  }
  return { group, subscriptions, failures };
}
