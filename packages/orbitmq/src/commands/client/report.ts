/**
 * How commands that only look print what they saw: a table for people, one JSON object per look for programs, once or
 * again and again. Over a terminal each look is drawn in the place of the last. Servers that did not answer are told on
 * stderr, and the exit code is that of a request that failed.
 */
import type { Admin, ServerFailure } from "@orbitmq/client";
import { serverErrors } from "../../server-error.ts";
import type { Terminal } from "../../terminal.ts";
import { explain } from "../failure.ts";
import type { ClientFlags, WatchFlags } from "./client-flags.ts";
import { withAdmin } from "./with-admin.ts";

const WATCH_DEFAULT_MS = 2_000;
/** Cursor to the top left, and everything behind it away. */
const REDRAW = "\u001b[H\u001b[J";
const CLEAR = "\u001b[2J";

export interface Look<T> {
  readonly look: (admin: Admin) => Promise<T>;
  /** For people; ends with a newline. */
  readonly text: (value: T) => string;
  /** For programs. Default the value itself. */
  readonly json?: (value: T) => unknown;
}

/** The exit code. */
export function report<T extends object>(
  flags: ClientFlags & WatchFlags,
  terminal: Terminal,
  how: Look<T>,
): Promise<number> {
  return withAdmin(flags, terminal, (admin) =>
    flags.watch === undefined
      ? once(admin, flags, terminal, how)
      : watch(admin, flags, terminal, how, flags.watch === true ? WATCH_DEFAULT_MS : flags.watch),
  );
}

async function once<T extends object>(
  admin: Admin,
  flags: ClientFlags,
  terminal: Terminal,
  how: Look<T>,
): Promise<number> {
  const value = await how.look(admin);
  await terminal.out(shown(value, flags, how));
  return tellFailures(value, terminal);
}

/** Ends at the first signal, or when nobody reads. A look that fails is told, and the next one is taken. */
async function watch<T extends object>(
  admin: Admin,
  flags: ClientFlags,
  terminal: Terminal,
  how: Look<T>,
  everyMs: number,
): Promise<number> {
  const end = new AbortController();
  terminal.onStopSignal(() => end.abort());
  terminal.readerGone.addEventListener("abort", () => end.abort());
  const drawn = terminal.stdoutIsTerminal && flags.json !== true;
  let first = true;
  while (!end.signal.aborted) {
    let text: string;
    let value: T | undefined;
    try {
      value = await how.look(admin);
      text = shown(value, flags, how);
    } catch (error) {
      text = "";
      terminal.err(explain(error));
    }
    const before = drawn ? (first ? CLEAR : "") + REDRAW : first || flags.json === true ? "" : "\n";
    if (text !== "") await terminal.out(before + text);
    if (value !== undefined) tellFailures(value, terminal);
    first = false;
    await terminal.pause(everyMs, end.signal);
  }
  return 0;
}

function shown<T>(value: T, flags: ClientFlags, { text, json }: Look<T>): string {
  return flags.json === true ? jsonLine(json === undefined ? value : json(value)) : text(value);
}

export const jsonLine = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** Tells each server that failed on stderr; the exit code that follows. */
export function tellFailures(value: object, terminal: Terminal): number {
  const failures = "failures" in value ? (value.failures as readonly ServerFailure[]) : [];
  for (const { server, message } of failures) terminal.err(`orbitmq: ${server}: ${message}\n`);
  return failures.length === 0 ? 0 : serverErrors.REQUEST_FAILED[0];
}
