/**
 * The tree of commands with their flags and help. Nothing here loads what a command needs to run: that is
 * imported when it is called, so that `--help` and the server's start stay quick.
 */
import { Command } from "commander";
import type { Terminal } from "../terminal.ts";
import { addClusterCommands } from "./cluster/cluster-commands.ts";
import type { SetExitCode } from "./command-context.ts";
import { addCompletionCommand } from "./completion/completion-commands.ts";
import { addConfigCommands } from "./config/config-commands.ts";
import { addConsumerCommands } from "./consumer/consumer-commands.ts";
import { addDlqCommands } from "./dlq/dlq-commands.ts";
import { addGroupCommands } from "./group/group-commands.ts";
import { addMessageCommands } from "./message/message-commands.ts";
import { addMessagingCommands } from "./messaging/messaging-commands.ts";
import { addOffsetCommands } from "./offset/offset-commands.ts";
import { addProducerCommands } from "./producer/producer-commands.ts";
import { addServerCommands } from "./server/server-commands.ts";
import { addStoreCommands } from "./store/store-commands.ts";
import { addTopicCommands } from "./topic/topic-commands.ts";
import { version } from "./version.ts";

export function program(terminal: Terminal, setExitCode: SetExitCode): Command {
  const root = new Command("orbitmq")
    .description(
      "A message queue in one process, with the semantics, protocol and disk format of Apache RocketMQ.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    // A flag belongs to the last command before it: `broker` and what is below it share some names.
    .enablePositionalOptions()
    .showHelpAfterError("(--help tells more)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(`orbitmq: ${text.replace(/^error: /, "")}`),
    });
  const context = { terminal, setExitCode };
  addServerCommands(root, context);
  addMessagingCommands(root, context);
  addClusterCommands(root, context);
  addTopicCommands(root, context);
  addGroupCommands(root, context);
  addConsumerCommands(root, context);
  addProducerCommands(root, context);
  addMessageCommands(root, context);
  addOffsetCommands(root, context);
  addDlqCommands(root, context);
  addConfigCommands(root, context);
  addStoreCommands(root, context);
  addCompletionCommand(root, context);
  return root;
}
