/** `orbitmq topic list|show|route|status|groups`. */
import type { MessageQueue } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags, WatchFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { permText, timeText } from "../client/texts.ts";
import { table } from "../table.ts";

export interface ListTopicsFlags extends ClientFlags {
  readonly cluster?: string;
}

export function listTopics(flags: ListTopicsFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => ({ topics: await admin.topicList({ cluster: flags.cluster }) }),
    text: ({ topics }) => topics.map((topic) => `${topic}\n`).join(""),
  });
}

export function showTopic(topic: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => ({ topic, ...(await admin.topicSettings(topic)) }),
    text: ({ brokers }) =>
      table(
        ["BROKER", "READ", "WRITE", "PERM", "ORDER", "ATTRIBUTES"],
        brokers.map(({ brokerName, readQueueNums, writeQueueNums, perm, order, attributes }) => [
          brokerName,
          readQueueNums,
          writeQueueNums,
          permText(perm),
          order ? "yes" : "no",
          Object.entries(attributes)
            .map((entry) => entry.join("="))
            .join(" ") || "none",
        ]),
      ),
  });
}

export function topicRoute(topic: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: (admin) => admin.topicRoute(topic),
    text: (route) =>
      table(
        ["BROKER", "CLUSTER", "ADDRESS", "READ", "WRITE", "PERM"],
        route.queues.map(({ brokerName, readQueueNums, writeQueueNums, perm }) => {
          const broker = route.brokers.find((candidate) => candidate.brokerName === brokerName);
          const address = broker?.addresses["0"] ?? Object.values(broker?.addresses ?? {})[0] ?? "none";
          return [brokerName, broker?.cluster ?? "", address, readQueueNums, writeQueueNums, permText(perm)];
        }),
      ),
  });
}

const queueText = ({ brokerName, queueId }: MessageQueue): [string, number] => [brokerName, queueId];

export function topicStatus(
  topic: string,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: (admin) => admin.topicStatus(topic),
    text: ({ queues }) =>
      table(
        ["BROKER", "QUEUE", "MIN", "MAX", "LAST STORED"],
        queues.map(({ queue, minOffset, maxOffset, lastUpdateTimestamp }) => [
          ...queueText(queue),
          minOffset,
          maxOffset,
          timeText(lastUpdateTimestamp),
        ]),
      ),
  });
}

export function groupsOfTopic(topic: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => ({ topic, ...(await admin.groupsOfTopic(topic)) }),
    text: ({ groups }) => groups.map((group) => `${group}\n`).join(""),
  });
}
