/**
 * The façade of the store: all that the broker sees of bytes on disk (RocketMQ: MessageStore). One process
 * writes one store; every position is monotonic; a message becomes visible to readers only once it cannot be
 * taken back.
 *
 * Positions, all PhysicalOffsets:
 *   minOffset ≤ flushedOffset ≤ writtenOffset ≤ appendedOffset
 *   appended: encoded in memory; written: in the page cache; flushed: fdatasync returned.
 *   readableLimit: what dispatch has followed and readers may see; monotonic. Under SYNC_FLUSH it never
 *   passes flushedOffset, under ASYNC_FLUSH it never passes writtenOffset.
 */
import type { HistogramValue, PhysicalOffset, QueueOffset } from "@orbitmq/host";
import type { RecordSource } from "@orbitmq/wire";
import type { ChunkRead } from "./commit-log/log-tail.ts";
import type { IntegrityStatus } from "./integrity/damages.ts";
import type { KeyIndexSpan, LogPlace } from "./reading/log-place.ts";
import type { DiskUseReport } from "./retention/disk-use.ts";
import type { RuntimeStoreOptions } from "./store-options.ts";

/** What an append waits for. `written` is the ASYNC_FLUSH class; `flushed` the SYNC_FLUSH class. */
export type Durability = "written" | "flushed";

/** How a wait ended: `reached` (as durable as asked), `timeout` (stored, not known durable), `failed` (a write error stopped the store; the message may or may not exist). */
export type AppendOutcome = "reached" | "timeout" | "failed";

/** The thing that waits; one object per request, no closure. Called exactly once, never inside `append`. */
export interface AppendWaiter {
  appendSettled(outcome: AppendOutcome): void;
}

export type AppendRefusal =
  | "MESSAGE_ILLEGAL"
  | "PROPERTIES_SIZE_EXCEEDED"
  | "DISK_FULL"
  | "STORE_FAILED"
  | "STORE_STOPPED"
  | "BUSY";

export type AppendResult =
  | {
      readonly status: "appended";
      /** Of the first record. */
      readonly physicalOffset: PhysicalOffset;
      readonly queueOffset: QueueOffset;
      /** Physical offsets of every record of a batch, in order (one element for a single message). */
      readonly physicalOffsets: readonly PhysicalOffset[] | undefined;
      readonly storeTimestamp: number;
      /** Length of the records in the log, a blank that closed a segment not counted. */
      readonly byteCount: number;
    }
  | { readonly status: "refused"; readonly reason: AppendRefusal; readonly remark: string };

export type GetStatus =
  | "FOUND"
  | "NO_MATCHED_MESSAGE"
  | "MESSAGE_WAS_REMOVING"
  | "OFFSET_FOUND_NULL"
  | "OFFSET_OVERFLOW_BADLY"
  | "OFFSET_OVERFLOW_ONE"
  | "OFFSET_TOO_SMALL"
  | "NO_MATCHED_LOGIC_QUEUE"
  | "NO_MESSAGE_IN_QUEUE";

export interface GetRequest {
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Tells by the ConsumeQueue's tags code whether an entry can match; absent = everything matches. */
  readonly matches?: ((tagsCode: number) => boolean) | undefined;
  /** Tells by the record itself, `size` bytes at `bytes[at]`, whether it is wanted; asked about what `matches` lets through. */
  readonly matchesRecord?: ((bytes: Buffer, at: number, size: number) => boolean) | undefined;
  /** Asked before `matches`, offset by offset: true ends the read before this entry, which is then `nextBeginOffset`. */
  readonly stopBefore?: ((offset: number, tagsCode: number) => boolean) | undefined;
}

export interface GetResult {
  readonly status: GetStatus;
  readonly nextBeginOffset: QueueOffset;
  readonly minOffset: QueueOffset;
  readonly maxOffset: QueueOffset;
  readonly messageCount: number;
  readonly byteCount: number;
  /** The records, in order, as views that stay unchanged until `release` is called; neighbours may share a slice, none is split. */
  readonly slices: readonly Uint8Array[];
  readonly suggestPullingFromSlave: boolean;
  /** Where the record lies that cannot be served and ends the read; -1 when none does, or nobody knows where. */
  readonly heldAt: number;
  /** Exactly once, when the slices are no longer needed. */
  release(): void;
}

/** Asks for messages of a topic by key. */
export interface KeyQuery {
  readonly topic: string;
  /** A word of KEYS, or a UNIQ_KEY; with index type `T`, a tag. */
  readonly key: string;
  /** RocketMQ's index types: `K` (default) and `U` find by KEYS and UNIQ_KEY, `T` by TAGS. */
  readonly indexType?: "K" | "U" | "T" | undefined;
  /** The newest so many, at most `maxMsgsNumBatch`. */
  readonly messagesMax: number;
  /** Store times in wall ms, both included. */
  readonly beginMs: number;
  readonly endMs: number;
}

export interface KeyQueryResult {
  /** Whole records, in the order of the log. */
  readonly slices: readonly Uint8Array[];
  /** False: an IndexFile or a record could not be read, or the store is not open; there may be further messages. */
  readonly complete: boolean;
  readonly messageCount: number;
  readonly byteCount: number;
  /** Store time and position of the newest record that is indexed; 0 when none is. */
  readonly indexLastUpdateTimestamp: number;
  readonly indexLastUpdatePhyoffset: number;
  /** Exactly once, when the slices are no longer needed. */
  release(): void;
}

/** Told, in order, about every message that became readable. Must not throw. */
export interface ArrivalListener {
  /** `endOffset` is the queue's new readable end (last queue offset + 1). */
  messageArrived(topic: string, queueId: number, endOffset: QueueOffset, tagsCode: number): void;
  /** The queue stood still at a record that cannot be read, and goes on: an operator has given the record up. */
  queueReleased?(topic: string, queueId: number): void;
}

/** Offsets [from, to) of a queue, about to be removed with the oldest part of the log. */
export interface RemovedMessages {
  readonly topic: string;
  readonly queueId: number;
  readonly from: QueueOffset;
  readonly to: QueueOffset;
}

/** Told before messages are removed by retention, for their age or by force, so that it can say who never consumed them. Must not throw. */
export interface RemovalListener {
  messagesRemoved(removed: readonly RemovedMessages[]): void;
}

/**
 * Asked before the part of the log below `limit` is removed, for its age or by force, whether it may go: what somebody
 * still needs of it he copies to the log's end first. `done` is called once; after `false` it is asked again later.
 */
export type RemovalGuard = (limit: number, done: (mayGo: boolean) => void) => void;

export interface StoreStatus {
  readonly state: "starting" | "running" | "failed" | "stopped";
  /** Why writes are refused, when they are. */
  readonly refusal: { readonly reason: AppendRefusal; readonly remark: string } | undefined;
  readonly minOffset: PhysicalOffset;
  readonly flushedOffset: PhysicalOffset;
  readonly writtenOffset: PhysicalOffset;
  readonly readableLimit: PhysicalOffset;
  /** Where recovery would begin to judge records after a crash at this moment: all below is known to be whole on disk. */
  readonly recoversFrom: PhysicalOffset;
  /** The same after the process alone has ended: the machine keeps what it has noted since. */
  readonly recoversFromAfterKill: PhysicalOffset;
  readonly messageCount: number;
  /** Wall ms of the newest record; 0 in an empty store. */
  readonly lastStoreTimestamp: number;
  /** Whether `start` has created the store. */
  readonly isNew: boolean;
  /** Whether `stop` could close it in order; `undefined` before. If not, the next start recovers it. */
  readonly stoppedCleanly: boolean | undefined;
  /** What was found damaged since the start. */
  readonly integrity: IntegrityStatus;
  /** The index of keys: log bytes that it has yet to catch up with, and how often it has fallen behind since the start. */
  readonly keyIndex: { readonly behindBytes: number; readonly stalls: number };
  /** While the store is opened and has to read: what it does, and how far it has come. */
  readonly opening: { readonly phase: string; readonly percent: number } | undefined;
}

export interface MessageStore {
  /** Opens or creates the store and recovers it. Rejects with StoreError (LOCKED, DAMAGED, …). */
  start(): Promise<void>;
  /**
   * Flushes, writes the checkpoint, removes `abort` and releases the lock; idempotent. When `inTime` says no at the
   * moment of closing, or while thousands of ConsumeQueues are synced, the store is only let go: `abort` stays, and the
   * next start recovers. Asked often, and amid blocking work.
   */
  stop(inTime?: () => boolean): Promise<void>;

  /** Appends one message. When the result is `appended`, `waiter` will be settled later; when `refused`, never. */
  append(message: RecordSource, durability: Durability, waiter: AppendWaiter): AppendResult;
  /** Appends messages of one topic and queue as contiguous records: all or none. */
  appendBatch(messages: readonly RecordSource[], durability: Durability, waiter: AppendWaiter): AppendResult;
  /**
   * Appends already encoded records at exactly the end of the log (replication). Those without `__CRC32#` are promised
   * for their bodies only, and the first of them are refused as BUSY until the store's mark on disk tells of them.
   */
  appendAt(
    offset: PhysicalOffset,
    records: Uint8Array,
    durability: Durability,
    waiter: AppendWaiter,
  ): AppendResult;
  /** Cuts log, queues, hot tail and parked readers back to `offset`, crash-safely. Never below `flushedOffset` of an acknowledged append by itself: the caller (replication) answers for that. */
  truncateTo(offset: PhysicalOffset): Promise<void>;

  /** Reads from one queue. `done` is called once, synchronously when the hot tail has it all. */
  get(request: GetRequest, done: (result: GetResult) => void): void;
  /**
   * A copy of one record by physical offset; `undefined` when there is none below the readable limit. `isDamaged`: the
   * disk gave something else where one begins, which asking again may not change.
   */
  recordAt(offset: number, done: (record: Uint8Array | undefined, isDamaged: boolean) => void): void;

  /** What can be said of a place in the log, with the record if one begins there; what readers may not see yet is absent. */
  placeAt(position: number, done: (place: LogPlace) => void): void;

  /**
   * Whole records of the log from `position`, where one begins, on: at most `bytesMax` of them or a single longer one,
   * none at the readable limit. `done` gets HostError for what cannot be read; it may be called at once.
   */
  readLog(position: number, bytesMax: number, done: ChunkRead): void;

  /**
   * Where the log goes on behind a place that cannot be read: the first position beyond `position` at which a whole
   * record begins that is readable and on disk; `undefined` when there is none. `done` may be called at once.
   */
  recordBehind(position: number, done: (position: number | undefined) => void): void;

  /**
   * Finds readable messages by key, exactly: topic, key and time are those of the records. `done` is called once.
   * RocketMQ: MessageStore.queryMessage.
   */
  queryByKey(query: KeyQuery, done: (result: KeyQueryResult) => void): void;

  /** Which part of the log {@link queryByKey} knows. */
  keyIndexSpan(): KeyIndexSpan;

  /** First offset still stored; 0 for an unknown queue. */
  minOffset(topic: string, queueId: number): QueueOffset;
  /** One past the last readable message: the only end any consumer path may use. 0 for an unknown queue. */
  readableEnd(topic: string, queueId: number): QueueOffset;
  /** LOWER: first offset stored at or after `timestampMs`; UPPER: last stored at or before it. */
  offsetByTime(
    topic: string,
    queueId: number,
    timestampMs: number,
    boundary: "lower" | "upper",
    done: (offset: QueueOffset) => void,
  ): void;
  /** Store timestamp of the message at `offset`; -1 when there is none. */
  storeTimestampAt(topic: string, queueId: number, offset: number, done: (timestampMs: number) => void): void;
  /** Whether RocketMQ would count the message as still in memory: it lies within accessMessageInMemoryMaxRatio of the machine's memory from the log's end. */
  isInMemory(topic: string, queueId: number, offset: number): boolean;
  /** Queues known to the store of one topic. */
  queuesOf(topic: string): readonly number[];
  /**
   * Topics the store has queues of, but for those that were deleted and have got nothing since; a broker that lost
   * topics.json learns them again here.
   */
  topics(): readonly string[];
  /**
   * All messages of the topics are gone, for good and through every path by topic; their queues' offsets go on where
   * they are. `done` is called once, when that is on disk and before anything else is appended; appends are refused as
   * BUSY meanwhile. It gets StoreError when nothing was deleted: IO when that cannot be written, STATE when the store is
   * not running or its log is being cut.
   */
  deleteTopics(topics: readonly string[], done: (error: Error | undefined) => void): void;

  /** Removes segments older than `fileReservedTime`, whatever the hour; goes on by itself (RocketMQ: executeDeleteFilesManually). */
  deleteExpiredFiles(): void;
  /** Removes ConsumeQueue files whose messages are all gone, never a queue's last; goes on by itself (RocketMQ: cleanExpiredConsumerQueue). */
  cleanExpiredConsumeQueues(): void;
  onRemoval(listener: RemovalListener): void;
  guardRemoval(guard: RemovalGuard): void;
  /** Small state finds the disk full: gives the reserved space away; `true` when there was some. */
  releaseSpace(): boolean;
  /** Looks at every file, in turns. `error` when the disk refuses to tell. */
  diskUse(done: (error: Error | undefined, report: DiskUseReport | undefined) => void): void;

  /** Changes options that can change while the store is open. Throws StoreError ILLEGAL_OPTION, and nothing has changed. */
  changeOptions(changes: RuntimeStoreOptions): void;

  subscribeArrivals(listener: ArrivalListener): void;
  /** Called once if a write error stops writes for good (rule 2). */
  onFailed(listener: (error: Error) => void): void;
  status(): StoreStatus;
  /** How long syncs of the log take, ms; counted since the start. */
  readonly syncLatencyMs: HistogramValue;
}
