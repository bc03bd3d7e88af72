/**
 * Completion scripts, made from the program's own tree of commands. They hold every command and flag, so that a shell
 * answers at once; libraries that do this start the program for every key press.
 */
import type { Command } from "commander";
import { allCommands, commandTree } from "../command-tree.ts";
import { bashScript } from "./bash.ts";
import type { Shell } from "./completion-commands.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

export function completionScript(root: Command, shell: Shell): string {
  const commands = allCommands(commandTree(root));
  if (shell === "bash") return bashScript(commands);
  return shell === "zsh" ? zshScript(commands) : fishScript(commands);
}
