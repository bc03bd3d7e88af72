/** `orbitmq topic create|list|route|status`. */
import { Admin, type MessageQueue } from "@orbitmq/client";
import { ServerError } from "../server-error.ts";
import type { Terminal } from "../terminal.ts";
import { table } from "./table.ts";

export interface ClientFlags {
  readonly namesrv?: string;
  readonly json?: boolean;
}

export interface CreateTopicFlags extends ClientFlags {
  readonly queues: number;
  readonly perm: "r" | "w" | "rw";
  readonly cluster?: string;
  readonly broker?: string;
}

/** How long a command tries to reach a NameServer. */
const START_TIMEOUT_MS = 5_000;
const PERM = { r: 4, w: 2, rw: 6 } as const;

/** Options every client of a command starts with. */
export function clientOptions(flags: ClientFlags, terminal: Terminal) {
  const namesrv = flags.namesrv ?? (terminal.env["NAMESRV_ADDR"] || "127.0.0.1:9876");
  return { namesrv, startTimeoutMs: START_TIMEOUT_MS };
}

export async function withAdmin<T>(
  flags: ClientFlags,
  terminal: Terminal,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new Admin(clientOptions(flags, terminal));
  try {
    await admin.start();
    return await use(admin);
  } finally {
    await admin.shutdown();
  }
}

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
