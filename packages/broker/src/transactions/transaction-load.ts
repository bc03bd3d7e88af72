/**
 * Reads at start what is unfinished: ops from where they are done with, halves from where they are, and then the log
 * for commits whose ops a crash has kept from it. RocketMQ's records, of 4.9 and 5.x, are understood. What cannot be
 * read is passed over: where it may have been an op, commits are looked for since the oldest half.
 */
import type { Logger } from "@orbitmq/host";
import type { GetResult, MessageStore } from "@orbitmq/store";
import {
  bodyLengthAt,
  getProperty,
  MAGIC_BLANK,
  MessageConst,
  type MessageRecord,
  MessageSysFlag,
  RecordField,
  readInt32,
  readInt64,
  readRecord,
  transactionType,
} from "@orbitmq/wire";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import {
  CHECK_MAX_TOPIC,
  HALF_OP_TOPIC,
  HALF_TOPIC,
  isDlqTopic,
  isRetryTopic,
  SCHEDULE_TOPIC,
  TRANSACTION_GROUP,
} from "../names.ts";
import { recordsOf } from "../popping/popped-records.ts";
import { halfAt, readHalf } from "./half-records.ts";
import { OP_TAG, parseOpBody } from "./op-body.ts";
import type { LoggedOp } from "./op-log.ts";
import { type LoggedHalf, Unfinished } from "./unfinished.ts";

const MESSAGES_MAX = 1_024;
const BYTES_MAX = 1_048_576;
/** Readings of one place, before it counts as unreadable. */
const ATTEMPTS = 4;
/** Unreadable records in a row, after which the rest of a queue counts as unreadable. */
const UNREAD_MAX = 1_024;
/** preparedTransactionOffset lies before the body's length. */
const PREPARED_BEFORE_BODY = 8;

export interface TransactionLoadNeeds {
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly offsets: Pick<OffsetRegistry, "get">;
}

export interface LoadedTransactions {
  readonly open: readonly LoggedHalf[];
  readonly lackingOps: readonly number[];
  /** Places of the half queue that could not be read. */
  readonly unreadHalves: readonly number[];
  readonly ops: readonly LoggedOp[];
  /** Where the halves begin that were read, how far both queues were read, and where the log was searched from. */
  readonly halfStart: number;
  readonly halfEnd: number;
  readonly opEnd: number;
  readonly searchedFrom: number;
}

/** `opsUpTo`: what the file says; `undefined` without one. */
export async function loadTransactions(
  needs: TransactionLoadNeeds,
  opsUpTo: number | undefined,
): Promise<LoadedTransactions> {
  const { store, logger } = needs;
  const halfStart = startOf(needs, HALF_TOPIC);
  const done = new Set<number>();
  const ops: LoggedOp[] = [];
  let isOpUnread = false;
  const opEnd = await readQueue(needs, HALF_OP_TOPIC, startOf(needs, HALF_OP_TOPIC), {
    record(record) {
      const offsets = opOffsetsOf(record, logger);
      for (const offset of offsets) done.add(offset);
      ops.push({ queueOffset: record.queueOffset, lastHalf: Math.max(-1, ...offsets) });
    },
    // A later start must read it.
    unread(queueOffset) {
      isOpUnread = true;
      ops.push({ queueOffset, lastHalf: Number.POSITIVE_INFINITY });
    },
  });
  const unfinished = new Unfinished((offset) => done.has(offset));
  const halves: LoggedHalf[] = [];
  const unreadHalves: number[] = [];
  const halfEnd = await readQueue(needs, HALF_TOPIC, halfStart, {
    record(record) {
      const content = readHalf(record);
      if (content !== undefined) halves.push({ half: halfAt(content, record), rootPosition: undefined });
      else strange(logger, record);
    },
    unread: (queueOffset) => unreadHalves.push(queueOffset),
  });
  for (const logged of halves) {
    const { rootOffset } = logged.half;
    unfinished.add(
      rootOffset === undefined || done.has(logged.half.queueOffset)
        ? logged
        : { ...logged, rootPosition: await positionOf(store, rootOffset) },
    );
  }
  const status = store.status();
  const oldest = unfinished.firstPosition;
  const isKnown = opsUpTo !== undefined && opsUpTo <= status.readableLimit && !isOpUnread;
  const searchedFrom = Math.max(isKnown ? opsUpTo : 0, oldest ?? status.readableLimit, status.minOffset);
  const finishedAt = new Set<number>();
  const first = halves.find(({ half }) => half.physicalOffset === 0)?.half.uniqKey;
  if (oldest !== undefined) await searchLog(needs, searchedFrom, new CommitSearch(finishedAt, first));
  const found = unfinished.result(finishedAt);
  return { ...found, unreadHalves, ops, halfStart, halfEnd, opEnd, searchedFrom };
}

function startOf({ store, offsets }: TransactionLoadNeeds, topic: string): number {
  return Math.max(offsets.get(TRANSACTION_GROUP, topic, 0) ?? 0, store.minOffset(topic, 0));
}

interface QueueTaker {
  record(record: MessageRecord): void;
  /** What lies at this place of the queue cannot be read. */
  unread(queueOffset: number): void;
}

/** Every record of the queue from `start` on; resolves with how far it was read. */
async function readQueue(
  { store, logger }: TransactionLoadNeeds,
  topic: string,
  start: number,
  taker: QueueTaker,
): Promise<number> {
  let offset = start;
  let attempt = 1;
  let unread = 0;
  while (offset < store.readableEnd(topic, 0) && unread < UNREAD_MAX) {
    const request = { topic, queueId: 0, offset, messagesMax: MESSAGES_MAX, bytesMax: BYTES_MAX };
    const [next, status] = await new Promise<[number, string]>((resolve) =>
      store.get(request, (result: GetResult) => {
        for (const record of recordsOf(result.slices)) taker.record(record);
        result.release();
        resolve([result.nextBeginOffset, result.status]);
      }),
    );
    if (next > offset) {
      offset = next;
      attempt = 1;
      unread = 0;
    } else if (attempt < ATTEMPTS) attempt++;
    else {
      const isFirst = unread++ === 0;
      if (isFirst)
        logger.error(
          { topic, offset, status },
          "a record of transactions cannot be read, and is passed over",
        );
      taker.unread(offset);
      offset++;
    }
  }
  return offset;
}

function opOffsetsOf(record: MessageRecord, logger: Logger): readonly number[] {
  if (getProperty(record.properties, MessageConst.TAGS) !== OP_TAG) return [];
  const { offsets, strange: count } = parseOpBody(record.body);
  if (count > 0) {
    logger.warn({ offset: record.queueOffset, count }, "an op of transactions names what is no offset");
  }
  return offsets;
}

export function strange(logger: Logger, record: MessageRecord): void {
  logger.error(
    { offset: record.queueOffset, position: record.physicalOffset },
    "a half message does not say where it belongs; it is left where it is",
  );
}

function positionOf(store: MessageStore, queueOffset: number): Promise<number | undefined> {
  const request = { topic: HALF_TOPIC, queueId: 0, offset: queueOffset, messagesMax: 1, bytesMax: 1 };
  return new Promise((resolve) =>
    store.get(request, (result) => {
      const record = recordsOf(result.slices)[0];
      result.release();
      resolve(record?.queueOffset === queueOffset ? record.physicalOffset : undefined);
    }),
  );
}

/** Looks through the log from `from` to its end. */
async function searchLog(
  { store, logger }: TransactionLoadNeeds,
  from: number,
  search: CommitSearch,
): Promise<void> {
  let position = from;
  let attempt = 1;
  for (;;) {
    const [end, error] = await new Promise<[number | undefined, unknown]>((resolve) =>
      store.readLog(position, BYTES_MAX, (failure, chunk) => {
        if (chunk === undefined) return resolve([undefined, failure]);
        search.look(Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.length));
        chunk.release();
        resolve([chunk.end, undefined]);
      }),
    );
    if (end === position) return;
    if (end !== undefined) {
      position = end;
      attempt = 1;
    } else if (attempt < ATTEMPTS) attempt++;
    else {
      const behind = await new Promise<number | undefined>((resolve) =>
        store.recordBehind(position, resolve),
      );
      logger.error(
        { err: error, position, behind },
        "a part of the log cannot be read, and is passed over: a transaction that was committed there may be committed again",
      );
      if (behind === undefined) return;
      position = behind;
      attempt = 1;
    }
  }
}

/** Notes which positions commits and parked records name. */
class CommitSearch {
  readonly #finishedAt: Set<number>;
  /** Of the half at the log's first position, when there is one: other records name that position by naming none. */
  readonly #firstUniqKey: string | undefined;

  constructor(finishedAt: Set<number>, firstUniqKey: string | undefined) {
    this.#finishedAt = finishedAt;
    this.#firstUniqKey = firstUniqKey;
  }

  look(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && readInt32(bytes, at + RecordField.MAGIC) !== MAGIC_BLANK; ) {
      const sysFlag = readInt32(bytes, at + RecordField.SYS_FLAG);
      const position = readInt64(bytes, at + bodyLengthAt(sysFlag) - PREPARED_BEFORE_BODY);
      const isCommit = transactionType(sysFlag) === MessageSysFlag.TRANSACTION_COMMIT_TYPE;
      if ((isCommit || position !== 0) && this.#ends(bytes, at, position, isCommit))
        this.#finishedAt.add(position);
      at += readInt32(bytes, at + RecordField.TOTAL_SIZE);
    }
  }

  /** Messages that are consumed again keep the type of a commit. */
  #ends(bytes: Buffer, at: number, position: number, isCommit: boolean): boolean {
    if (position === 0 && this.#firstUniqKey === undefined) return false;
    const { topic, properties } = readRecord(bytes, at);
    if (!isCommit) return topic === CHECK_MAX_TOPIC;
    if (isRetryTopic(topic) || isDlqTopic(topic) || topic === SCHEDULE_TOPIC) return false;
    if (position > 0) return true;
    return getProperty(properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) === this.#firstUniqKey;
  }
}
