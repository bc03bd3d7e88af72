/**
 * The logger every constructor takes: pino's shape, so that a pino instance fits as it is. Silent unless the
 * embedding program passes one.
 */
export interface LogMethod {
  (bindings: object, message?: string): void;
  (message: string): void;
}

export interface Logger {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
}

const drop: LogMethod = () => {};

export const silentLogger: Logger = {
  trace: drop,
  debug: drop,
  info: drop,
  warn: drop,
  error: drop,
  fatal: drop,
};
