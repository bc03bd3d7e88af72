/**
 * One message record, the same bytes on disk and in pull responses (RocketMQ: MessageExtEncoder,
 * MessageDecoder). Grammar, big-endian:
 *
 *   totalSize:i32 magic:i32 bodyCrc:i32 queueId:i32 flag:i32 queueOffset:i64 physicalOffset:i64 sysFlag:i32
 *   bornTimestamp:i64 bornHost:(8|20) storeTimestamp:i64 storeHost:(8|20) reconsumeTimes:i32
 *   preparedTransactionOffset:i64 bodyLength:i32 body topicLength:(u8 in V1 | i16 in V2) topic
 *   propertiesLength:i16 properties
 */
export const MAGIC_V1 = 0xdaa320a7 | 0;
export const MAGIC_V2 = 0xdaa320ab | 0;
/** Fills the rest of a CommitLog segment that cannot hold the next record. */
export const MAGIC_BLANK = 0xcbd43194 | 0;

/** A record before offsets are assigned. Byte views must stay valid until it is encoded. */
export interface RecordInput {
  readonly topic: string;
  readonly queueId: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  /** 8 or 20 bytes: address and port; the sysFlag bits for IPv6 follow from the length. */
  readonly bornHost: Uint8Array;
  readonly storeHost: Uint8Array;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly body: Uint8Array;
  /** `name \u0001 value \u0002` repeated; see message-properties. */
  readonly properties: string;
}

/** A record read back. `body` is a view into the source buffer. */
export interface MessageRecord extends RecordInput {
  readonly totalSize: number;
  readonly magic: number;
  readonly bodyCrc: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly storeTimestamp: number;
}
