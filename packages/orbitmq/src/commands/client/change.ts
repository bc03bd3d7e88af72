/** How commands that change something say what they did: a sentence, or the result as JSON. */
import type { Admin } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "./client-flags.ts";
import { jsonLine } from "./report.ts";
import { withAdmin } from "./with-admin.ts";

/** The exit code. `say`: without a newline. */
export async function change<T>(
  flags: ClientFlags,
  terminal: Terminal,
  act: (admin: Admin) => Promise<T>,
  say: (value: T) => string,
): Promise<number> {
  const value = await withAdmin(flags, terminal, act);
  await terminal.out(flags.json === true ? jsonLine(value) : `${say(value)}\n`);
  return 0;
}
