/**
 * The door to pino, loaded only when there is something to log (parsing it costs about as much as starting the
 * NameServer). Records of `--log-format json` are pino's own; `text` is made from them.
 */
import { pino } from "pino";
import { errorOnce } from "./error-once.ts";
import { textLine } from "./text-line.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";
export type LogFormat = "text" | "json";

export interface LogRecord {
  readonly level: LogLevel;
  readonly timeMs: number;
  readonly bindings: object | undefined;
  readonly message: string | undefined;
}

/** Writes each record to `write` as one line, at once. */
export function pinoRecords(format: LogFormat, write: (line: string) => void): (record: LogRecord) => void {
  let timeMs = 0;
  const serializer = format === "json" ? pino.stdSerializers.err : errorOnce;
  const logger = pino(
    {
      level: "trace",
      base: null,
      timestamp: () => `,"time":"${new Date(timeMs).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializer, error: serializer },
    },
    { write: (line) => write(format === "json" ? line : textLine(line)) },
  );
  return (record) => {
    timeMs = record.timeMs;
    if (record.bindings === undefined) logger[record.level](record.message ?? "");
    else logger[record.level](record.bindings, record.message);
  };
}
