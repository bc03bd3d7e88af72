/**
 * The tree of commands with their flags and help. Nothing here loads what a command needs to run: that is
 * imported when it is called, so that `--help` and the server's start stay quick.
 */
import { Command, Option } from "commander";
import type { Terminal } from "../terminal.ts";
import { addClientCommands } from "./client-commands.ts";
import { addConfigCommands } from "./config-commands.ts";
import { addServerCommands } from "./server-commands.ts";

/** Replaced by the build with the package's version. */
declare const ORBITMQ_VERSION: string | undefined;
export const version = typeof ORBITMQ_VERSION === "string" ? ORBITMQ_VERSION : "0.0.0-source";

export type SetExitCode = (code: number) => void;

/** What every command's action gets. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly setExitCode: SetExitCode;
}

export function program(terminal: Terminal, setExitCode: SetExitCode): Command {
  const root = new Command("orbitmq")
    .description(
      "A message queue in one process, with the semantics, protocol and disk format of Apache RocketMQ.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .showHelpAfterError("(--help tells more)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(`orbitmq: ${text.replace(/^error: /, "")}`),
    });
  const context = { terminal, setExitCode };
  addServerCommands(root, context);
  addClientCommands(root, context);
  addConfigCommands(root, context);
  return root;
}

/** For flags that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([] as string[], "none")
    .argParser((value: string, earlier: string[]) => [...earlier, value]);
}
