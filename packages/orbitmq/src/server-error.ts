/**
 * The one error of this package: what `start()` rejects with and what ends the command. Each code carries the
 * exit code of the process, so that a supervisor (systemd, Kubernetes, a shell) can tell "do not restart" from
 * "try again". docs/exit-codes.md is this table in prose; a test keeps the two equal.
 */
export type ServerErrorCode = keyof typeof serverErrors;

/** code → [exit code, may a restart without anybody's help succeed?, what it means] */
export const serverErrors = {
  INTERNAL: [1, true, "an unexpected error: a bug in OrbitMQ"],
  USAGE: [2, false, "a flag or argument is wrong"],
  CONFIG_INVALID: [2, false, "a configured value is wrong, or promises a safety that is not there yet"],
  STORE_LOCKED: [3, true, "another process, or another start() in this one, has the store open"],
  STORE_NOT_LOCKABLE: [
    12,
    false,
    "this machine offers no lock for the store (--unsafe-no-lock goes on without)",
  ],
  STORE_DAMAGED: [4, false, "the store cannot be opened as it is; do not restart, look first"],
  WRITE_FAILED: [5, true, "a write or sync of the log failed and writes stopped (--on-write-failure exit)"],
  ADDRESS_UNUSABLE: [
    6,
    true,
    "a port is taken, an address is not this machine's, or a name does not resolve",
  ],
  STOP_TIMEOUT: [7, true, "stopping took longer than --stop-timeout; `abort` stays, the next start recovers"],
  STORE_MISSING: [8, false, "--existing was asked for and there is no store"],
  NO_SPACE: [11, true, "the disk is too full to create or open the store"],
  REQUEST_FAILED: [9, true, "a NameServer or broker could not be reached, or refused the request"],
  TIMED_OUT: [10, true, "orbitmq consume ended by --timeout before --count messages had arrived"],
  DAMAGE_FOUND: [13, false, "orbitmq store found damage in a store and told where; the rest was done"],
} as const satisfies Record<string, readonly [exitCode: number, restartable: boolean, description: string]>;

export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return serverErrors[this.code][0];
  }
}
