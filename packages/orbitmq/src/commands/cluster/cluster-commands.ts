/** `orbitmq cluster …`: its flags. What it does is in cluster.ts. */
import type { Command } from "commander";
import { type ClientFlags, type WatchFlags, withClientFlags, withWatchFlag } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";

export function addClusterCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const cluster = root.command("cluster").description("look at clusters: their brokers and what flows");
  withClientFlags(
    cluster.command("list").description("print the clusters and brokers NameServers know"),
  ).action(async (flags: ClientFlags) => {
    const { listClusters } = await import("./cluster.ts");
    setExitCode(await listClusters(flags, terminal));
  });
  withWatchFlag(
    withClientFlags(
      cluster
        .command("status")
        .description("print every master's rates, disk and age of its oldest message")
        .argument("[cluster]"),
    ),
  ).action(async (name: string | undefined, flags: ClientFlags & WatchFlags) => {
    const { clusterStatus } = await import("./cluster.ts");
    setExitCode(await clusterStatus(name, flags, terminal));
  });
}
