/** The script for bash, from 3.2 (macOS) on. */
import type { CommandNode } from "../command-tree.ts";
import { keyOf, stepPatterns, subcommandNames, valuePatterns } from "./walk.ts";

export function bashScript(commands: readonly CommandNode[]): string {
  const choices = commands.flatMap((command) =>
    command.options
      .filter((option) => option.choices.length > 0)
      .flatMap(({ names, choices: values }) =>
        names.map((name) => `    '${keyOf(command)} ${name}') words='${values.join(" ")}' ;;`),
      ),
  );
  const words = commands.map((command) => {
    const argumentChoices = command.arguments.flatMap((argument) => argument.choices);
    const below = [...subcommandNames(command), ...argumentChoices].join(" ");
    const flags = command.options.flatMap(({ names }) => names).join(" ");
    return `    '${keyOf(command)}') words='${below}' flags='${flags}' ;;`;
  });
  return `# bash completion of orbitmq; made by \`orbitmq completion bash\`
_orbitmq() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" at='' word i words='' flags=''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$at $word" in
      ${valuePatterns(commands)}) i=$((i + 1)); continue ;;
    esac
    case "$at/$word" in
      ${stepPatterns(commands)}) at="\${at:+$at/}$word" ;;
    esac
  done
  COMPREPLY=()
  case "$at $prev" in
${choices.join("\n")}
    ${valuePatterns(commands)}) return ;;
  esac
  if [ -z "$words" ]; then
    case "$at" in
${words.join("\n").replace(/^ {4}/gm, "      ")}
    esac
    case "$cur" in
      -*) words="$flags" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _orbitmq orbitmq
`;
}
