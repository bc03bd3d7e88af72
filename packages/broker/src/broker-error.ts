/** The one error of this package: why a broker could not be started. What requests are refused with is a code. */
export type BrokerErrorCode = keyof typeof brokerErrors;

/** code → [retriable without anybody's doing, what it means] */
export const brokerErrors = {
  ADDRESS_UNRESOLVED: [true, "the host clients are to be told does not resolve to an address"],
  LISTEN_FAILED: [true, "the broker's port cannot be listened on"],
  STORE_NOT_RUNNING: [false, "the store the broker was given is not started, or has failed"],
  ILLEGAL_OPTION: [false, "an option is outside its range"],
  ILLEGAL_EXPRESSION: [false, "a filter expression is not SQL92 as RocketMQ has it, or exceeds a limit"],
  STATE: [false, "the call does not fit the broker's state"],
} as const satisfies Record<string, readonly [retriable: boolean, description: string]>;

export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get retriable(): boolean {
    return brokerErrors[this.code][0];
  }
}
