/**
 * One remoting message between two processes, a request or a response, as both header encodings carry it
 * (RocketMQ: RemotingCommand). Frames are decoded in place: nothing here is copied until somebody asks.
 *
 * Lifetime: `body` and `ext` may point into the receive buffer. They are valid until the handler (or response
 * callback) they were passed to returns; whoever needs them longer copies.
 */
export const SERIALIZE_JSON = 0;
export const SERIALIZE_ROCKETMQ = 1;
export type SerializeType = typeof SERIALIZE_JSON | typeof SERIALIZE_ROCKETMQ;

export const FLAG_RESPONSE = 1;
export const FLAG_ONEWAY = 2;

/** The header's string map (`extFields`); decoded on demand. */
export interface ExtFields {
  get(name: string): string | undefined;
  /** Every entry, in wire order. */
  forEach(visit: (name: string, value: string) => void): void;
}

/** Where a header's fields are written; each encoding has its own. */
export interface ExtSink {
  put(name: string, value: string): void;
}

export interface RemotingCommand {
  /** A RequestCode in a request, a ResponseCode in a response. */
  readonly code: number;
  /** LanguageCode of the sender, or -1 when unknown. */
  readonly language: number;
  /** MQVersion ordinal of the sender. */
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string | undefined;
  readonly ext: ExtFields;
  /** Empty when the frame had none. */
  readonly body: Uint8Array;
  readonly serializeType: SerializeType;
}

export function isResponse(command: RemotingCommand): boolean {
  return (command.flag & FLAG_RESPONSE) !== 0;
}

export function isOneway(command: RemotingCommand): boolean {
  return (command.flag & FLAG_ONEWAY) !== 0;
}
