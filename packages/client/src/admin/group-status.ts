/**
 * What `orbitmq group status` shows: who is in a group and what each member subscribes to (203, 307), and how far the
 * group is (208), put together from all masters. A member that does not answer is shown without what only it knows.
 *
 * Members of one group must subscribe to the same: queues are divided among them whatever they want, and a message
 * that reaches a member which does not want it counts as consumed.
 */
import {
  type ConsumeOffset,
  type ConsumerConnection,
  type ConsumerRunningInfo,
  compareMessageQueues,
  getConsumeStatsRequestHeader,
  mqVersionName,
  parseConsumeStats,
  RequestCode,
  type SubscriptionData,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { queueKey } from "../connection/topic-queues.ts";
import { RETRY_PREFIX } from "../names/names.ts";
import type { GroupMember, GroupStatus, GroupSubscription } from "./admin-types.ts";
import { lookAtEach } from "./ask-each.ts";
import { connectionsAt, runningInfoAt } from "./consumers.ts";
import type { Server } from "./servers.ts";

interface Answers {
  readonly address: string;
  readonly online: ConsumerConnection | undefined;
  readonly offsets: readonly ConsumeOffset[];
  readonly consumeTps: number;
}

export async function groupStatus(
  instance: ClientInstance,
  masters: readonly Server[],
  group: string,
): Promise<GroupStatus> {
  const asked = await lookAtEach(masters, (address, server) => ask(instance, address, server, group));
  const answers = asked.answers.map(({ value }) => value);
  const members = await Promise.all(
    [...connectionsOf(answers)].map(([, { address, connection }]) =>
      member(instance, address, group, connection),
    ),
  );
  members.sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
  const queues = queuesOf(answers, members);
  const online = answers.find((answer) => answer.online !== undefined)?.online;
  return {
    group,
    online: online !== undefined,
    consumeType: online?.consumeType ?? "",
    messageModel: online?.messageModel ?? "",
    members,
    differences: differencesOf(members),
    queues,
    lag: queues.reduce((sum, { lag }) => sum + lag, 0),
    consumeTps: answers.reduce((sum, { consumeTps }) => sum + consumeTps, 0),
    failures: asked.failures,
  };
}

async function ask(
  instance: ClientInstance,
  address: string,
  server: string,
  group: string,
): Promise<Answers> {
  const [online, stats] = await Promise.all([
    connectionsAt(instance, address, server, group),
    instance.ask(
      address,
      {
        code: RequestCode.GET_CONSUME_STATS,
        header: (sink) => getConsumeStatsRequestHeader.encode({ consumerGroup: group }, sink),
      },
      ({ body }) => parseConsumeStats(body),
    ),
  ]);
  return { address, online, offsets: stats.offsets, consumeTps: stats.consumeTps };
}

type Connection = ConsumerConnection["connections"][number];

/** By client id: a member is connected to every broker of its topics. */
function connectionsOf(
  answers: readonly Answers[],
): Map<string, { address: string; connection: Connection }> {
  const found = new Map<string, { address: string; connection: Connection }>();
  for (const { address, online } of answers)
    for (const connection of online?.connections ?? [])
      if (!found.has(connection.clientId)) found.set(connection.clientId, { address, connection });
  return found;
}

async function member(
  instance: ClientInstance,
  address: string,
  group: string,
  { clientId, clientAddr, language, version }: Connection,
): Promise<GroupMember> {
  const known = { clientId, address: clientAddr, language, version: mqVersionName(version) };
  let info: ConsumerRunningInfo;
  try {
    info = await runningInfoAt(instance, address, group, clientId);
  } catch (error) {
    instance.logger.debug({ err: error, clientId }, "a member does not say what it is doing");
    return known;
  }
  return {
    ...known,
    subscriptions: info.subscriptions
      .filter(({ topic }) => !topic.startsWith(RETRY_PREFIX))
      .map(subscriptionOf)
      .sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    queues: info.queues
      .map(({ queue, cachedMsgCount }) => ({ queue, inFlight: cachedMsgCount }))
      .sort((a, b) => compareMessageQueues(a.queue, b.queue)),
  };
}

/** The same for what subscribes to the same, in whatever order its tags came. */
function subscriptionOf({ topic, expressionType, subString, tagsSet }: SubscriptionData): GroupSubscription {
  const expression = tagsSet.size === 0 ? subString : [...tagsSet].sort().join(" || ");
  return { topic, expressionType: expressionType ?? "TAG", expression };
}

function differencesOf(members: readonly GroupMember[]): GroupStatus["differences"] {
  const kinds = new Map<string, string[]>();
  for (const { clientId, subscriptions } of members) {
    if (subscriptions === undefined) continue;
    const text = subscriptions
      .map(({ topic, expressionType, expression }) => `${topic} ${expressionType} ${expression}`)
      .join("; ");
    kinds.set(text, [...(kinds.get(text) ?? []), clientId]);
  }
  if (kinds.size < 2) return [];
  return [...kinds].map(([subscriptions, ids]) => ({ subscriptions, members: ids }));
}

function queuesOf(answers: readonly Answers[], members: readonly GroupMember[]): GroupStatus["queues"] {
  const held = new Map<string, { ids: string[]; inFlight: number }>();
  for (const { clientId, queues } of members)
    for (const { queue, inFlight } of queues ?? []) {
      const entry = held.get(queueKey(queue)) ?? { ids: [], inFlight: 0 };
      held.set(queueKey(queue), { ids: [...entry.ids, clientId], inFlight: entry.inFlight + inFlight });
    }
  return answers
    .flatMap(({ offsets }) => offsets)
    .sort((a, b) => compareMessageQueues(a.queue, b.queue))
    .map(({ queue, consumerOffset, brokerOffset, lastTimestamp }) => {
      const entry = held.get(queueKey(queue));
      return {
        queue,
        consumerOffset,
        brokerOffset,
        lag: Math.max(0, brokerOffset - consumerOffset),
        lastTimestamp,
        members: entry?.ids ?? [],
        ...(entry === undefined ? {} : { inFlight: entry.inFlight }),
      };
    });
}
