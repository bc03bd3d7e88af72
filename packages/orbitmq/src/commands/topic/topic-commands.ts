/** `orbitmq topic …`: its flags. What it does is in files of their own. */
import { type Command, Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import { type ClientFlags, withClientFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import type { CreateTopicFlags } from "./topic.ts";

export function addTopicCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const topic = root.command("topic").description("create and look at topics");
  withClientFlags(topic.command("create").description("create a topic, or change it"))
    .argument("<topic>")
    .addOption(
      new Option("--queues <n>", "queues on each broker").argParser(wholeNumber("--queues", 1)).default(8),
    )
    .addOption(new Option("--perm <perm>", "what clients may do").choices(["r", "w", "rw"]).default("rw"))
    .option("--cluster <name>", "on every master of this cluster (default: the only cluster there is)")
    .option("--broker <name>", "on this broker only")
    .action(async (name: string, flags: CreateTopicFlags) => {
      const { createTopic } = await import("./topic.ts");
      setExitCode(await createTopic(name, flags, terminal));
    });
  withClientFlags(topic.command("list").description("print the names of all topics")).action(
    async (flags: ClientFlags) => {
      const { listTopics } = await import("./topic.ts");
      setExitCode(await listTopics(flags, terminal));
    },
  );
  withClientFlags(topic.command("route").description("print where a topic's queues are"))
    .argument("<topic>")
    .action(async (name: string, flags: ClientFlags) => {
      const { topicRoute } = await import("./topic.ts");
      setExitCode(await topicRoute(name, flags, terminal));
    });
  withClientFlags(topic.command("status").description("print the offsets of a topic's queues"))
    .argument("<topic>")
    .action(async (name: string, flags: ClientFlags) => {
      const { topicStatus } = await import("./topic.ts");
      setExitCode(await topicStatus(name, flags, terminal));
    });
}
