/** `orbitmq store …`: their flags. What they do is in store.ts. */
import type { Command } from "commander";
import { Option } from "commander";
import { wholeNumber } from "../../terminal.ts";
import type { CommandContext } from "../command-context.ts";
import { addConfigFlags } from "../config/config-flags.ts";
import type { BackupFlags, DumpFlags, SkipFlags, StoreFlags } from "./store.ts";

const AFTER_HELP = `
verify, stat, dump, skip and backup also work while a server has the store open: they read what is on disk by its own
account (the flushed mark, a few seconds old at most). Exit codes: 0 done, 3 in use, 4 cannot be opened as it is,
8 no store, 13 damage was found.`;

export function addStoreCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const store = root
    .command("store")
    .description("look at, check, repair and copy a store's files")
    .addHelpText("after", AFTER_HELP);
  const add = (name: string, description: string) =>
    addConfigFlags(store.command(name).description(description), "broker").option("--json", "print JSON");

  add("verify", "check every record and queue; nothing is changed").action(async (flags: StoreFlags) => {
    const { verify } = await import("./store.ts");
    setExitCode(await verify(flags, terminal));
  });
  add("stat", "print bounds, queues and state").action(async (flags: StoreFlags) => {
    const { stat } = await import("./store.ts");
    setExitCode(await stat(flags, terminal));
  });
  const from = (what: string) => `${what}: ms since 1970 or 2026-01-31T12:00:00Z`;
  add("dump", "print records as JSON lines, in the order of the log")
    .option("-t, --topic <topic>", "of this topic only")
    .addOption(new Option("--queue <id>", "of this queue only").argParser(wholeNumber("--queue", 0)))
    .addOption(
      new Option("--from-offset <n>", "from this queue offset").argParser(wholeNumber("--from-offset", 0)),
    )
    .addOption(
      new Option("--to-offset <n>", "before this queue offset").argParser(wholeNumber("--to-offset", 0)),
    )
    .addOption(
      new Option("--from-position <n>", "from this offset of the log").argParser(
        wholeNumber("--from-position", 0),
      ),
    )
    .addOption(
      new Option("--to-position <n>", "before this offset of the log").argParser(
        wholeNumber("--to-position", 0),
      ),
    )
    .option("--from <time>", from("stored at or after"))
    .option("--to <time>", from("stored before"))
    .addOption(new Option("--count <n>", "end after so many").argParser(wholeNumber("--count", 1)))
    .action(async (flags: DumpFlags) => {
      const { dump } = await import("./store.ts");
      setExitCode(await dump(flags, terminal));
    });
  add("skip", "give a corrupt record up: its queue then goes on behind it, without that message")
    .addOption(
      new Option("--offset <n>", "where it lies in the log, as `verify` and the server's log say")
        .argParser(wholeNumber("--offset", 0))
        .makeOptionMandatory(),
    )
    .action(async (flags: SkipFlags) => {
      const { skip } = await import("./store.ts");
      setExitCode(await skip(flags, terminal));
    });
  add("rebuild-queues", "make the ConsumeQueues of a stopped store again from its log").action(
    async (flags: StoreFlags) => {
      const { rebuild } = await import("./store.ts");
      setExitCode(await rebuild("queues", flags, terminal));
    },
  );
  add("rebuild-index", "make the IndexFiles of a stopped store again from its log").action(
    async (flags: StoreFlags) => {
      const { rebuild } = await import("./store.ts");
      setExitCode(await rebuild("index", flags, terminal));
    },
  );
  add(
    "backup",
    "copy a store, running or not, into a folder; again into the same one copies only what is new",
  )
    .addOption(new Option("--to <dir>", "the folder").makeOptionMandatory())
    .action(async (flags: BackupFlags) => {
      const { backup } = await import("./store.ts");
      setExitCode(await backup(flags, terminal));
    });
}
