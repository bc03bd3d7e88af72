/** `orbitmq completion`: its argument, and how its output is put to use. */
import { Argument, type Command } from "commander";
import type { CommandContext } from "../command-context.ts";

const AFTER_HELP = `
bash    source <(orbitmq completion bash)                              in ~/.bashrc
zsh     source <(orbitmq completion zsh)                               in ~/.zshrc, after compinit
fish    orbitmq completion fish > ~/.config/fish/completions/orbitmq.fish`;

export type Shell = "bash" | "zsh" | "fish";

export function addCompletionCommand(root: Command, { terminal }: CommandContext): void {
  root
    .command("completion")
    .description("print a script that lets a shell complete commands and flags")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", AFTER_HELP)
    .action(async (shell: Shell) => {
      const { completionScript } = await import("./completion.ts");
      await terminal.out(completionScript(root, shell));
    });
}
