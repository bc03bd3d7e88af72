/** What the actions of commands get from whoever runs the command line. */
import type { Terminal } from "../terminal.ts";

export type SetExitCode = (code: number) => void;

/** What every command's action gets. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly setExitCode: SetExitCode;
}
