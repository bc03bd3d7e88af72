/**
 * The logger of the command: pino's shape, to stderr. Pino is loaded a moment after the first record, or when
 * `begin()` says that the start is over: parsing it would delay the ready line. Records that come earlier are
 * kept, with their time, and written in order. What is said again and again is held back (repeat-limit).
 */
import type { Logger, LogMethod } from "@orbitmq/host";
import type { LogFormat, LogLevel, LogRecord } from "./pino-records.ts";
import { RepeatLimit, repeatLimits } from "./repeat-limit.ts";

export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal"];
export const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];

/** A start that takes longer is worth hearing from. */
const PATIENCE_MS = 250;

export interface CommandLogger extends Logger {
  /** Write from now on without delay. */
  begin(): void;
  /** Resolves when every record so far is written. */
  flush(): Promise<void>;
}

export interface CommandLoggerOptions {
  /** Records below are dropped. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly write: (line: string) => void;
  readonly wallMs: () => number;
}

export function commandLogger({ level, format, write, wallMs }: CommandLoggerOptions): CommandLogger {
  const least = LOG_LEVELS.indexOf(level);
  const waiting: LogRecord[] = [];
  let emit: ((record: LogRecord) => void) | undefined;
  let loading: Promise<void> | undefined;
  let patience: NodeJS.Timeout | undefined;
  let begun = false;
  const repeats = new RepeatLimit({
    ...repeatLimits,
    nowMs: () => performance.now(),
    after: (ms, fn) => void setTimeout(fn, ms).unref(),
  });

  const load = async (): Promise<void> => {
    const { pinoRecords } = await import("./pino-records.ts");
    emit = pinoRecords(format, write);
    for (const record of waiting.splice(0)) emit(record);
  };
  const loadNow = (): Promise<void> => {
    clearTimeout(patience);
    loading ??= load();
    return loading;
  };
  const method = (name: LogLevel): LogMethod => {
    if (LOG_LEVELS.indexOf(name) < least) return () => {};
    const write = (bindings: object | undefined, message: string | undefined): void => {
      const record: LogRecord = { level: name, timeMs: wallMs(), bindings, message };
      if (emit !== undefined) emit(record);
      else {
        waiting.push(record);
        if (begun) void loadNow();
        else patience ??= setTimeout(loadNow, PATIENCE_MS);
      }
    };
    return (first: object | string, message?: string) => {
      const bindings = typeof first === "string" ? undefined : first;
      const said = typeof first === "string" ? first : message;
      const isHeard =
        said === undefined ||
        name === "fatal" ||
        repeats.admits(`${name} ${said}`, (held) => write({ held }, `${said} (${held} more suppressed)`));
      if (isHeard) write(bindings, said);
    };
  };
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    begin: () => {
      begun = true;
      if (waiting.length > 0) void loadNow();
    },
    flush: async () => {
      if (waiting.length > 0 || loading !== undefined) await loadNow();
    },
  };
}
