/** `orbitmq group …`: its flags. What it does is in files of their own. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { duration, wholeNumber } from "../../terminal.ts";
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
import type { SetGroupFlags } from "./group-change.ts";

const EVERYWHERE = "every cluster";
const ONLY_CLUSTER = "the only cluster there is";

export function addGroupCommands(root: Command, { terminal, setExitCode }: CommandContext): void {
  const group = root.command("group").description("look at consumer groups and set them up");
  withTargetFlags(group.command("list").description("print the groups brokers know"), EVERYWHERE).action(
    async (flags: TargetFlags) => {
      const { listGroups } = await import("./group.ts");
      setExitCode(await listGroups(flags, terminal));
    },
  );
  withTargetFlags(
    group.command("show").description("print a group's settings on each broker").argument("<group>"),
    EVERYWHERE,
  ).action(async (name: string, flags: TargetFlags) => {
    const { showGroup } = await import("./group.ts");
    setExitCode(await showGroup(name, flags, terminal));
  });
  withWatchFlag(
    withClientFlags(
      group
        .command("status")
        .description("print a group's members, what they subscribe to, and how far each queue is consumed")
        .argument("<group>"),
    ),
  ).action(async (name: string, flags: ClientFlags & WatchFlags) => {
    const { groupStatus } = await import("./group.ts");
    setExitCode(await groupStatus(name, flags, terminal));
  });
  withTargetFlags(
    group.command("topics").description("print the topics a group has offsets of").argument("<group>"),
    EVERYWHERE,
  ).action(async (name: string, flags: TargetFlags) => {
    const { topicsOfGroup } = await import("./group.ts");
    setExitCode(await topicsOfGroup(name, flags, terminal));
  });
  const yesNo = (flag: string, what: string) => new Option(`${flag} <yes|no>`, what).choices(["yes", "no"]);
  const number = (flag: string, what: string, least: number) =>
    new Option(`${flag} <n>`, what).argParser(wholeNumber(flag, least));
  withTargetFlags(
    group
      .command("set")
      .description("create a group, or change what is given of its settings")
      .argument("<group>"),
    ONLY_CLUSTER,
  )
    .addOption(yesNo("--consume", "members may consume"))
    .addOption(yesNo("--from-min", "a new group may begin at the first message"))
    .addOption(yesNo("--broadcast", "members may each consume everything"))
    .addOption(yesNo("--orderly", "for POP: messages are given out in order"))
    .addOption(yesNo("--notify", "members hear at once when one comes or goes"))
    .addOption(number("--retries", "deliveries before a message is a dead letter", 0))
    .addOption(number("--retry-queues", "queues of the retry topic", 0))
    .addOption(number("--read-from", "the broker id members read from", 0))
    .addOption(number("--read-slow-from", "the broker id for members that are far behind", 0))
    .addOption(
      new Option("--timeout <time>", "how long a listener may take, in minutes: 15m").argParser(
        duration("--timeout"),
      ),
    )
    .action(async (name: string, flags: SetGroupFlags) => {
      const { setGroup } = await import("./group-change.ts");
      setExitCode(await setGroup(name, flags, terminal));
    });
  withYesFlag(
    withTargetFlags(
      group.command("delete").description("delete groups' settings").argument("<groups...>"),
      ONLY_CLUSTER,
    ),
  )
    .option("--clean-offsets", "also where they are in their topics")
    .action(async (names: string[], flags: TargetFlags & YesFlags & { cleanOffsets?: boolean }) => {
      const { deleteGroups } = await import("./group-change.ts");
      setExitCode(await deleteGroups(names, flags, terminal));
    });
  withYesFlag(
    withTargetFlags(
      group
        .command("forbid")
        .description("stop a group from reading a topic")
        .argument("<group>")
        .argument("<topic>"),
      ONLY_CLUSTER,
    ),
  )
    .option("--off", "let it read the topic again")
    .action(async (name: string, topic: string, flags: TargetFlags & YesFlags & { off?: boolean }) => {
      const { forbidGroup } = await import("./group-change.ts");
      setExitCode(await forbidGroup(name, topic, flags, terminal));
    });
  withTargetFlags(
    group
      .command("mode")
      .description("have members pull a topic or pop it")
      .argument("<group>")
      .argument("<topic>")
      .argument("<mode>", "pull or pop", modeOf),
    ONLY_CLUSTER,
  )
    .addOption(number("--share", "with pop: each member also takes the queues of so many others", 0))
    .action(
      async (name: string, topic: string, mode: "PULL" | "POP", flags: TargetFlags & { share?: number }) => {
        const { setMode } = await import("./group-change.ts");
        setExitCode(await setMode(name, topic, mode, flags, terminal));
      },
    );
}

function modeOf(text: string): "PULL" | "POP" {
  const mode = text.toUpperCase();
  if (mode === "PULL" || mode === "POP") return mode;
  throw new InvalidArgumentError("Expected pull or pop.");
}
