/** The script for fish: one line for each command and flag, which holds where the words before have led to it. */
import type { CommandNode } from "../command-tree.ts";
import { keyOf, stepPatterns, valuePatterns } from "./walk.ts";

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

export function fishScript(commands: readonly CommandNode[]): string {
  const lines = commands.flatMap((command) => {
    const at = `complete -c orbitmq -n ${quoted(`__orbitmq_at ${quoted(keyOf(command))}`)}`;
    return [
      ...command.commands.map(
        ({ path, description }) => `${at} -f -a ${quoted(path.at(-1) ?? "")} -d ${quoted(description)}`,
      ),
      ...command.arguments
        .filter((argument) => argument.choices.length > 0)
        .map((argument) => `${at} -f -a ${quoted(argument.choices.join(" "))}`),
      ...command.options.map(({ names, takesValue, choices, description }) => {
        const flags = names.map((name) =>
          name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
        );
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takesValue ? " -r" : "";
        return `${at} ${flags.join(" ")}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# fish completion of orbitmq; made by \`orbitmq completion fish\`
function __orbitmq_at
    set -l at ''
    set -l skip 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at $word"
            case ${valuePatterns(commands).replaceAll(" | ", " ")}
                set skip 1
                continue
        end
        switch "$at/$word"
            case ${stepPatterns(commands).replaceAll(" | ", " ")}
                test -n "$at"; and set at "$at/$word"; or set at $word
        end
    end
    test "$at" = "$argv[1]"
end
${lines.join("\n")}
`;
}
