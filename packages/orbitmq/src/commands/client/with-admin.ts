/** A client for the time of one command. */
import { Admin } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "./client-flags.ts";

/** How long a command tries to reach a NameServer. */
const START_TIMEOUT_MS = 5_000;

/** Options every client of a command starts with. */
export function clientOptions(flags: ClientFlags, terminal: Terminal) {
  const namesrv = flags.namesrv ?? (terminal.env["NAMESRV_ADDR"] || "127.0.0.1:9876");
  return { namesrv, startTimeoutMs: START_TIMEOUT_MS };
}

export async function withAdmin<T>(
  flags: ClientFlags,
  terminal: Terminal,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new Admin(clientOptions(flags, terminal));
  try {
    await admin.start();
    return await use(admin);
  } finally {
    await admin.shutdown();
  }
}
