/**
 * What the store fails with, as one class and one table. An error of the machine is converted here once and
 * kept as `cause`; nothing else in the package throws anything but this or AssertionFailed.
 */

/** Each code, whether trying again may help without anybody's doing, and what it means. */
export const STORE_ERRORS = {
  LOCKED: {
    retriable: true,
    description: "another process, or another store in this one, has the folder open",
  },
  NO_LOCK: { retriable: false, description: "this machine offers no lock that vanishes with its holder" },
  NO_STORE: { retriable: false, description: "there is no store in the folder and none may be created" },
  NO_SPACE: { retriable: true, description: "the disk is too full to create the store" },
  DAMAGED: {
    retriable: false,
    description: "files of the store contradict each other; starting could lose messages",
  },
  VERSION: { retriable: false, description: "a newer version has written the store" },
  ILLEGAL_OPTION: { retriable: false, description: "an option is outside its range" },
  IO: { retriable: false, description: "the disk refused an operation" },
  STATE: { retriable: false, description: "the call does not fit the store's state" },
} as const;

export type StoreErrorCode = keyof typeof STORE_ERRORS;

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get retriable(): boolean {
    return STORE_ERRORS[this.code].retriable;
  }
}
