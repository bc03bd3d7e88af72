/** `orbitmq message …`: its flags. What it does is in files of their own. */
import { type Command, Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import { type ClientFlags, withClientFlags } from "../client/client-flags.ts";
import type { CommandContext } from "../command-context.ts";
import type { QueryMessageFlags } from "./message.ts";
import type { QueueUnitsFlags } from "./queue-units.ts";
import type { TraceFlags } from "./trace.ts";
import type { WhereFlags } from "./where.ts";

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
  const queueId = (text: string) => wholeNumber("<queue>", 0)(text);
  withClientFlags(message.command("at").description("print the message at a queue offset"))
    .argument("<topic>")
    .argument("<broker>")
    .argument("<queue>", "the queue's id", queueId)
    .argument("<offset>", "the offset in the queue", (text: string) => wholeNumber("<offset>", 0)(text))
    .action(async (topic: string, broker: string, id: number, offset: number, flags: ClientFlags) => {
      const { messageAt } = await import("./message.ts");
      setExitCode(await messageAt({ topic, brokerName: broker, queueId: id }, offset, flags, terminal));
    });
  withClientFlags(message.command("units").description("print units of a queue as they are on disk"))
    .argument("<topic>")
    .argument("<broker>")
    .argument("<queue>", "the queue's id", queueId)
    .addOption(
      new Option("--from <offset>", "the first one (default: where the queue begins)").argParser(
        wholeNumber("--from", 0),
      ),
    )
    .addOption(new Option("--count <n>", "at most so many").argParser(wholeNumber("--count", 1)).default(10))
    .option("-g, --group <group>", "also tell what this group subscribes to")
    .action(async (topic: string, broker: string, id: number, flags: QueueUnitsFlags) => {
      const { queueUnits } = await import("./queue-units.ts");
      setExitCode(await queueUnits({ topic, brokerName: broker, queueId: id }, flags, terminal));
    });
  withClientFlags(
    message
      .command("resume-check")
      .description("ask a producer again what became of a transaction that was parked after its last check"),
  )
    .argument("<broker>")
    .argument("<topic>")
    .argument("<id>", "the id that names its place")
    .action(async (broker: string, topic: string, id: string, flags: ClientFlags) => {
      const { resumeCheck } = await import("./message.ts");
      setExitCode(await resumeCheck(broker, topic, id, flags, terminal));
    });
  withClientFlags(
    message
      .command("where")
      .description("tell what has become of a message: where it is, and who has had it"),
  )
    .option("--id <id>", "its producer's id, the one that names its place, or a recall handle")
    .option("--key <key>", "a key, with --topic")
    .option("--topic <topic>", "where to look (default, for an id: everywhere)")
    .addOption(
      new Option("--max <n>", "at most so many messages, the newest")
        .argParser(wholeNumber("--max", 1))
        .default(16),
    )
    .action(async (flags: WhereFlags) => {
      const { whereIsMessage } = await import("./where.ts");
      setExitCode(await whereIsMessage(flags, terminal));
    });
}
