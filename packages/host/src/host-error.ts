/**
 * What a call to the machine fails with. `code` is the operating system's name (ENOENT, EIO, ENOSPC,
 * ECONNREFUSED, …) or one of the host's own: ELOCKED (another process holds the lock), ENOLOCK (no lock can
 * be had here), ETIMEDOUT (a connect took too long), ECLOSED (the thing was closed by us).
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
