/** `orbitmq group set|delete|forbid|mode`. */
import type { GroupSettings } from "@orbitmq/client";
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import { change, changeSeveral } from "../client/change.ts";
import type { TargetFlags, YesFlags } from "../client/client-flags.ts";
import { confirm } from "../client/confirm.ts";
import { listText } from "../client/texts.ts";

type YesNo = "yes" | "no";

export interface SetGroupFlags extends TargetFlags {
  readonly consume?: YesNo;
  readonly fromMin?: YesNo;
  readonly broadcast?: YesNo;
  readonly orderly?: YesNo;
  readonly notify?: YesNo;
  readonly retries?: number;
  readonly retryQueues?: number;
  readonly readFrom?: number;
  readonly readSlowFrom?: number;
  readonly timeout?: number;
}

const MINUTE_MS = 60_000;

export function setGroup(group: string, flags: SetGroupFlags, terminal: Terminal): Promise<number> {
  const { cluster, broker } = flags;
  const yes = (value: YesNo | undefined): boolean | undefined =>
    value === undefined ? undefined : value === "yes";
  const given = {
    consumeEnable: yes(flags.consume),
    consumeFromMinEnable: yes(flags.fromMin),
    consumeBroadcastEnable: yes(flags.broadcast),
    consumeMessageOrderly: yes(flags.orderly),
    notifyConsumerIdsChangedEnable: yes(flags.notify),
    retryMaxTimes: flags.retries,
    retryQueueNums: flags.retryQueues,
    brokerId: flags.readFrom,
    whichBrokerWhenConsumeSlowly: flags.readSlowFrom,
    consumeTimeoutMinute: minutes(flags.timeout),
  };
  const settings: Partial<GroupSettings> = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  return change(
    flags,
    terminal,
    async (admin) => ({
      group,
      settings,
      brokers: await admin.putGroup(group, settings, { cluster, broker }),
    }),
    ({ brokers }) => `${group}: set on ${listText(brokers)}`,
  );
}

function minutes(ms: number | undefined): number | undefined {
  if (ms === undefined) return undefined;
  if (ms < MINUTE_MS || ms % MINUTE_MS !== 0)
    throw new ServerError("USAGE", "--timeout: brokers count whole minutes");
  return ms / MINUTE_MS;
}

export async function deleteGroups(
  names: readonly string[],
  flags: TargetFlags & YesFlags & { readonly cleanOffsets?: boolean },
  terminal: Terminal,
): Promise<number> {
  const groups = [...new Set(names)];
  const { cluster, broker, cleanOffsets } = flags;
  const [who, place] =
    groups.length === 1
      ? [`group ${groups[0]}`, "where it is in its topics"]
      : [`groups ${listText(groups)}`, "where they are in their topics"];
  const what = cleanOffsets === true ? ` and ${place}` : "";
  await confirm(`delete the settings of the ${who}${what}`, flags, terminal);
  return changeSeveral(
    flags,
    terminal,
    async (admin) => {
      const brokers = await admin.deleteGroups(groups, { cluster, broker, cleanOffsets });
      return groups.map((group) => ({ group, brokers }));
    },
    ({ group, brokers }) => `${group}: deleted on ${listText(brokers)}`,
  );
}

export async function forbidGroup(
  group: string,
  topic: string,
  flags: TargetFlags & YesFlags & { readonly off?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { cluster, broker } = flags;
  const forbidden = flags.off !== true;
  if (forbidden) await confirm(`stop ${group} from reading ${topic}`, flags, terminal);
  return change(
    flags,
    terminal,
    async (admin) => ({
      group,
      topic,
      forbidden,
      brokers: await admin.forbidGroup(group, { topic, forbidden, cluster, broker }),
    }),
    ({ brokers }) => `${group} ${forbidden ? "may not" : "may"} read ${topic} on ${listText(brokers)}`,
  );
}

export function setMode(
  group: string,
  topic: string,
  mode: "PULL" | "POP",
  flags: TargetFlags & { readonly share?: number },
  terminal: Terminal,
): Promise<number> {
  const { cluster, broker, share } = flags;
  return change(
    flags,
    terminal,
    async (admin) => ({
      group,
      topic,
      mode,
      brokers: await admin.setRequestMode(group, { topic, mode, popShareQueueNum: share, cluster, broker }),
    }),
    ({ brokers }) => `${group}: ${mode} for ${topic} on ${listText(brokers)}`,
  );
}
