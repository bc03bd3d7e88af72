/** `orbitmq dlq …`: its flags. What it does is in dlq.ts and dlq-work.ts. */
import { type Command, Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import { type ClientFlags, withClientFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import { repeatable } from "../repeatable.ts";
import type { ShowFlags } from "./dlq.ts";
import type { DeleteFlags, RedriveFlags } from "./dlq-work.ts";

const AFTER_REDRIVE = `
A redriven message is the same message, with the same id, delivered to every group of its topic; properties tell which
dead letter it was (ORBITMQ_REDRIVEN_ID) and how often it was redriven (ORBITMQ_REDRIVES). Run again after it broke off,
this sends what is missing, and nothing twice.`;

const AFTER_DELETE = `
Deleted letters are no longer listed, shown or redriven here. Their bytes stay in the broker's log until it is cleaned:
no broker can take a single message out of it, and a consumer of the %DLQ% topic still gets them.`;

const TIME = "2026-01-31T12:00:00Z or ms since 1970";

function withSelection(command: Command): Command {
  return command
    .addOption(repeatable("--id <id>", "of this message: any of its ids; may be repeated"))
    .addOption(repeatable("-k, --key <key>", "with this key; may be repeated"))
    .addOption(repeatable("-t, --tag <tag>", "with this tag; may be repeated"))
    .addOption(repeatable("--topic <topic>", "that came from this topic; may be repeated"))
    .option("--reason <text>", "whose reason contains this text, where a reason is known")
    .option("--from <time>", `that died at or after this time: ${TIME}`)
    .option("--before <time>", `that died before this time: ${TIME}`)
    .addOption(new Option("--max <n>", "at most so many").argParser(wholeNumber("--max", 1)));
}

export function addDlqCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const dlq = root.command("dlq").description("look at dead letters, send them once more, or be rid of them");
  withClientFlags(dlq.command("list").description("print how many dead letters each group has")).action(
    async (flags: ClientFlags) => {
      const { listDeadLetters } = await import("./dlq.ts");
      setExitCode(await listDeadLetters(flags, terminal));
    },
  );
  withSelection(withClientFlags(dlq.command("show").description("print a group's dead letters")))
    .argument("<group>")
    .option("--all", "also those that were redriven or deleted and are still in the log")
    .action(async (group: string, flags: ShowFlags) => {
      const { showDeadLetters } = await import("./dlq.ts");
      setExitCode(await showDeadLetters(group, flags, terminal));
    });
  withSelection(
    withClientFlags(dlq.command("redrive").description("send a group's dead letters back to their topics")),
  )
    .argument("<group>")
    .option("--to <topic>", "to this topic instead")
    .addOption(new Option("--rate <n>", "at most so many a second").argParser(wholeNumber("--rate", 1)))
    .option("--dry-run", "only count them")
    .addHelpText("after", AFTER_REDRIVE)
    .action(async (group: string, flags: RedriveFlags) => {
      const { redrive } = await import("./dlq-work.ts");
      setExitCode(await redrive(group, flags, terminal));
    });
  withSelection(
    withClientFlags(dlq.command("delete").description("have a group's dead letters no longer listed")),
  )
    .argument("<group>")
    .option("--dry-run", "only count them")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", AFTER_DELETE)
    .action(async (group: string, flags: DeleteFlags) => {
      const { deleteLetters } = await import("./dlq-work.ts");
      setExitCode(await deleteLetters(group, flags, terminal));
    });
}
