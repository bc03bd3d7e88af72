/** `orbitmq server`, `namesrv` and `broker`: their flags. What they do is in run-server.ts. */
import { type Command, Option } from "commander";
import { LOG_FORMATS, LOG_LEVELS } from "../../logging/command-logger.ts";
import type { ServerRole } from "../../settings.ts";
import { duration } from "../../terminal.ts";
import { addBrokerCommands } from "../broker/broker-commands.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigFlags } from "../config/config-flags.ts";
import type { ServerFlags } from "./run-server.ts";

const ROLES: readonly (readonly [ServerRole, string])[] = [
  ["server", "run NameServer and broker in one process"],
  ["namesrv", "run a NameServer"],
  ["broker", "run a broker that registers with NameServers elsewhere, or look after running ones"],
];

const AFTER_HELP = `
When ready, one line goes to stdout: ready namesrv=HOST:PORT broker=HOST:PORT
Every key of broker.conf can also be set by the environment as ORBITMQ_<KEY>; see \`orbitmq config show\`.
Exit codes: 0 stopped, 2 usage or configuration, 3 store locked, 4 store damaged, 5 write failure,
6 address unusable, 7 stopping took too long, 8 no store (--existing), 11 disk full, 12 no lock to be had.`;

export function addServerCommands(root: Command, context: CommandContext): void {
  for (const [role, description] of ROLES) {
    const command = addConfigFlags(root.command(role).description(description), role);
    if (role === "broker") addBrokerCommands(command, context);
    if (role !== "namesrv")
      command
        .addOption(
          new Option("--store <where>", "where messages are kept")
            .choices(["disk", "memory"])
            .default("disk"),
        )
        .option("--existing", "refuse to create a store: only open one that is there")
        .option("--unsafe-no-lock", "go on where this machine offers no lock for the store")
        .addOption(
          new Option(
            "--on-write-failure <what>",
            "when writing the log fails: stay up for reading, or exit with 5",
          )
            .choices(["stay", "exit"])
            .default("stay"),
        );
    command
      .addOption(
        new Option("--stop-timeout <time>", "how long stopping may take, in seconds")
          .argParser(duration("--stop-timeout"))
          .default(20_000, "20"),
      )
      .addOption(
        new Option("--log-level <level>", "least level that is logged").choices(LOG_LEVELS).default("info"),
      )
      .addOption(
        new Option("--log-format <format>", "of the log on stderr").choices(LOG_FORMATS).default("text"),
      )
      .option("--json", "print the ready line as JSON")
      .addHelpText("after", role === "namesrv" ? "" : AFTER_HELP)
      .action(async (flags: ServerFlags) => {
        const { runServer } = await import("./run-server.ts");
        context.setExitCode(await runServer(role, flags, context.terminal));
      });
  }
}
