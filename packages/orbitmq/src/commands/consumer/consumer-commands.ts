/** `orbitmq consumer …`: its flags. What it does is in consumer.ts. */
import type { Command } from "commander";
import { type ClientFlags, type WatchFlags, withClientFlags, withWatchFlag } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import type { ConsumeDirectlyFlags } from "./consumer.ts";

export function addConsumerCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const consumer = root.command("consumer").description("look at the members of consumer groups");
  withWatchFlag(
    withClientFlags(
      consumer
        .command("list")
        .description("print who is connected, and what brokers take the group to subscribe to")
        .argument("<group>"),
    ),
  ).action(async (group: string, flags: ClientFlags & WatchFlags) => {
    const { listConsumers } = await import("./consumer.ts");
    setExitCode(await listConsumers(group, flags, terminal));
  });
  withWatchFlag(
    withClientFlags(
      consumer
        .command("status")
        .description("print what a member does: its queues and how it fares with each topic")
        .argument("<group>")
        .argument("<client>", "its client id, as `consumer list` prints it"),
    ),
  ).action(async (group: string, client: string, flags: ClientFlags & WatchFlags) => {
    const { consumerStatus } = await import("./consumer.ts");
    setExitCode(await consumerStatus(group, client, flags, terminal));
  });
  withClientFlags(
    consumer
      .command("stack")
      .description("print the stacks of a member's threads; clients of Java only, a Node process has none")
      .argument("<group>")
      .argument("<client>"),
  ).action(async (group: string, client: string, flags: ClientFlags) => {
    const { consumerStack } = await import("./consumer.ts");
    setExitCode(await consumerStack(group, client, flags, terminal));
  });
  withClientFlags(
    consumer
      .command("consume")
      .description("have a member consume one message now; offsets stay where they are")
      .argument("<group>")
      .argument("<topic>")
      .argument("<id>", "the producer's id, or the one that names its place"),
  )
    .option("--client <id>", "the member (default: the first that is online)")
    .action(async (group: string, topic: string, id: string, flags: ConsumeDirectlyFlags) => {
      const { consumeDirectly } = await import("./consumer.ts");
      setExitCode(await consumeDirectly(group, topic, id, flags, terminal));
    });
}
