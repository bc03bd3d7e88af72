/** `orbitmq topic create|list|route|status`. */
import type { MessageQueue } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

export interface CreateTopicFlags extends ClientFlags {
  readonly queues: number;
  readonly perm: "r" | "w" | "rw";
  readonly cluster?: string;
  readonly broker?: string;
}

const PERM = { r: 4, w: 2, rw: 6 } as const;

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
const permText = (perm: number): string => `${perm & 4 ? "r" : ""}${perm & 2 ? "w" : ""}` || "none";

export async function createTopic(
  topic: string,
  flags: CreateTopicFlags,
  terminal: Terminal,
): Promise<number> {
  if (flags.cluster !== undefined && flags.broker !== undefined)
    throw new ServerError("USAGE", "--cluster and --broker exclude each other");
  const { queues, perm, cluster, broker } = flags;
  const created = await withAdmin(flags, terminal, (admin) =>
    admin.createTopic(topic, { queues, perm: PERM[perm], cluster, broker }),
  );
  await terminal.out(
    flags.json === true
      ? json(created)
      : `${created.topic}: ${created.queues} queues, ${permText(created.perm)}, on ${created.brokers.join(", ")}\n`,
  );
  return 0;
}

export async function listTopics(flags: ClientFlags, terminal: Terminal): Promise<number> {
  const topics = await withAdmin(flags, terminal, (admin) => admin.topicList());
  await terminal.out(flags.json === true ? json({ topics }) : topics.map((topic) => `${topic}\n`).join(""));
  return 0;
}

export async function topicRoute(topic: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  const route = await withAdmin(flags, terminal, (admin) => admin.topicRoute(topic));
  if (flags.json === true) await terminal.out(json(route));
  else
    await terminal.out(
      table(
        ["BROKER", "CLUSTER", "ADDRESS", "READ", "WRITE", "PERM"],
        route.queues.map(({ brokerName, readQueueNums, writeQueueNums, perm }) => {
          const broker = route.brokers.find((candidate) => candidate.brokerName === brokerName);
          const address = broker?.addresses["0"] ?? Object.values(broker?.addresses ?? {})[0] ?? "none";
          return [brokerName, broker?.cluster ?? "", address, readQueueNums, writeQueueNums, permText(perm)];
        }),
      ),
    );
  return 0;
}

const timeText = (ms: number): string => (ms > 0 ? new Date(ms).toISOString() : "never");
const queueText = ({ brokerName, queueId }: MessageQueue): [string, number] => [brokerName, queueId];

export async function topicStatus(topic: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  const status = await withAdmin(flags, terminal, (admin) => admin.topicStatus(topic));
  if (flags.json === true) await terminal.out(json(status));
  else
    await terminal.out(
      table(
        ["BROKER", "QUEUE", "MIN", "MAX", "LAST STORED"],
        status.queues.map(({ queue, minOffset, maxOffset, lastUpdateTimestamp }) => [
          ...queueText(queue),
          minOffset,
          maxOffset,
          timeText(lastUpdateTimestamp),
        ]),
      ),
    );
  return 0;
}
