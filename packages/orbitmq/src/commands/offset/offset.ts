/** `orbitmq offset reset|skip|clone|show`. */
import type { Admin, PlannedReset, ResetOptions, ResetTo } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import { change } from "../client/change.ts";
import type { ClientFlags, YesFlags } from "../client/client-flags.ts";
import { confirm } from "../client/confirm.ts";
import { jsonLine, report } from "../client/report.ts";
import { spanText, timeText } from "../client/texts.ts";
import { withAdmin } from "../client/with-admin.ts";
import { table } from "../table.ts";

export interface ResetFlags extends ClientFlags, YesFlags {
  readonly to: string;
  readonly broker?: string;
  readonly queue?: number;
  readonly dryRun?: boolean;
}

export interface CloneFlags extends ClientFlags, YesFlags {
  readonly onlineOnly?: boolean;
}

/** A time, begin, end, or `@offset`. Throws ServerError USAGE. */
function goalOf(text: string): ResetTo {
  if (text === "begin" || text === "end") return text;
  const offset = /^@(\d{1,15})$/.exec(text);
  if (offset !== null) return Number(offset[1]);
  const time = new Date(/^\d+$/.test(text) ? Number(text) : text);
  if (Number.isNaN(time.getTime()))
    throw new ServerError("USAGE", `--to takes a time, begin, end or @offset, not ${text}`);
  return time;
}

function placeOf({ broker, queue }: ResetFlags, to: ResetTo): ResetOptions {
  if (queue === undefined && broker === undefined) {
    if (typeof to === "number") throw new ServerError("USAGE", "--to @offset needs --broker and --queue");
    return {};
  }
  if (queue === undefined || broker === undefined)
    throw new ServerError("USAGE", "--broker and --queue name a queue together");
  return { queue: { brokerName: broker, queueId: queue } };
}

/** Shows where the group would go and asks; then it goes. */
export async function resetOffsets(
  group: string,
  topic: string,
  flags: ResetFlags,
  terminal: Terminal,
): Promise<number> {
  const to = goalOf(flags.to);
  const place = placeOf(flags, to);
  return withAdmin(flags, terminal, async (admin) => {
    const plan = await admin.planReset(group, topic, to, place);
    if (flags.dryRun !== true) {
      if (flags.yes !== true && terminal.stdinIsTerminal) terminal.err(planText(plan));
      await confirm(questionOf(group, topic, plan), flags, terminal);
    }
    const result = flags.dryRun === true ? plan : await reset(admin, group, topic, to, place, plan);
    const dryRun = flags.dryRun === true;
    await terminal.out(
      flags.json === true ? jsonLine({ group, topic, dryRun, offsets: result }) : planText(result),
    );
    return 0;
  });
}

/** What brokers say is where the group goes on: new messages may have moved the end since the plan. */
async function reset(
  admin: Admin,
  group: string,
  topic: string,
  to: ResetTo,
  place: ResetOptions,
  plan: readonly PlannedReset[],
): Promise<PlannedReset[]> {
  const done = await admin.resetOffsets(group, topic, to, place);
  return done.map(({ queue, offset }) => {
    const planned = plan.find(
      (each) => each.queue.brokerName === queue.brokerName && each.queue.queueId === queue.queueId,
    );
    return { queue, ...(planned?.from === undefined ? {} : { from: planned.from }), offset };
  });
}

function questionOf(group: string, topic: string, plan: readonly PlannedReset[]): string {
  let again = 0;
  let skipped = 0;
  for (const { from, offset } of plan) {
    if (from === undefined) continue;
    again += Math.max(0, from - offset);
    skipped += Math.max(0, offset - from);
  }
  return `let ${group} consume ${again} messages of ${topic} again and leave ${skipped} out`;
}

function planText(plan: readonly PlannedReset[]): string {
  return table(
    ["BROKER", "QUEUE", "WAS AT", "GOES ON AT", "MOVES BY"],
    plan.map(({ queue, from, offset }) => [
      queue.brokerName,
      queue.queueId,
      from ?? "nowhere",
      offset,
      from === undefined ? "" : offset - from,
    ]),
  );
}

export async function cloneOffsets(
  from: string,
  to: string,
  topic: string | undefined,
  flags: CloneFlags,
  terminal: Terminal,
): Promise<number> {
  const what = topic === undefined ? "every topic" : topic;
  await confirm(`let ${to} go on where ${from} is in ${what}`, flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => {
      await admin.cloneOffsets({ from, to, topic, offline: flags.onlineOnly !== true });
      return { from, to, ...(topic === undefined ? {} : { topic }) };
    },
    () => `${to} goes on where ${from} is in ${what}`,
  );
}

export function showOffsets(
  group: string,
  topic: string,
  flags: ClientFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, {
    look: async (admin) => {
      const [plan, spans] = await Promise.all([
        admin.planReset(group, topic, "end"),
        admin.consumeTimeSpans(group, topic),
      ]);
      const queues = plan.map(({ queue, from, offset }) => {
        const span = spans.queues.find(
          (each) => each.queue.brokerName === queue.brokerName && each.queue.queueId === queue.queueId,
        );
        return {
          queue,
          ...(from === undefined ? {} : { consumerOffset: from }),
          brokerOffset: offset,
          consumeTimestamp: span?.consumeTimestamp ?? -1,
          delayMs: span?.delayMs ?? 0,
        };
      });
      return { group, topic, queues, failures: spans.failures };
    },
    text: ({ queues }) =>
      table(
        ["BROKER", "QUEUE", "CONSUMED", "MAX", "LAG", "LAST CONSUMED", "BEHIND"],
        queues.map(({ queue, consumerOffset, brokerOffset, consumeTimestamp, delayMs }) => [
          queue.brokerName,
          queue.queueId,
          consumerOffset ?? "nowhere",
          brokerOffset,
          consumerOffset === undefined ? "" : brokerOffset - consumerOffset,
          timeText(consumeTimestamp),
          spanText(delayMs),
        ]),
      ),
  });
}
