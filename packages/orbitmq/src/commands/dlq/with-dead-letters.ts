/** A DeadLetters for the time of one command. */
import { DeadLetters } from "@orbitmq/client";
import type { Terminal } from "../../terminal.ts";
import type { ClientFlags } from "../client/client-flags.ts";
import { clientOptions } from "../client/with-admin.ts";

export async function withDeadLetters<T>(
  flags: ClientFlags,
  terminal: Terminal,
  use: (letters: DeadLetters) => Promise<T>,
): Promise<T> {
  const letters = new DeadLetters(clientOptions(flags, terminal));
  try {
    await letters.start();
    return await use(letters);
  } finally {
    await letters.shutdown();
  }
}
