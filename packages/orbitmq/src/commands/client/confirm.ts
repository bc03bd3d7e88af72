/** The question before something is lost. Where nobody can answer, `--yes` must have been given. */
import { ServerError } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import type { YesFlags } from "./client-flags.ts";

/** Throws ServerError USAGE unless the answer is yes. `what`: "delete the topic orders with its messages". */
export async function confirm(what: string, flags: YesFlags, terminal: Terminal): Promise<void> {
  if (flags.yes === true) return;
  if (!terminal.stdinIsTerminal)
    throw new ServerError("USAGE", `this would ${what}; nobody is there to ask, so say --yes`);
  terminal.err(`This would ${what}. Go on? [y/N] `);
  const answer = await firstLine(terminal.readStdin());
  if (!/^y(es)?$/i.test(answer.trim())) throw new ServerError("USAGE", "nothing was done");
}

async function firstLine(input: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of input) {
    text += Buffer.from(chunk).toString("utf8");
    if (text.includes("\n")) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
