/** How commands that change something say what they did: a sentence, or the result as JSON. */
import type { Admin } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "./client-flags.ts";
import { jsonLine } from "./report.ts";
import { withAdmin } from "./with-admin.ts";

/** The exit code. `say`: without a newline. */
export function change<T>(
  flags: ClientFlags,
  terminal: Terminal,
  act: (admin: Admin) => Promise<T>,
  say: (value: T) => string,
): Promise<number> {
  return changeSeveral(flags, terminal, async (admin) => [await act(admin)], say);
}

/** Of several things: a line for each. */
export async function changeSeveral<T>(
  flags: ClientFlags,
  terminal: Terminal,
  act: (admin: Admin) => Promise<readonly T[]>,
  say: (value: T) => string,
): Promise<number> {
  const values = await withAdmin(flags, terminal, act);
  const line = (value: T): string => (flags.json === true ? jsonLine(value) : `${say(value)}\n`);
  await terminal.out(values.map(line).join(""));
  return 0;
}
