/** The one error of this package: bytes or fields that do not follow the protocol, or an RPC that failed. */
export type WireErrorCode = keyof typeof wireErrors;

/** code → [retriable on the same or another connection, what it means] */
export const wireErrors = {
  FRAME_TOO_LARGE: [false, "a frame is longer than the limit"],
  FRAME_MALFORMED: [false, "a frame's lengths contradict each other, or its header cannot be parsed"],
  HEADER_FIELD_MISSING: [false, "a required header field is absent"],
  HEADER_FIELD_INVALID: [false, "a header field has a value of the wrong kind"],
  RECORD_MALFORMED: [false, "a message record's lengths or magic are wrong"],
  RECORD_CRC_MISMATCH: [false, "a message record's checksum does not match its bytes"],
  PROPERTIES_MALFORMED: [false, "a property name or value contains a separator, or is too long"],
  JSON_MALFORMED: [false, "a JSON body cannot be parsed"],
  CODEC_UNAVAILABLE: [false, "the compression a message uses is not available in this process"],
  CODEC_FAILED: [false, "a compressed body cannot be decompressed, or grows beyond the limit"],
  POP_INFO_MALFORMED: [false, "a receipt handle or an offset list of POP is not of its form"],
  ADDRESS_INVALID: [false, "an address is not host:port"],
  CONNECT_FAILED: [true, "no connection to the address could be made"],
  CONNECTION_CLOSED: [true, "the connection closed before the response arrived"],
  REQUEST_TIMEOUT: [true, "no response arrived in time"],
  TOO_MANY_REQUESTS: [true, "more requests are in flight than the limit allows"],
  PEER_NOT_READING: [true, "the peer does not read; its unsent bytes reached the limit"],
  RPC_STOPPED: [false, "the RPC client or server was stopped"],
} as const satisfies Record<string, readonly [retriable: boolean, description: string]>;

export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;
  /**
   * For a request that failed: true when bytes of it may have reached the peer (it may have been handled),
   * false when certainly none did. False for every other error.
   */
  readonly sent: boolean;

  constructor(code: WireErrorCode, message: string, options?: { cause?: unknown; sent?: boolean }) {
    super(message, options);
    this.code = code;
    this.sent = options?.sent ?? false;
  }

  get retriable(): boolean {
    return wireErrors[this.code][0];
  }
}
