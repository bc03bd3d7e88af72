/**
 * The caller's logger, made harmless: one that throws must not break a retry, a rebalance or a shutdown, or leave
 * a rejection unhandled.
 */
import { type Logger, type LogMethod, silentLogger } from "@orbitmq/host";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

export function guardedLogger(logger: Logger | undefined): Logger {
  if (logger === undefined) return silentLogger;
  const methods = LEVELS.map((level): [string, LogMethod] => [
    level,
    (bindings: object | string, message?: string) => {
      try {
        if (typeof bindings === "string") logger[level](bindings);
        else logger[level](bindings, message);
      } catch {
        return; // There is nobody left to tell: the logger is what failed.
      }
    },
  ]);
  return Object.fromEntries(methods) as unknown as Logger;
}
