/** `orbitmq message …`: its flags. What it does is in files of their own. */
import { type Command, Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import { type ClientFlags, withClientFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import type { QueryMessageFlags } from "./message.ts";
import type { TraceFlags } from "./trace.ts";

export function addMessageCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const message = root.command("message").description("find stored messages");
  withClientFlags(message.command("query").description("print the messages with a key"))
    .argument("<topic>")
    .argument("<key>")
    .option("--tag", "the key is a tag")
    .addOption(
      new Option("--max <n>", "at most so many of each broker")
        .argParser(wholeNumber("--max", 1))
        .default(64),
    )
    .addOption(new Option("--from <ms>", "stored at or after").argParser(wholeNumber("--from", 0)))
    .addOption(new Option("--to <ms>", "stored at or before").argParser(wholeNumber("--to", 0)))
    .action(async (name: string, key: string, flags: QueryMessageFlags) => {
      const { queryMessages } = await import("./message.ts");
      setExitCode(await queryMessages(name, key, flags, terminal));
    });
  withClientFlags(message.command("trace").description("print what clients told of a message"))
    .option("--id <id>", "the id its producer gave it")
    .option("--key <key>", "one of its keys; prints all messages that have it")
    .option("--topic <topic>", "the topic of the traces (default: RMQ_SYS_TRACE_TOPIC)")
    .action(async (flags: TraceFlags) => {
      const { traceMessage } = await import("./trace.ts");
      setExitCode(await traceMessage(flags, terminal));
    });
  withClientFlags(message.command("get").description("print one message by its id"))
    .argument("<topic>")
    .argument("<id>", "the producer's id, or the one that names its place")
    .action(async (name: string, id: string, flags: ClientFlags) => {
      const { getMessage } = await import("./message.ts");
      setExitCode(await getMessage(name, id, flags, terminal));
    });
}
