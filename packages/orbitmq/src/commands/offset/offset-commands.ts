/** `orbitmq offset …`: its flags. What it does is in files of their own. */
import { type Command, Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import { type ClientFlags, withClientFlags, withYesFlag, type YesFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import type { CloneFlags, ResetFlags } from "./offset.ts";

export function addOffsetCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const offset = root.command("offset").description("move groups to other places of their topics");
  const withPlaceFlags = (command: Command) =>
    withYesFlag(withClientFlags(command.argument("<group>").argument("<topic>")))
      .option("--broker <name>", "with --queue: of this broker")
      .addOption(new Option("--queue <id>", "this queue only").argParser(wholeNumber("--queue", 0)))
      .option("--dry-run", "only print what would change");
  withPlaceFlags(
    offset
      .command("reset")
      .description("let a group go on elsewhere in a topic, whether it is online or not"),
  )
    .requiredOption(
      "--to <where>",
      "2026-01-31T12:00:00Z, ms since 1970, begin, end, or with --queue an offset: @1234",
    )
    .action(async (group: string, topic: string, flags: ResetFlags) => {
      const { resetOffsets } = await import("./offset.ts");
      setExitCode(await resetOffsets(group, topic, flags, terminal));
    });
  withPlaceFlags(
    offset
      .command("skip")
      .description("let a group go on with what comes next, and leave out what is before it"),
  ).action(async (group: string, topic: string, flags: Omit<ResetFlags, "to">) => {
    const { resetOffsets } = await import("./offset.ts");
    setExitCode(await resetOffsets(group, topic, { ...flags, to: "end" }, terminal));
  });
  withYesFlag(
    withClientFlags(
      offset
        .command("clone")
        .description("let one group go on where another is")
        .argument("<from>", "the group whose offsets are taken")
        .argument("<to>")
        .argument("[topic]", "default: every topic the first has offsets of"),
    ),
  )
    .option("--online-only", "only while the first group has a member that subscribes to the topic")
    .action(async (from: string, to: string, topic: string | undefined, flags: CloneFlags) => {
      const { cloneOffsets } = await import("./offset.ts");
      setExitCode(await cloneOffsets(from, to, topic, flags, terminal));
    });
  withClientFlags(
    offset
      .command("show")
      .description("print where a group is in every queue of a topic, and how old what comes next is")
      .argument("<group>")
      .argument("<topic>"),
  ).action(async (group: string, topic: string, flags: ClientFlags & YesFlags) => {
    const { showOffsets } = await import("./offset.ts");
    setExitCode(await showOffsets(group, topic, flags, terminal));
  });
}
