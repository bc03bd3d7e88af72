/** `orbitmq send` and `consume`: their flags. What they do is in files of their own. */
import { type Command, Option } from "commander";
import { duration, wholeNumber } from "../../terminal.ts";
import { withClientFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import { repeatable } from "../repeatable.ts";
import type { ConsumeFlags } from "./consume.ts";
import type { SendFlags } from "./send.ts";

export function addMessagingCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  withClientFlags(root.command("send").description("send a message, or one per line of stdin"))
    .argument("<topic>")
    .argument("[body]", "the body; - (or nothing, when stdin is no terminal) reads it from stdin")
    .option("--lines", "read stdin and send every line as a message")
    .option("-t, --tag <tag>", "the tag consumers filter by")
    .addOption(repeatable("-k, --key <key>", "a key to find the message by; may be repeated"))
    .addOption(repeatable("-p, --property <k=v>", "a property; may be repeated"))
    .addOption(
      new Option("--count <n>", "send the message so many times")
        .argParser(wholeNumber("--count", 1))
        .default(1),
    )
    .addOption(new Option("--rate <n>", "at most so many a second").argParser(wholeNumber("--rate", 1)))
    .action(async (topic: string, body: string | undefined, flags: SendFlags) => {
      const { send } = await import("./send.ts");
      setExitCode(await send(topic, body, flags, terminal));
    });

  withClientFlags(
    root.command("consume").description("print messages: only looking, or as a member of a group"),
  )
    .argument("<topic>")
    .option("-g, --group <group>", "take part as a member of this group: what is printed is consumed")
    .option("-t, --tag <expr>", "tags joined by ||", "*")
    .option("--from <where>", "first, last, or a time (2026-01-31T12:00:00Z, ms since 1970)", "last")
    .addOption(new Option("--count <n>", "end after so many messages").argParser(wholeNumber("--count", 1)))
    .addOption(new Option("--timeout <time>", "end after so many seconds").argParser(duration("--timeout")))
    .action(async (topic: string, flags: ConsumeFlags) => {
      const { consume } = await import("./consume.ts");
      setExitCode(await consume(topic, flags, terminal));
    });
}
