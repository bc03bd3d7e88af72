/** `orbitmq group status|reset`. */
import type { GroupMember, GroupStatus } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
const UNKNOWN = "?";

export async function groupStatus(group: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  const status = await withAdmin(flags, terminal, (admin) => admin.groupStatus(group));
  await terminal.out(flags.json === true ? json(status) : statusText(status));
  return 0;
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
          lastTimestamp > 0 ? new Date(lastTimestamp).toISOString() : "never",
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

export interface ResetGroupFlags extends ClientFlags {
  readonly to: string;
}

/** ISO time, ms since the epoch, or "end". */
function target(text: string): Date | "end" {
  if (text === "end") return text;
  const time = new Date(/^\d+$/.test(text) ? Number(text) : text);
  if (Number.isNaN(time.getTime())) throw new ServerError("USAGE", `--to takes a time or end, not ${text}`);
  return time;
}

export async function resetGroup(
  group: string,
  topic: string,
  flags: ResetGroupFlags,
  terminal: Terminal,
): Promise<number> {
  const to = target(flags.to);
  const offsets = await withAdmin(flags, terminal, (admin) => admin.resetOffsets(group, topic, to));
  if (flags.json === true) await terminal.out(json({ group, topic, offsets }));
  else
    await terminal.out(
      table(
        ["BROKER", "QUEUE", "GOES ON AT"],
        offsets.map(({ queue, offset }) => [queue.brokerName, queue.queueId, offset]),
      ),
    );
  return 0;
}
