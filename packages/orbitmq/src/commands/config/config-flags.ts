/** The flags that stand for configuration keys. How they become a configuration is in read-configuration.ts. */
import type { Command } from "commander";
import type { ServerRole } from "../../settings.ts";
import { repeatable } from "../repeatable.ts";

/** flag → key, description, and the roles that have it. */
export const KEY_FLAGS: readonly (readonly [
  flags: string,
  key: string,
  description: string,
  roles: readonly ServerRole[],
])[] = [
  [
    "--home <dir>",
    "storePathRootDir",
    "the store's folder, laid out as RocketMQ's storePathRootDir (default ./data)",
    ["server", "broker"],
  ],
  [
    "--host <addr>",
    "bindAddress",
    "address to listen on (default 127.0.0.1)",
    ["server", "namesrv", "broker"],
  ],
  ["--advertise <host>", "brokerIP1", "host name or address clients are told", ["server", "broker"]],
  ["--namesrv-port <n>", "namesrvPort", "the NameServer's port, 0: a free one (default 9876)", ["server"]],
  ["--namesrv-port <n>", "listenPort", "the NameServer's port, 0: a free one (default 9876)", ["namesrv"]],
  [
    "--broker-port <n>",
    "listenPort",
    "the broker's port, 0: a free one (default 10911)",
    ["server", "broker"],
  ],
  [
    "--vip-port <n>",
    "vipListenPort",
    "0: no VIP listener (default: the broker's port - 2)",
    ["server", "broker"],
  ],
  [
    "--metrics-port <n>",
    "metricsPromExporterPort",
    "port of /metrics and /health, 0: a free one (default 5557; of a NameServer alone 5556)",
    ["server", "namesrv", "broker"],
  ],
  [
    "--cluster <name>",
    "brokerClusterName",
    "the cluster's name (default DefaultCluster)",
    ["server", "broker"],
  ],
  ["--broker-name <name>", "brokerName", "the broker's name (default broker-a)", ["server", "broker"]],
  [
    "-n, --namesrv <addrs>",
    "namesrvAddr",
    "NameServers to register with, host:port;host:port (default $NAMESRV_ADDR)",
    ["broker"],
  ],
];

export interface ConfigFlags {
  readonly config?: string;
  readonly option: readonly string[];
  readonly ignoreKeys?: string;
  readonly [flag: string]: unknown;
}

/** `--broker-port <n>` → `brokerPort`, as commander names it. */
export const optionName = (flags: string): string =>
  /--([a-z-]+)/.exec(flags)![1]!.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

export function addConfigFlags(command: Command, role: ServerRole): Command {
  const file = role === "namesrv" ? "namesrv.conf" : "broker.conf";
  command.option("-c, --config <file>", `RocketMQ's ${file}`);
  for (const [flags, , description, roles] of KEY_FLAGS)
    if (roles.includes(role)) command.option(flags, description);
  return command
    .addOption(repeatable("-o, --option <key=value>", `set one key of ${file}; may be repeated`))
    .option(
      "--ignore-keys <keys>",
      "leave these keys out, separated by commas, although they promise safety",
    );
}
