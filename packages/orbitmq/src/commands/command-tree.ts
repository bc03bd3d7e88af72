/** The command line as plain data, read from the program itself: what completion and docs/cli.md are made of. */
import { type Command, Help, type Option } from "commander";

export interface OptionNode {
  /** `-n, --namesrv <addrs>` */
  readonly flags: string;
  /** `-n`, `--namesrv` */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  readonly description: string;
}

export interface ArgumentNode {
  /** `<topic>`, `[body]`, `<key=value...>` */
  readonly term: string;
  readonly choices: readonly string[];
  readonly description: string;
}

export interface CommandNode {
  /** `["topic", "create"]`; empty for the program. */
  readonly path: readonly string[];
  readonly description: string;
  /** Below the program's name: `topic create [options] <topic>`. */
  readonly usage: string;
  readonly arguments: readonly ArgumentNode[];
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = new Help();
  return {
    path,
    description: command.description(),
    usage: [...path, command.usage()].join(" "),
    arguments: command.registeredArguments.map((argument) => ({
      term: help.argumentTerm(argument),
      choices: argument.argChoices ?? [],
      description: argument.description,
    })),
    options: help.visibleOptions(command).map((option) => optionNode(option, help)),
    commands: help.visibleCommands(command).map((below) => commandTree(below, [...path, below.name()])),
  };
}

function optionNode(option: Option, help: Help): OptionNode {
  return {
    flags: option.flags,
    names: [option.short, option.long].filter((name) => name !== undefined),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    description: help.optionDescription(option),
  };
}

/** The command and all below it, in the order of the help. */
export function allCommands(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(allCommands)];
}
