/**
 * What a command touches of its process: streams, environment, signals. One value that `cli.ts` makes, so that
 * nothing else in the commands reaches for `process`.
 */
import { ServerError } from "./server-error.ts";

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly nodeVersion: string;
  /** How the user would call this command again. */
  readonly program: string;
  /** Is a person reading stderr? Colours and progress only then. */
  readonly isInteractive: boolean;
  readonly stdinIsTerminal: boolean;
  /** Is stdout a terminal, which can be drawn over? */
  readonly stdoutIsTerminal: boolean;
  /** Data; resolves when there is room for more. */
  out(text: string): Promise<void>;
  /** Messages for people, and logs. */
  err(text: string): void;
  /** Aborts when the reader of stdout is gone (`orbitmq consume … | head`). */
  readonly readerGone: AbortSignal;
  readStdin(): AsyncIterable<Uint8Array>;
  /** Resolves after `ms`, or when the signal aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `stop` at the first SIGINT, SIGTERM or SIGHUP; the second one ends the process at once. */
  onStopSignal(stop: (signal: NodeJS.Signals) => void): void;
}

const STOP_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** A process ended by signal n reports 128 + n. */
const SIGNAL_EXIT = 128;

export function processTerminal(): Terminal {
  const gone = new AbortController();
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") gone.abort();
    else throw error;
  });
  // Nobody is left to tell; the process itself is worth more than its log.
  process.stderr.on("error", () => gone.signal.aborted);
  return {
    env: process.env,
    pid: process.pid,
    nodeVersion: process.version,
    program: programName(process.argv[1] ?? "", process.cwd()),
    isInteractive: process.stderr.isTTY === true && process.env["NO_COLOR"] === undefined,
    stdinIsTerminal: process.stdin.isTTY === true,
    stdoutIsTerminal: process.stdout.isTTY === true,
    out: (text) =>
      new Promise((resolve) => {
        if (gone.signal.aborted || process.stdout.write(text)) resolve();
        else {
          const go = () => {
            process.stdout.off("drain", go);
            gone.signal.removeEventListener("abort", go);
            resolve();
          };
          process.stdout.on("drain", go);
          gone.signal.addEventListener("abort", go);
        }
      }),
    err: (text) => void process.stderr.write(text),
    readerGone: gone.signal,
    readStdin: () => process.stdin,
    pause: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal.addEventListener("abort", end);
      }),
    onStopSignal(stop) {
      let stopping = false;
      for (const [signal, number] of Object.entries(STOP_SIGNALS))
        process.on(signal, () => {
          if (stopping) process.exit(SIGNAL_EXIT + number);
          stopping = true;
          stop(signal as NodeJS.Signals);
        });
    },
  };
}

/** `orbitmq` when started through the installed command, else how node was called. */
export function programName(script: string, cwd: string): string {
  if (script.includes("/node_modules/.bin/") || script.endsWith("/bin/orbitmq.mjs")) return "npx orbitmq";
  if (script.endsWith("/orbitmq")) return "orbitmq";
  const shown = script.startsWith(`${cwd}/`) ? script.slice(cwd.length + 1) : script;
  return `node ${shown}`;
}

/** A whole number of at least `least` given to a flag. */
export function wholeNumber(flag: string, least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
    throw new ServerError("USAGE", `${flag} ${value}: expected a whole number, at least ${least}`);
  };
}

/** `20`, `20s`, `500ms`, `2m`; a plain number is seconds. In milliseconds. */
export function duration(flag: string): (value: string) => number {
  return (value) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(value);
    if (match === null)
      throw new ServerError("USAGE", `${flag} ${value}: expected seconds, or a number with ms, s, m or h`);
    const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match[2] ?? "s"] ?? 1_000;
    return Math.round(Number(match[1]) * unit);
  };
}
