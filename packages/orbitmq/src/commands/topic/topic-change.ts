/** `orbitmq topic create|update|delete|clean-unused`. */
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import { change, changeSeveral } from "../client/change.ts";
import type { TargetFlags, YesFlags } from "../client/client-flags.ts";
import { confirm } from "../client/confirm.ts";
import { keyValues } from "../client/key-values.ts";
import { listText, PERM, permText } from "../client/texts.ts";

export interface CreateTopicFlags extends TargetFlags {
  readonly queues: number;
  readonly readQueues?: number;
  readonly perm: keyof typeof PERM;
  readonly order?: boolean;
  readonly attribute: readonly string[];
}

export interface UpdateTopicFlags extends TargetFlags {
  readonly queues?: number;
  readonly readQueues?: number;
  readonly perm?: keyof typeof PERM;
  readonly order?: "yes" | "no";
  readonly attribute: readonly string[];
}

export function createTopic(topic: string, flags: CreateTopicFlags, terminal: Terminal): Promise<number> {
  if (flags.cluster !== undefined && flags.broker !== undefined)
    throw new ServerError("USAGE", "--cluster and --broker exclude each other");
  const { queues, readQueues, perm, order, cluster, broker } = flags;
  const attributes = attributesOf(flags.attribute);
  return change(
    flags,
    terminal,
    (admin) =>
      admin.createTopic(topic, { queues, readQueues, perm: PERM[perm], order, attributes, cluster, broker }),
    (created) =>
      `${created.topic}: ${created.queues} queues, ${permText(created.perm)}, on ${created.brokers.join(", ")}`,
  );
}

/** An empty value drops an attribute. */
function attributesOf(texts: readonly string[]): Record<string, string | undefined> | undefined {
  if (texts.length === 0) return undefined;
  const entries = Object.entries(keyValues(texts));
  return Object.fromEntries(entries.map(([name, value]) => [name, value === "" ? undefined : value]));
}

export function updateTopic(topic: string, flags: UpdateTopicFlags, terminal: Terminal): Promise<number> {
  const { queues, readQueues, perm, order } = flags;
  const attributes = attributesOf(flags.attribute);
  if ([queues, readQueues, perm, order, attributes].every((given) => given === undefined))
    throw new ServerError(
      "USAGE",
      "say what to change: --queues, --read-queues, --perm, --order or --attribute",
    );
  return change(
    flags,
    terminal,
    async (admin) => {
      const { brokers, failures } = await admin.topicSettings(topic);
      const [failed] = failures;
      if (failed !== undefined)
        throw new ServerError("REQUEST_FAILED", `${failed.server}: ${failed.message}; nothing was changed`);
      const targets = await brokersIn(flags, async () => (await admin.clusterInfo()).clusters);
      const chosen = brokers.filter(({ brokerName }) => targets?.includes(brokerName) ?? true);
      if (chosen.length === 0)
        throw new ServerError("REQUEST_FAILED", `${topic} is on none of these brokers`);
      const changed: string[] = [];
      for (const current of chosen) {
        await admin.createTopic(topic, {
          broker: current.brokerName,
          queues: queues ?? current.writeQueueNums,
          readQueues: readQueues ?? (queues === undefined ? current.readQueueNums : queues),
          perm: perm === undefined ? current.perm : PERM[perm],
          order: order === undefined ? current.order : order === "yes",
          attributes,
        });
        changed.push(current.brokerName);
      }
      return { topic, brokers: changed };
    },
    ({ brokers }) => `${topic}: changed on ${listText(brokers)}`,
  );
}

/** `undefined`: all. */
async function brokersIn(
  { cluster, broker }: TargetFlags,
  clusters: () => Promise<Readonly<Record<string, readonly string[]>>>,
): Promise<readonly string[] | undefined> {
  if (broker !== undefined) return [broker];
  return cluster === undefined ? undefined : ((await clusters())[cluster] ?? []);
}

export async function deleteTopics(
  names: readonly string[],
  flags: TargetFlags & YesFlags,
  terminal: Terminal,
): Promise<number> {
  const topics = [...new Set(names)];
  const { cluster, broker } = flags;
  const where = broker === undefined ? "" : ` on ${broker}`;
  const what =
    topics.length === 1
      ? `the topic ${topics[0]} with all its`
      : `the topics ${listText(topics)} with all their`;
  await confirm(`delete ${what} messages${where}`, flags, terminal);
  return changeSeveral(
    flags,
    terminal,
    (admin) => admin.deleteTopics(topics, { cluster, broker }),
    ({ topic, brokers }) => `${topic}: deleted on ${listText(brokers)}`,
  );
}

export async function cleanUnused(flags: TargetFlags & YesFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  await confirm("delete the queues of topics that are no more", flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => ({ brokers: await admin.cleanUnusedTopics({ cluster, broker }) }),
    ({ brokers }) => `queues of deleted topics are gone on ${listText(brokers)}`,
  );
}
