/** The script for zsh: names with their descriptions. */
import type { CommandNode } from "../command-tree.ts";
import { keyOf, stepPatterns, valuePatterns } from "./walk.ts";

/** `'name:what it does'`, as _describe takes it. */
const described = (name: string, description: string): string =>
  `'${`${name.replaceAll(":", "\\:")}:${description.replaceAll("\n", " ")}`.replaceAll("'", "'\\''")}'`;

export function zshScript(commands: readonly CommandNode[]): string {
  const choices = commands.flatMap((command) =>
    command.options
      .filter((option) => option.choices.length > 0)
      .flatMap(({ names, choices: values }) =>
        names.map((name) => `    '${keyOf(command)} ${name}') compadd -- ${values.join(" ")}; return ;;`),
      ),
  );
  const words = commands.map((command) => {
    const below = [
      ...command.commands.map(({ path, description }) => described(path.at(-1) ?? "", description)),
      ...command.arguments.flatMap((argument) =>
        argument.choices.map((choice) => described(choice, argument.description)),
      ),
    ];
    const flags = command.options.flatMap(({ names, description }) =>
      names.map((name) => described(name, description)),
    );
    return `    '${keyOf(command)}') below=(${below.join(" ")}) flags=(${flags.join(" ")}) ;;`;
  });
  return `#compdef orbitmq
# zsh completion of orbitmq; made by \`orbitmq completion zsh\`
_orbitmq() {
  local at='' word i
  local -a below flags
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    case "$at $word" in
      ${valuePatterns(commands)}) ((i++)); continue ;;
    esac
    case "$at/$word" in
      ${stepPatterns(commands)}) at="\${at:+$at/}$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${choices.join("\n")}
    ${valuePatterns(commands)}) _files; return ;;
  esac
  case "$at" in
${words.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe 'flag' flags
  elif ((\${#below})); then
    _describe 'command' below
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_orbitmq" ]; then
  _orbitmq "$@"
else
  compdef _orbitmq orbitmq
fi
`;
}
