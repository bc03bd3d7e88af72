/**
 * `orbitmq broker list|status|…`: their flags. What they do is in files of their own. They are commands below the one
 * that runs a broker, whose own flags count only when no such word follows.
 */
import { type Command, Option } from "commander";
import {
  type ClientFlags,
  type TargetFlags,
  type WatchFlags,
  withClientFlags,
  withTargetFlags,
  withWatchFlag,
  withYesFlag,
  type YesFlags,
} from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";

const EVERYWHERE = "every cluster";

export function addBrokerCommands(broker: Command, { terminal, setExitCode }: CommandContext): void {
  broker.enablePositionalOptions().hook("preSubcommand", (parent, below) => {
    const early = parent.options.find(
      (option) => parent.getOptionValueSource(option.attributeName()) === "cli",
    );
    if (early !== undefined)
      parent.error(`${early.long} stands before ${below.name()}: flags come behind the last word`);
  });
  withClientFlags(broker.command("list").description("print brokers and their addresses")).action(
    async (flags: ClientFlags) => {
      const { listClusters } = await import("../cluster/cluster.ts");
      setExitCode(await listClusters(flags, terminal));
    },
  );
  withWatchFlag(
    withClientFlags(
      broker
        .command("status")
        .description("print what a broker says of itself")
        .argument("<broker>", "its name, or host:port"),
    ),
  ).action(async (name: string, flags: ClientFlags & WatchFlags) => {
    const { brokerStatus } = await import("./broker-status.ts");
    setExitCode(await brokerStatus(name, flags, terminal));
  });
  withWatchFlag(
    withTargetFlags(
      broker
        .command("stats")
        .description("print one of the brokers' counters over the last minute, hour and day")
        .argument("<name>", "TOPIC_PUT_NUMS, GROUP_GET_NUMS, BROKER_PUT_NUMS, …")
        .argument("<key>", "a topic, topic@group, or the cluster's name"),
      EVERYWHERE,
    ),
  ).action(async (name: string, key: string, flags: TargetFlags & WatchFlags) => {
    const { brokerStats } = await import("./broker-status.ts");
    setExitCode(await brokerStats(name, key, flags, terminal));
  });
  withClientFlags(
    broker
      .command("ha")
      .description("print how far a master's slaves are")
      .argument("<broker>", "its name, or host:port"),
  ).action(async (name: string, flags: ClientFlags) => {
    const { haStatus } = await import("./broker-status.ts");
    setExitCode(await haStatus(name, flags, terminal));
  });

  const config = broker.command("config").description("look at and change what running brokers are set to");
  withClientFlags(
    config
      .command("show")
      .description("print a running broker's configuration")
      .argument("<broker>", "its name, or host:port")
      .argument("[keys...]", "only these"),
  ).action(async (name: string, keys: string[], flags: ClientFlags) => {
    const { showBrokerConfig } = await import("./broker-config.ts");
    setExitCode(await showBrokerConfig(name, keys, flags, terminal));
  });
  withYesFlag(
    withTargetFlags(
      config
        .command("set")
        .description("change keys of running brokers; they keep them over a restart")
        .argument("<key=value...>"),
      EVERYWHERE,
    ),
  ).action(async (values: string[], flags: TargetFlags & YesFlags) => {
    const { setBrokerConfig } = await import("./broker-config.ts");
    setExitCode(await setBrokerConfig(values, flags, terminal));
  });

  withTargetFlags(
    broker.command("clean-expired").description("let expired files of queues go now"),
    EVERYWHERE,
  ).action(async (flags: TargetFlags) => {
    const { cleanExpired } = await import("./broker-care.ts");
    setExitCode(await cleanExpired(flags, terminal));
  });
  withYesFlag(
    withTargetFlags(
      broker.command("delete-expired-log").description("let expired files of the log go now"),
      EVERYWHERE,
    ),
  ).action(async (flags: TargetFlags & YesFlags) => {
    const { deleteExpiredLog } = await import("./broker-care.ts");
    setExitCode(await deleteExpiredLog(flags, terminal));
  });
  withYesFlag(
    withClientFlags(
      broker
        .command("writable")
        .description("say on every NameServer whether producers see a broker's topics as writable")
        .argument("<broker>", "its name")
        .addOption(new Option("--off", "not writable: producers go elsewhere")),
    ),
  ).action(async (name: string, flags: ClientFlags & YesFlags & { off?: boolean }) => {
    const { setWritable } = await import("./broker-care.ts");
    setExitCode(await setWritable(name, flags, terminal));
  });
}
