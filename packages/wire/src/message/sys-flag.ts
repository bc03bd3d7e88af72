/** Bit sets that travel in records and pulls (RocketMQ: MessageSysFlag, PullSysFlag, TopicSysFlag). */
export const MessageSysFlag = {
  COMPRESSED: 0x1,
  MULTI_TAGS: 0x2,
  TRANSACTION_NOT_TYPE: 0,
  TRANSACTION_PREPARED_TYPE: 0x4,
  TRANSACTION_COMMIT_TYPE: 0x8,
  TRANSACTION_ROLLBACK_TYPE: 0xc,
  BORNHOST_V6: 0x10,
  STOREHOST_V6: 0x20,
  /** An inner batch that clients split into its messages. */
  NEED_UNWRAP: 0x40,
  INNER_BATCH: 0x80,
  /** No compression bits at all also means zlib: that is all 4.x knew. */
  COMPRESSION_LZ4: 0x100,
  COMPRESSION_ZSTD: 0x200,
  COMPRESSION_ZLIB: 0x300,
} as const;

const TRANSACTION_MASK = 0xc;
export const COMPRESSION_MASK = 0x700;

/** One of the four TRANSACTION_* values. */
export function transactionType(sysFlag: number): number {
  return sysFlag & TRANSACTION_MASK;
}

export function withTransactionType(sysFlag: number, type: number): number {
  return (sysFlag & ~TRANSACTION_MASK) | type;
}

export const PullSysFlag = {
  /** Commit `commitOffset` on the way. */
  COMMIT_OFFSET: 0x1,
  /** Wait for messages (long polling). */
  SUSPEND: 0x2,
  /** The request carries its own subscription. */
  SUBSCRIPTION: 0x4,
  CLASS_FILTER: 0x8,
  LITE_PULL_MESSAGE: 0x10,
} as const;

export const TopicSysFlag = {
  UNIT: 0x1,
  UNIT_SUB: 0x2,
} as const;
