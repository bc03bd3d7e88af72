/** `orbitmq group status|list|show|topics`. */
import type { BrokerGroupSettings, GroupMember, GroupStatus } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags, TargetFlags, WatchFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { pairs, timeText } from "../client/texts.ts";
import { table } from "../table.ts";

const UNKNOWN = "?";

export function groupStatus(
  group: string,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, { look: (admin) => admin.groupStatus(group), text: statusText });
}

function statusText(status: GroupStatus): string {
  const { group, online, consumeType, messageModel, members, differences, queues, lag } = status;
  const head = online
    ? `${group}: ${members.length} ${members.length === 1 ? "member" : "members"}, ${messageModel}, ${consumeType}, lag ${lag}\n`
    : `${group}: nobody is online, lag ${lag}\n`;
  const parts = [head];
  if (members.length > 0)
    parts.push(
      table(
        ["CLIENT", "ADDRESS", "LANGUAGE", "VERSION", "QUEUES", "SUBSCRIBES TO"],
        members.map((member) => [
          member.clientId,
          member.address,
          member.language,
          member.version,
          member.queues?.length ?? UNKNOWN,
          subscriptionsText(member),
        ]),
      ),
    );
  if (differences.length > 0)
    parts.push(
      [
        "INCONSISTENT: members subscribe to different things, and messages that reach a member which does not want",
        "them count as consumed. Give every member the same subscriptions, or each kind a group of its own:",
        ...differences.map(
          ({ subscriptions, members: ids }) => `  ${subscriptions || "nothing"}: ${ids.join(", ")}`,
        ),
        "",
      ].join("\n"),
    );
  if (queues.length > 0)
    parts.push(
      table(
        ["TOPIC", "BROKER", "QUEUE", "CONSUMED", "MAX", "LAG", "IN FLIGHT", "LAST CONSUMED", "CLIENT"],
        queues.map(({ queue, consumerOffset, brokerOffset, inFlight, lastTimestamp, ...rest }) => [
          queue.topic,
          queue.brokerName,
          queue.queueId,
          consumerOffset,
          brokerOffset,
          rest.lag,
          inFlight ?? UNKNOWN,
          timeText(lastTimestamp),
          rest.members.join(", ") || "nobody",
        ]),
      ),
    );
  return parts.join("\n");
}

function subscriptionsText({ subscriptions }: GroupMember): string {
  if (subscriptions === undefined) return `${UNKNOWN} (does not answer)`;
  const texts = subscriptions.map(({ topic, expressionType, expression }) =>
    expressionType === "TAG" ? `${topic} ${expression}` : `${topic} ${expressionType} ${expression}`,
  );
  return texts.join("; ") || "nothing";
}

/** One line for each group; settings that differ between brokers are seen by `group show`. */
export function listGroups(flags: TargetFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  return report(flags, terminal, {
    look: (admin) => admin.groupList({ cluster, broker }),
    text: ({ groups }) => {
      const byName = new Map<string, BrokerGroupSettings[]>();
      for (const each of groups) byName.set(each.group, [...(byName.get(each.group) ?? []), each]);
      return table(
        ["GROUP", "CONSUME", "RETRIES", "FORBIDDEN", "BROKERS"],
        [...byName].map(([group, settings]) => [
          group,
          settings.every(({ consumeEnable }) => consumeEnable) ? "yes" : "no",
          settings[0]?.retryMaxTimes ?? 0,
          [...new Set(settings.flatMap(({ forbiddenTopics }) => forbiddenTopics))].join(", ") || "none",
          settings.map(({ brokerName }) => brokerName).join(", "),
        ]),
      );
    },
  });
}

export function showGroup(group: string, flags: TargetFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  return report(flags, terminal, {
    look: async (admin) => {
      const { groups, failures } = await admin.groupList({ cluster, broker });
      const brokers = groups.filter((each) => each.group === group);
      if (brokers.length === 0 && failures.length === 0)
        throw new ServerError("REQUEST_FAILED", `no broker has the group ${group}`);
      return { group, brokers, failures };
    },
    text: ({ brokers }) =>
      brokers
        .map(({ group: _, brokerName, forbiddenTopics, ...settings }) =>
          pairs([
            ["broker", brokerName],
            ...Object.entries(settings),
            ["forbiddenTopics", forbiddenTopics.join(", ") || "none"],
          ]),
        )
        .join("\n"),
  });
}

export function topicsOfGroup(group: string, flags: TargetFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  return report(flags, terminal, {
    look: async (admin) => ({ group, ...(await admin.topicsOfGroup(group, { cluster, broker })) }),
    text: ({ topics }) => topics.map((topic) => `${topic}\n`).join(""),
  });
}
