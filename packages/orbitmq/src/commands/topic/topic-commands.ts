/** `orbitmq topic …`: its flags. What it does is in files of their own. */
import { type Command, Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import {
  type ClientFlags,
  type TargetFlags,
  type WatchFlags,
  withClientFlags,
  withTargetFlags,
  withWatchFlag,
  withYesFlag,
  type YesFlags,
} from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import { repeatable } from "../repeatable.ts";
import type { ListTopicsFlags } from "./topic.ts";
import type { CreateTopicFlags, UpdateTopicFlags } from "./topic-change.ts";

const ONLY_CLUSTER = "the only cluster there is";

export function addTopicCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const topic = root.command("topic").description("create, change, delete and look at topics");
  const count = (flags: string, what: string) =>
    new Option(flags, what).argParser(wholeNumber(flags.split(" ")[0] ?? "", 1));
  const perm = () =>
    new Option("--perm <perm>", "what clients may do").choices(["r", "w", "rw", "none"] as const);
  const attribute = () =>
    repeatable("--attribute <k=v>", "e.g. message.type=FIFO; an empty value drops it; may be repeated");

  withTargetFlags(
    topic.command("create").description("create a topic, or set all of it anew").argument("<topic>"),
    ONLY_CLUSTER,
  )
    .addOption(count("--queues <n>", "queues on each broker").default(8))
    .addOption(count("--read-queues <n>", "queues that are read, when not all are"))
    .addOption(perm().default("rw"))
    .option("--order", "messages of one sharding key keep their order when a broker is away")
    .addOption(attribute())
    .action(async (name: string, flags: CreateTopicFlags) => {
      const { createTopic } = await import("./topic-change.ts");
      setExitCode(await createTopic(name, flags, terminal));
    });
  withTargetFlags(
    topic
      .command("update")
      .description("change what is given of a topic, and leave the rest")
      .argument("<topic>"),
    "every broker that has it",
  )
    .addOption(count("--queues <n>", "queues on each broker"))
    .addOption(count("--read-queues <n>", "queues that are read"))
    .addOption(perm())
    .addOption(new Option("--order <yes|no>", "keep the order of a sharding key").choices(["yes", "no"]))
    .addOption(attribute())
    .action(async (name: string, flags: UpdateTopicFlags) => {
      const { updateTopic } = await import("./topic-change.ts");
      setExitCode(await updateTopic(name, flags, terminal));
    });
  withYesFlag(
    withTargetFlags(
      topic.command("delete").description("delete topics with their messages").argument("<topics...>"),
      ONLY_CLUSTER,
    ),
  ).action(async (names: string[], flags: TargetFlags & YesFlags) => {
    const { deleteTopics } = await import("./topic-change.ts");
    setExitCode(await deleteTopics(names, flags, terminal));
  });
  withClientFlags(topic.command("list").description("print the names of all topics"))
    .option("--cluster <name>", "of this cluster only")
    .action(async (flags: ListTopicsFlags) => {
      const { listTopics } = await import("./topic.ts");
      setExitCode(await listTopics(flags, terminal));
    });
  const one = (name: string, description: string) =>
    withClientFlags(topic.command(name).description(description)).argument("<topic>");
  one("show", "print how a topic is set up on each broker").action(
    async (name: string, flags: ClientFlags) => {
      const { showTopic } = await import("./topic.ts");
      setExitCode(await showTopic(name, flags, terminal));
    },
  );
  one("route", "print where a topic's queues are").action(async (name: string, flags: ClientFlags) => {
    const { topicRoute } = await import("./topic.ts");
    setExitCode(await topicRoute(name, flags, terminal));
  });
  withWatchFlag(one("status", "print the offsets of a topic's queues")).action(
    async (name: string, flags: ClientFlags & WatchFlags) => {
      const { topicStatus } = await import("./topic.ts");
      setExitCode(await topicStatus(name, flags, terminal));
    },
  );
  withWatchFlag(one("stats", "print what flows into a topic, and out of it to each group")).action(
    async (name: string, flags: ClientFlags & WatchFlags) => {
      const { topicStats } = await import("./topic-stats.ts");
      setExitCode(await topicStats(name, flags, terminal));
    },
  );
  one("groups", "print the groups that consume a topic").action(async (name: string, flags: ClientFlags) => {
    const { groupsOfTopic } = await import("./topic.ts");
    setExitCode(await groupsOfTopic(name, flags, terminal));
  });
  withYesFlag(
    withTargetFlags(
      topic.command("clean-unused").description("let what deleted topics have left on disk go"),
      "every cluster",
    ),
  ).action(async (flags: TargetFlags & YesFlags) => {
    const { cleanUnused } = await import("./topic-change.ts");
    setExitCode(await cleanUnused(flags, terminal));
  });
}
