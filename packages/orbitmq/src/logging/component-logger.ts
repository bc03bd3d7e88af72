/** A logger whose records say which part of the server they come from. */
import type { Logger, LogMethod } from "@orbitmq/host";

/** The parts: `component` of a record. */
export type Component = "nameserver" | "store" | "broker" | "metrics";

export function componentLogger(logger: Logger, component: Component): Logger {
  const method =
    (level: keyof Logger): LogMethod =>
    (first: object | string, message?: string) => {
      if (typeof first === "string") logger[level]({ component }, first);
      else logger[level]({ ...first, component }, message);
    };
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
  };
}
