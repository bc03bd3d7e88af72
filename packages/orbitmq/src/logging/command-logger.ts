/**
 * The logger of the command: pino's shape, to stderr, loading pino with the first record. Records that come
 * while it loads are kept, with their time, and written in order.
 */
import type { Logger, LogMethod } from "@orbitmq/host";
import type { LogFormat, LogLevel, LogRecord } from "./pino-records.ts";

export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal"];
export const LOG_FORMATS: readonly LogFormat[] = ["text", "json"];

export interface CommandLogger extends Logger {
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

  const load = async (): Promise<void> => {
    const { pinoRecords } = await import("./pino-records.ts");
    emit = pinoRecords(format, write);
    for (const record of waiting.splice(0)) emit(record);
  };
  const method = (name: LogLevel): LogMethod => {
    if (LOG_LEVELS.indexOf(name) < least) return () => {};
    return (first: object | string, message?: string) => {
      const record: LogRecord = {
        level: name,
        timeMs: wallMs(),
        bindings: typeof first === "string" ? undefined : first,
        message: typeof first === "string" ? first : message,
      };
      if (emit !== undefined) emit(record);
      else {
        waiting.push(record);
        loading ??= load();
      }
    };
  };
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    flush: async () => loading,
  };
}
