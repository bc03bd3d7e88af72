/**
 * Topics go with their messages and offsets: from every master of the cluster (several 5002, one 215), then, when all
 * have forgotten them, from every NameServer (216).
 */
import {
  deleteTopicInBrokerRequestHeader,
  deleteTopicInNamesrvRequestHeader,
  encodeDeleteTopicListBody,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { checkTopic } from "../names/names.ts";
import type { BrokerTarget } from "./admin-types.ts";
import { changeEach } from "./ask-each.ts";
import { mastersOf, nameServersOf } from "./servers.ts";
import { checkedNames, oneByOne, severalAtOnce } from "./several-at-once.ts";

export interface DeletedTopic {
  readonly topic: string;
  /** Brokers that had it, or were asked to forget it, by name, sorted. */
  readonly brokers: readonly string[];
}

/** On one broker only when one is named; NameServers then keep the topics for the others. */
export async function deleteTopics(
  instance: ClientInstance,
  names: readonly string[],
  target: BrokerTarget,
): Promise<readonly DeletedTopic[]> {
  const topics = checkedNames("topic", names, checkTopic);
  const done = await changeEach(await mastersOf(instance, target), (address) =>
    severalAtOnce(topics, {
      ask: (request) => instance.ask(address, request, () => undefined),
      all: (list) => ({
        code: RequestCode.DELETE_TOPIC_IN_BROKER_LIST,
        body: [encodeDeleteTopicListBody(list)],
      }),
      one: (topic) => ({
        code: RequestCode.DELETE_TOPIC_IN_BROKER,
        header: (sink) => deleteTopicInBrokerRequestHeader.encode({ topic }, sink),
      }),
    }),
  );
  const { broker, cluster: clusterName } = target;
  if (broker === undefined)
    await changeEach(nameServersOf(instance), (address) =>
      oneByOne(topics, (topic) =>
        instance.ask(
          address,
          {
            code: RequestCode.DELETE_TOPIC_IN_NAMESRV,
            header: (sink) => deleteTopicInNamesrvRequestHeader.encode({ topic, clusterName }, sink),
          },
          () => undefined,
        ),
      ),
    );
  const brokers = done.map(({ server }) => server);
  return topics.map((topic) => ({ topic, brokers }));
}

export async function deleteTopic(
  instance: ClientInstance,
  topic: string,
  target: BrokerTarget,
): Promise<DeletedTopic> {
  const [deleted] = await deleteTopics(instance, [topic], target);
  return deleted!;
}
