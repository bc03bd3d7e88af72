/** `orbitmq producer list`: its flags, and what it does behind them. */
import type { Command } from "commander";
import { type TargetFlags, type WatchFlags, withTargetFlags, withWatchFlag } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";

export function addProducerCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const producer = root.command("producer").description("look at who produces");
  withWatchFlag(
    withTargetFlags(
      producer
        .command("list")
        .description("print the producers that are online")
        .argument("[group]", "of this producer group only"),
      "every cluster",
    ),
  ).action(async (group: string | undefined, flags: TargetFlags & WatchFlags) => {
    const { listProducers } = await import("./producer.ts");
    setExitCode(await listProducers(group, flags, terminal));
  });
}
