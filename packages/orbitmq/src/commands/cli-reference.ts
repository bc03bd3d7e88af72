/** Writes docs/cli.md from the program's own tree of commands, so that the page cannot say anything else than --help. */
import type { Terminal } from "../terminal.ts";
import { allCommands, type CommandNode, commandTree } from "./command-tree.ts";
import { program } from "./program.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "\\<");
const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

/** What the tree of commands needs of a terminal to be made, and nothing that would run. */
const noTerminal = {} as Terminal;

const HEAD = `# The command \`orbitmq\`

<!-- Written by \`npm run docs\` from the command itself; a test compares the two. -->

Every command tells of itself with \`--help\`. What holds for all that talk to servers:

- \`-n, --namesrv\` names the NameServers; without it \`$NAMESRV_ADDR\`, then \`127.0.0.1:9876\`.
- Tables are for people. \`--json\` prints one JSON object per line, whose members stay as they are; new ones may come.
- \`--watch\` looks again every two seconds, or as often as it says (\`--watch 500ms\`). On a terminal each look is drawn
  over the last one, with \`--json\` each is a line. SIGINT ends it with 0.
- \`--cluster\` and \`--broker\` say which brokers are meant. A broker is named by its name, then its master is asked, or by
  \`host:port\`.
- Where several servers are asked, each is, whatever the others say. Those that do not answer are named on stderr, and the
  exit code is 9. A change that one of them refuses is done on the others; the error says where.
- What cannot be taken back is asked about first. Where nobody sits at the terminal, \`--yes\` must be given, else the
  command ends with 2 and nothing is done.
- [Exit codes](exit-codes.md): 0 done, 2 a mistake in what was given, 9 a server could not be reached or refused.

Completion of commands and flags: \`source <(orbitmq completion bash)\` in \`~/.bashrc\`, \`source <(orbitmq completion zsh)\`
in \`~/.zshrc\` after \`compinit\`, \`orbitmq completion fish > ~/.config/fish/completions/orbitmq.fish\`.
`;

export function cliReference(): string {
  const [root, ...commands] = allCommands(commandTree(program(noTerminal, () => {})));
  const rooms = root?.commands ?? [];
  const contents = rooms.map(
    ({ path, description }) => `- [${path.join(" ")}](#orbitmq-${path.join("-")}): ${description}`,
  );
  return [HEAD, `${contents.join("\n")}\n`, ...commands.map(section)].join("\n");
}

function section(command: CommandNode): string {
  const { path, description, usage, options, commands } = command;
  const level = "#".repeat(Math.min(path.length + 1, 4));
  const parts = [`${level} orbitmq ${path.join(" ")}\n`, `${cell(capital(description))}.\n`];
  const isGroup = commands.length > 0 && command.arguments.length === 0 && options.length <= 1;
  if (!isGroup) parts.push(`\`\`\`\norbitmq ${usage}\n\`\`\`\n`);
  const rows = [
    ...command.arguments.map(({ term, description: what, choices }) => [term, withChoices(what, choices)]),
    ...options
      .filter(({ names }) => !names.includes("--help"))
      .map(({ flags, description: what }) => [flags, what]),
  ];
  if (rows.some(([, what]) => what !== ""))
    parts.push(
      `${["| | |", "|---|---|", ...rows.map(([name = "", what = ""]) => `| ${code(name)} | ${cell(what)} |`)].join("\n")}\n`,
    );
  return parts.join("\n");
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const withChoices = (what: string, choices: readonly string[]): string =>
  choices.length === 0 ? what : `${what}${what === "" ? "" : "; "}one of ${choices.join(", ")}`;
