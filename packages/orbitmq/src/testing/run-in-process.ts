/** Runs a command line in this process as `cli.ts` would: its output, and the exit code it would end with. */
import { CommanderError } from "commander";
import { exitCodeFor, explain } from "../commands/failure.ts";
import { program } from "../commands/program.ts";
import { FakeTerminal, type FakeTerminalOptions } from "./fake-terminal.ts";

export interface InProcessRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: FakeTerminal;
}

export async function runInProcess(
  args: readonly string[],
  options: FakeTerminalOptions = {},
): Promise<InProcessRun> {
  const terminal = new FakeTerminal(options);
  let code = 0;
  try {
    await program(terminal, (exitCode) => {
      code = exitCode;
    }).parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? 0 : 2;
    else {
      terminal.err(explain(error));
      code = exitCodeFor(error);
    }
  }
  return { code, stdout: terminal.stdout, stderr: terminal.stderr, terminal };
}
