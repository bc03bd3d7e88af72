/** `orbitmq group …`: its flags. What it does is in group.ts. */
import type { Command } from "commander";
import { type ClientFlags, withClientFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import type { ResetGroupFlags } from "./group.ts";

export function addGroupCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const group = root.command("group").description("look at consumer groups and set their offsets");
  withClientFlags(
    group
      .command("status")
      .description("print a group's members, what they subscribe to, and how far each queue is consumed"),
  )
    .argument("<group>")
    .action(async (name: string, flags: ClientFlags) => {
      const { groupStatus } = await import("./group.ts");
      setExitCode(await groupStatus(name, flags, terminal));
    });
  withClientFlags(
    group.command("reset").description("let a group go on elsewhere in a topic, whether it is online or not"),
  )
    .argument("<group>")
    .argument("<topic>")
    .requiredOption("--to <time>", "2026-01-31T12:00:00Z, ms since 1970, or end")
    .action(async (name: string, topic: string, flags: ResetGroupFlags) => {
      const { resetGroup } = await import("./group.ts");
      setExitCode(await resetGroup(name, topic, flags, terminal));
    });
}
