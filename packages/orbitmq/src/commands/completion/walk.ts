/** What bash and zsh scripts share: POSIX case patterns by which a script walks from word to word to a command. */
import type { CommandNode } from "../command-tree.ts";

/** `topic/create`; the program itself is empty. */
export const keyOf = ({ path }: CommandNode): string => path.join("/");

/** One pattern for each command below another: `topic/create`. The program's own are `/topic`. */
export const stepPatterns = (commands: readonly CommandNode[]): string =>
  commands
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => `'${path.slice(0, -1).join("/")}/${path.at(-1)}'`)
    .join(" | ");

/** Flags whose next word is their value: `topic/create --perm`. */
export const valuePatterns = (commands: readonly CommandNode[]): string =>
  commands
    .flatMap((command) =>
      command.options
        .filter(({ takesValue }) => takesValue)
        .flatMap(({ names }) => names.map((name) => `'${keyOf(command)} ${name}'`)),
    )
    .join(" | ");

export const subcommandNames = ({ commands }: CommandNode): string[] =>
  commands.map(({ path }) => path.at(-1) ?? "");
