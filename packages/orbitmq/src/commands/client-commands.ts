/** `orbitmq send`, `consume`, `topic …` and `message …`: their flags. What they do is in files of their own. */
import { type Command, Option } from "commander";
import { duration, wholeNumber } from "../terminal.ts";
import type { CommandContext } from "./command-context.ts";
import type { ConsumeFlags } from "./consume.ts";
import type { QueryMessageFlags } from "./message.ts";
import { repeatable } from "./repeatable.ts";
import type { SendFlags } from "./send.ts";
import type { ClientFlags, CreateTopicFlags } from "./topic.ts";

export const withClientFlags = (command: Command): Command =>
  command
    .option(
      "-n, --namesrv <addrs>",
      "NameServers, host:port;host:port (default $NAMESRV_ADDR, then 127.0.0.1:9876)",
    )
    .option("--json", "print JSON, one object per line");

export function addClientCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
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
  withClientFlags(message.command("get").description("print one message by its id"))
    .argument("<topic>")
    .argument("<id>", "the producer's id, or the one that names its place")
    .action(async (name: string, id: string, flags: ClientFlags) => {
      const { getMessage } = await import("./message.ts");
      setExitCode(await getMessage(name, id, flags, terminal));
    });
}
