/**
 * `orbitmq message where`: what has become of a message. The first line is the answer; below it stand the facts, what each
 * group has done with it, and when what happened. Ends with 0 when a message was found.
 */
import type {
  GroupWhere,
  MessageWhere,
  StoredAt,
  TimelineEvent,
  WhereQuery,
  WhereResult,
} from "@orbitmq/client";
import { serverErrors } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

export interface WhereFlags extends ClientFlags, WhereQuery {}

export async function whereIsMessage(flags: WhereFlags, terminal: Terminal): Promise<number> {
  const { id, key, topic, max } = flags;
  const result = await withAdmin(flags, terminal, (admin) => admin.where({ id, key, topic, max }));
  await terminal.out(flags.json === true ? `${JSON.stringify(result)}\n` : whereText(result));
  return result.messages.length > 0 ? 0 : serverErrors.REQUEST_FAILED[0];
}

export function whereText(result: WhereResult): string {
  const { verdict, messages, more, searched } = result;
  const parts = [`${verdict}\n`];
  for (const [index, message] of messages.entries()) {
    if (messages.length > 1) parts.push(`(${index + 1}) ${message.verdict}\n`);
    parts.push(factsText(message));
    if (message.groups.length > 0) parts.push(groupsText(message.groups));
    parts.push(timelineText(message.timeline));
    if (message.notTold.length > 0)
      parts.push(message.notTold.map((each) => `not known: ${each}\n`).join(""));
  }
  if (more) parts.push("there are more messages: --max shows more of them\n");
  if (messages.length === 0 || !searched.complete) parts.push(searchedText(result));
  return parts.join("\n");
}

function factsText(message: MessageWhere): string {
  const { msgId, topic, brokerName, bornMs, bornHost, at, wasAt, delay, transaction, tag, keys } = message;
  const lines: [string, string][] = [
    ["message", `${msgId} of ${topic}, on ${brokerName}`],
    ["born", `${timeText(bornMs)} at ${bornHost}`],
  ];
  if (tag !== undefined || keys.length > 0)
    lines.push([
      "named",
      [tag && `tag ${tag}`, keys.length > 0 && `keys ${keys.join(" ")}`].filter(Boolean).join(", "),
    ]);
  if (at !== undefined) lines.push(...placeLines("stored", at));
  if (wasAt !== undefined) lines.push(["was", `stored as ${wasAt}, which is gone`]);
  if (delay !== undefined) {
    const what = delay.kind === "LEVEL" ? `delay level ${delay.level}` : "timer";
    lines.push(["delay", `${what}, until ${timeText(delay.untilMs)}, ${delay.state}`]);
    if (at === undefined) lines.push(...placeLines("waits", delay.at));
  }
  if (transaction !== undefined) {
    const { state, checks, checksMax, producerGroup, nextCheckMs, parkedAt } = transaction;
    const of = checksMax === undefined ? "" : ` of ${checksMax}`;
    const next = nextCheckMs === undefined ? "" : `, next ${timeText(nextCheckMs)}`;
    lines.push(["transaction", `${state} of producer group ${producerGroup}, ${checks}${of} checks${next}`]);
    if (at === undefined) lines.push(...placeLines("half", transaction.at));
    if (parkedAt !== undefined) lines.push(...placeLines("parked", parkedAt));
  }
  if (message.redrivenFrom !== undefined)
    lines.push(["redriven", `from ${message.redrivenFrom.topic}, ${message.redrivenFrom.offsetMsgId}`]);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}

function placeLines(name: string, at: StoredAt): [string, string][] {
  const { storedMs, topic, queueId, queueOffset, queueMinOffset, queueMaxOffset, offsetMsgId } = at;
  const { file, fileOffset, position, size, durability, integrity } = at;
  const span =
    queueMinOffset === undefined || queueMaxOffset === undefined
      ? ""
      : ` (it holds ${queueMinOffset} to ${queueMaxOffset - 1})`;
  const inFile = file === undefined ? "" : `, file ${file} at ${fileOffset}`;
  const state = [durability, integrity].filter(Boolean).join(", ");
  return [
    [name, `${timeText(storedMs)} in ${topic} queue ${queueId} offset ${queueOffset}${span}`],
    ["", `as ${offsetMsgId}`],
    ["", `log ${position}${inFile}, ${size} bytes${state === "" ? "" : `, ${state}`}`],
  ];
}

function groupsText(groups: readonly GroupWhere[]): string {
  return table(
    ["GROUP", "STATE", "RETRIES", "GOES ON AT", "WHAT"],
    groups.map(({ group, state, retries, committedOffset, verdict }) => [
      group,
      state,
      retries,
      committedOffset ?? "-",
      verdict,
    ]),
  );
}

function timelineText(timeline: readonly TimelineEvent[]): string {
  const firstMs = timeline[0]?.atMs ?? 0;
  return table(
    ["TIME", "AFTER", "GROUP", "EVENT"],
    timeline.map(({ atMs, group, text, ahead }) => [
      timeText(atMs),
      `${ahead ? "→ " : ""}+${spanText(atMs - firstMs)}`,
      group ?? "",
      text,
    ]),
  );
}

function searchedText({ searched }: WhereResult): string {
  return table(
    ["SEARCHED", "ADDRESS", "COMPLETE", "LOG FROM", "LOG TO", "SINCE", "PROBLEMS"],
    searched.brokers.map((broker) => [
      broker.brokerName,
      broker.address || "-",
      broker.complete ? "yes" : "NO",
      broker.logMinOffset ?? "-",
      broker.logMaxOffset ?? "-",
      broker.fromMs === undefined ? "-" : timeText(broker.fromMs),
      broker.problems.join("; "),
    ]),
  );
}

const timeText = (ms: number): string => new Date(ms).toISOString();

/** `1d02:03:04.005`, without what is zero in front. */
function spanText(ms: number): string {
  const rest = Math.max(0, ms);
  const days = Math.floor(rest / 86_400_000);
  const [hours, minutes, seconds] = new Date(rest).toISOString().slice(11, 23).split(":");
  if (days > 0) return `${days}d${hours}:${minutes}:${seconds}`;
  if (rest >= 3_600_000) return `${Number(hours)}:${minutes}:${seconds}`;
  return rest >= 60_000 ? `${Number(minutes)}:${seconds}` : `${(rest / 1_000).toFixed(3)}`;
}
