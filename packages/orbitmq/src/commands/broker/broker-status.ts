/** `orbitmq broker status|stats|ha`. */
import type { BrokerRuntime } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags, TargetFlags, WatchFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { bytesText, pairs, percentText, rateText, timeText } from "../client/texts.ts";
import { table } from "../table.ts";

export function brokerStatus(
  broker: string,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, { look: (admin) => admin.brokerRuntime(broker), text: statusText });
}

function statusText(runtime: BrokerRuntime): string {
  const head = pairs([
    ["broker", runtime.brokerName],
    ["address", runtime.address],
    ["version", runtime.version],
    ["up since", timeText(runtime.bootTimestamp)],
    ["messages in", `${rateText(runtime.putTps)}/s, ${runtime.messagesPut} since the start`],
    ["messages out", `${rateText(runtime.getTps)}/s, ${runtime.messagesGot} since the start`],
    [
      "log",
      `${bytesText(runtime.commitLogMaxOffset - runtime.commitLogMinOffset)}, from ${runtime.commitLogMinOffset}`,
    ],
    ["oldest message", timeText(runtime.earliestMessageTimestamp)],
    ["disk", percentText(runtime.diskRatio)],
    ["queues behind", bytesText(runtime.dispatchBehindBytes)],
  ]);
  return `${head}\n${pairs(Object.entries(runtime.table))}`;
}

const PERIODS = [
  ["minute", "statsMinute"],
  ["hour", "statsHour"],
  ["day", "statsDay"],
] as const;

export function brokerStats(
  name: string,
  key: string,
  flags: TargetFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  const { cluster, broker } = flags;
  return report(flags, terminal, {
    look: (admin) => admin.brokerStats(name, key, { cluster, broker }),
    text: ({ brokers }) =>
      table(
        ["BROKER", "LAST", "SUM", "PER SECOND", "PER TIME"],
        brokers.flatMap((stats) =>
          PERIODS.map(([period, member]) => {
            const { sum, tps, avgpt } = stats[member];
            return [stats.brokerName, period, sum, rateText(tps), rateText(avgpt)];
          }),
        ),
      ),
  });
}

export function haStatus(broker: string, flags: ClientFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: (admin) => admin.haStatus(broker),
    text: ({ master, masterCommitLogMaxOffset, inSyncSlaveNums, haConnectionInfo }) => {
      const head = `${broker}: ${master ? "master" : "slave"}, log ends at ${masterCommitLogMaxOffset}, ${inSyncSlaveNums} slaves in sync\n`;
      if (haConnectionInfo.length === 0) return head;
      const rows = haConnectionInfo.map(({ addr, slaveAckOffset, diff, inSync, transferredByteInSecond }) => [
        addr,
        slaveAckOffset,
        diff,
        inSync ? "yes" : "no",
        `${bytesText(transferredByteInSecond)}/s`,
      ]);
      return `${head}${table(["SLAVE", "HAS", "BEHIND", "IN SYNC", "RATE"], rows)}`;
    },
  });
}
