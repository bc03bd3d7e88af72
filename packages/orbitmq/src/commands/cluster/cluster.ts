/** `orbitmq cluster list|status`. */
import type { Admin, BrokerRuntime, ClusterOverview, ServerFailure } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags, WatchFlags } from "../client/client-flags.ts";
import { report } from "../client/report.ts";
import { bytesText, percentText, rateText } from "../client/texts.ts";
import { table } from "../table.ts";

export function listClusters(flags: ClientFlags, terminal: Terminal): Promise<number> {
  return report(flags, terminal, {
    look: (admin) => admin.clusterInfo(),
    text: ({ brokers }) =>
      table(
        ["CLUSTER", "BROKER", "ID", "ADDRESS"],
        brokers.flatMap(({ cluster, brokerName, addresses }) =>
          Object.entries(addresses).map(([id, address]) => [cluster, brokerName, Number(id), address]),
        ),
      ),
  });
}

type StatusRow = Omit<BrokerRuntime, "table"> & { readonly cluster: string };

interface ClusterStatus {
  readonly brokers: readonly StatusRow[];
  readonly failures: readonly ServerFailure[];
}

export function clusterStatus(
  cluster: string | undefined,
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
): Promise<number> {
  return report(flags, terminal, { look: (admin) => statusOf(admin, cluster), text: statusText });
}

async function statusOf(admin: Admin, cluster: string | undefined): Promise<ClusterStatus> {
  const [overview, runtimes] = await Promise.all([admin.clusterInfo(), admin.brokerRuntimes({ cluster })]);
  const rows = runtimes.brokers.map(({ table: _, ...row }) => ({
    cluster: clusterOf(overview, row.brokerName),
    ...row,
  }));
  return { brokers: rows.sort((a, b) => (a.cluster < b.cluster ? -1 : 1)), failures: runtimes.failures };
}

const clusterOf = ({ brokers }: ClusterOverview, name: string): string =>
  brokers.find(({ brokerName }) => brokerName === name)?.cluster ?? "";

function statusText({ brokers }: ClusterStatus): string {
  const rows = brokers.map((row) => [
    row.cluster,
    row.brokerName,
    row.address,
    row.version,
    rateText(row.putTps),
    rateText(row.getTps),
    bytesText(row.commitLogMaxOffset - row.commitLogMinOffset),
    percentText(row.diskRatio),
    bytesText(row.dispatchBehindBytes),
    ...(row.bootTimestamp > 0 ? [new Date(row.bootTimestamp).toISOString()] : ["?"]),
  ]);
  return table(
    ["CLUSTER", "BROKER", "ADDRESS", "VERSION", "IN/S", "OUT/S", "LOG", "DISK", "BEHIND", "UP SINCE"],
    rows,
  );
}
