/** `orbitmq dlq redrive|delete`. A signal lets what is on its way arrive, and tells how far it came. */
import type { DeadLetters, DeadLetterWorkOptions, DeadLetterWorkResult } from "@orbitmq/client";
import { ServerError, serverErrors } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import { lines } from "../messaging/stdin.ts";
import { progressBar } from "../progress-bar.ts";
import { type SelectionFlags, selectionOf } from "./selection-flags.ts";
import { withDeadLetters } from "./with-dead-letters.ts";

export interface RedriveFlags extends SelectionFlags {
  readonly to?: string;
  readonly rate?: number;
  readonly dryRun?: boolean;
}

export interface DeleteFlags extends SelectionFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export async function redrive(group: string, flags: RedriveFlags, terminal: Terminal): Promise<number> {
  const { to, rate, dryRun } = flags;
  const options = { ...selectionOf(flags), to, rate, dryRun };
  const result = await withDeadLetters(flags, terminal, (letters) =>
    working("redriving", terminal, (work) => letters.redrive(group, { ...options, ...work })),
  );
  return told(result, "redriven", flags, terminal);
}

export async function deleteLetters(group: string, flags: DeleteFlags, terminal: Terminal): Promise<number> {
  const options = { ...selectionOf(flags), dryRun: flags.dryRun };
  if (flags.dryRun !== true && flags.yes !== true && !terminal.stdinIsTerminal)
    throw new ServerError("USAGE", "nobody is there to be asked: give --yes, or --dry-run to see how many");
  const result = await withDeadLetters(flags, terminal, async (letters) => {
    if (flags.dryRun !== true && flags.yes !== true && !(await confirmed(letters, group, flags, terminal)))
      return undefined;
    return working("deleting", terminal, (work) => letters.delete(group, { ...options, ...work }));
  });
  return result === undefined ? 0 : told(result, "deleted", flags, terminal);
}

async function confirmed(
  letters: DeadLetters,
  group: string,
  flags: DeleteFlags,
  terminal: Terminal,
): Promise<boolean> {
  const { selected } = await letters.delete(group, { ...selectionOf(flags), dryRun: true });
  if (selected === 0) return true;
  terminal.err(`delete ${counted(selected)} of ${group}? [y/N] `);
  for await (const line of lines(terminal.readStdin()))
    return /^y(es)?$/i.test(Buffer.from(line).toString().trim());
  return false;
}

async function working(
  what: string,
  terminal: Terminal,
  work: (options: DeadLetterWorkOptions) => Promise<DeadLetterWorkResult>,
): Promise<DeadLetterWorkResult> {
  const stop = new AbortController();
  terminal.onStopSignal(() => stop.abort());
  const bar = progressBar(what, terminal, { name: "letters", size: 1 });
  try {
    return await work({
      signal: stop.signal,
      onProgress: ({ looked, total }) => bar.update(looked, total),
      onWaiting: (broker) =>
        terminal.err(`orbitmq: somebody else works on these at ${broker}, or did within a minute; waiting\n`),
    });
  } finally {
    bar.stop();
  }
}

const counted = (count: number): string => `${count} dead ${count === 1 ? "letter" : "letters"}`;

/** 0 when all that was meant is done. */
async function told(
  result: DeadLetterWorkResult,
  what: "redriven" | "deleted",
  { json }: SelectionFlags,
  terminal: Terminal,
): Promise<number> {
  const { group, dryRun, selected, done, found, failures, failed, complete } = result;
  if (json === true) await terminal.out(`${JSON.stringify(result)}\n`);
  else if (dryRun) await terminal.out(`${group}: ${counted(selected)} would be ${what}\n`);
  else {
    const before = found > 0 ? `, ${found} of them sent by a run that broke off` : "";
    await terminal.out(`${group}: ${counted(done)} ${what}${before}\n`);
    for (const { offsetMsgId, code, message } of failures)
      terminal.err(`orbitmq: ${offsetMsgId} stays: ${message} (${code})\n`);
    if (failed > failures.length) terminal.err(`orbitmq: and ${failed - failures.length} more stay\n`);
    if (!complete) terminal.err("orbitmq: stopped before the end; run it again for the rest\n");
  }
  return failed === 0 && complete ? 0 : serverErrors.REQUEST_FAILED[0];
}
