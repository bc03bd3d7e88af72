/** `orbitmq config show|check`: their flags. What they do is in show-config.ts. */
import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.ts";
import { addConfigFlags, type ConfigFlags } from "./config-flags.ts";
import { addNameServerConfigCommands } from "./name-server-config-commands.ts";

export interface ConfigCommandFlags extends ConfigFlags {
  readonly role: "server" | "namesrv" | "broker";
  readonly json?: boolean;
}

export function addConfigCommands(root: Command, context: CommandContext): void {
  const { terminal, setExitCode } = context;
  const config = root
    .command("config")
    .description("look at the configuration a server would start with, and at that of running NameServers");
  const add = (name: "show" | "check", description: string) =>
    addConfigFlags(config.command(name).description(description), "server")
      .addOption(
        new Option("--role <role>", "whose configuration")
          .choices(["server", "namesrv", "broker"])
          .default("server"),
      )
      .option("--json", "print JSON")
      .action(async (flags: ConfigCommandFlags) => {
        const { showConfig, checkConfig } = await import("./show-config.ts");
        setExitCode(await (name === "show" ? showConfig : checkConfig)(flags, terminal));
      });
  add("show", "print every effective value and where it comes from; secrets are masked");
  add(
    "check",
    "read the configuration and say what is wrong with it; exit code 2 when a server would not start",
  );
  addNameServerConfigCommands(config, context);
}
