/**
 * A store of plain arrays, for handlers' tests: appends wait until `flush` (or settle at the end of the turn with
 * `autoFlush`), only then are they readable. Records are real ones.
 */
import { Histogram, type PhysicalOffset, physicalOffset, type QueueOffset, queueOffset } from "@orbitmq/host";
import type {
  AppendRefusal,
  AppendResult,
  AppendWaiter,
  ArrivalListener,
  ChunkRead,
  DiskUseReport,
  Durability,
  GetRequest,
  GetResult,
  GetStatus,
  KeyIndexSpan,
  KeyQuery,
  KeyQueryResult,
  LogPlace,
  MessageStore,
  RemovalListener,
  StoreStatus,
} from "@orbitmq/store";
import { parseDelayLevels } from "@orbitmq/store";
import {
  getProperty,
  javaHash,
  type RecordInput,
  type RecordSource,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import { SCHEDULE_TOPIC } from "../names.ts";

export interface StoredMessage {
  readonly message: RecordInput;
  readonly body: string;
  readonly tagsCode: number;
  readonly durability: Durability;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly storeTimestamp: number;
}

interface Pending {
  readonly waiter: AppendWaiter;
  readonly appended: readonly { key: string; stored: StoredMessage }[];
}

export class MemoryStore implements MessageStore {
  readonly queues = new Map<string, StoredMessage[]>();
  /** Every append since the start, in order. */
  readonly appended: StoredMessage[] = [];
  released = 0;
  gets = 0;
  refusal: { reason: AppendRefusal; remark: string } | undefined;
  state: StoreStatus["state"] = "running";
  keyIndexBehindBytes = 0;
  readonly syncLatencyMs = new Histogram([1]);
  autoFlush = true;
  inMemory = true;
  /** What pulls hand out: `<body>`, or real records. */
  realRecords = false;
  /** Time of the store's clock. */
  nowMs: () => number = () => 1_700_000_000_000;
  readonly #delaysMs = parseDelayLevels("1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h");
  #pending: Pending[] = [];
  #position = 0;
  readonly #listeners: ArrivalListener[] = [];
  readonly #failed: ((error: Error) => void)[] = [];
  readonly #later: (fn: () => void) => void;

  constructor(later: (fn: () => void) => void) {
    this.#later = later;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  append(message: RecordSource, durability: Durability, waiter: AppendWaiter): AppendResult {
    return this.appendBatch([message], durability, waiter);
  }

  appendBatch(messages: readonly RecordSource[], durability: Durability, waiter: AppendWaiter): AppendResult {
    if (this.refusal !== undefined) return { status: "refused", ...this.refusal };
    const physicalOffsets: PhysicalOffset[] = [];
    const first = messages[0]!;
    const key = `${first.topic}@${first.queueId}`;
    const ahead = this.#pending.flatMap((pending) => pending.appended).filter((each) => each.key === key);
    const start = this.#position;
    const firstOffset = (this.queues.get(key)?.length ?? 0) + ahead.length;
    const storeTimestamp = this.nowMs();
    const appended = messages.map((message, index) => {
      const position = this.#position;
      physicalOffsets.push(physicalOffset(position));
      this.#position += 100 + message.body.length;
      const properties =
        typeof message.properties === "string" ? message.properties : message.properties.text();
      const stored: StoredMessage = {
        message: { ...message, properties, body: message.body.slice() },
        body: Buffer.from(message.body).toString(),
        tagsCode: this.#tagsCode({ ...message, properties }, storeTimestamp),
        durability,
        queueOffset: firstOffset + index,
        physicalOffset: position,
        storeTimestamp,
      };
      this.appended.push(stored);
      return { key, stored };
    });
    this.#pending.push({ waiter, appended });
    if (this.autoFlush) this.#later(() => this.flush());
    return {
      status: "appended",
      physicalOffset: physicalOffsets[0]!,
      queueOffset: queueOffset(firstOffset),
      physicalOffsets: messages.length > 1 ? physicalOffsets : undefined,
      storeTimestamp,
      byteCount: this.#position - start,
    };
  }

  #tagsCode(message: RecordInput, storeTimestamp: number): number {
    if (message.topic === SCHEDULE_TOPIC) return storeTimestamp + this.#delaysMs[message.queueId]!;
    const tags = getProperty(message.properties, "TAGS");
    return tags === undefined ? 0 : javaHash(tags);
  }

  /** Makes everything appended durable and readable. */
  flush(): void {
    for (const { waiter, appended } of this.#pending.splice(0)) {
      for (const { key, stored } of appended) {
        const queue = this.queues.get(key) ?? [];
        queue.push(stored);
        this.queues.set(key, queue);
        const { topic, queueId } = stored.message;
        for (const listener of this.#listeners) {
          listener.messageArrived(topic, queueId, queueOffset(queue.length), stored.tagsCode);
        }
      }
      waiter.appendSettled("reached");
    }
  }

  /** Lets what waits time out; it becomes readable at the next flush. */
  timeOut(): void {
    for (const { waiter } of this.#pending.splice(0)) waiter.appendSettled("timeout");
  }

  fail(): void {
    this.state = "failed";
    this.refusal = { reason: "STORE_FAILED", remark: "fdatasync failed: EIO" };
    for (const listener of this.#failed) listener(new Error("EIO"));
    for (const { waiter } of this.#pending.splice(0)) waiter.appendSettled("failed");
  }

  appendAt(): AppendResult {
    throw new Error("not in this double");
  }

  async truncateTo(): Promise<void> {
    throw new Error("not in this double");
  }

  get(request: GetRequest, done: (result: GetResult) => void): void {
    this.gets++;
    done(this.#get(request));
  }

  #get(request: GetRequest): GetResult {
    const { topic, queueId, offset, messagesMax, bytesMax, matches, matchesRecord, stopBefore } = request;
    const queue = this.queues.get(`${topic}@${queueId}`);
    const end = queue?.length ?? 0;
    const result = (status: GetStatus, next: number, found: readonly StoredMessage[] = []): GetResult => {
      const slices = found.map((each) => (this.realRecords ? recordOf(each) : Buffer.from(`<${each.body}>`)));
      return {
        status,
        nextBeginOffset: queueOffset(next),
        minOffset: queueOffset(0),
        maxOffset: queueOffset(end),
        messageCount: found.length,
        byteCount: slices.reduce((sum, slice) => sum + slice.length, 0),
        slices,
        suggestPullingFromSlave: false,
        heldAt: -1,
        release: () => void this.released++,
      };
    };
    if (queue === undefined) return result("NO_MATCHED_LOGIC_QUEUE", 0);
    if (offset < 0) return result("OFFSET_TOO_SMALL", 0);
    if (offset === end) return result("OFFSET_OVERFLOW_ONE", offset);
    if (offset > end) return result("OFFSET_OVERFLOW_BADLY", end);
    const found: StoredMessage[] = [];
    let bytes = 0;
    let next = offset;
    for (; next < end && found.length < messagesMax; next++) {
      const each = queue[next]!;
      if (stopBefore?.(next, each.tagsCode) === true) break;
      if (matches?.(each.tagsCode) === false) continue;
      if (matchesRecord !== undefined) {
        const record = recordOf(each);
        if (!matchesRecord(record, 0, record.length)) continue;
      }
      if (found.length > 0 && bytes + each.body.length > bytesMax) break;
      bytes += each.body.length;
      found.push(each);
    }
    return found.length === 0 ? result("NO_MATCHED_MESSAGE", next) : result("FOUND", next, found);
  }

  recordAt(offset: number, done: (record: Uint8Array | undefined, isDamaged: boolean) => void): void {
    const stored = this.appended.find((each) => each.physicalOffset === offset);
    done(stored === undefined ? undefined : recordOf(stored), false);
  }

  placeAt(position: number, done: (place: LogPlace) => void): void {
    this.recordAt(position, (record) => {
      if (record === undefined) done({ state: "absent", reason: "it does not lie in the log" });
      else done({ state: "whole", record: Buffer.from(record), file: "0".repeat(20), fileOffset: position });
    });
  }

  keyIndexSpan(): KeyIndexSpan {
    return { enabled: true, behindBytes: this.keyIndexBehindBytes, fromMs: 1_700_000_000_000 };
  }

  /** A record at a time. */
  readLog(position: number, _bytesMax: number, done: ChunkRead): void {
    const index = this.appended.findIndex((each) => each.physicalOffset >= position);
    const stored = this.appended[index];
    const isReadable = stored !== undefined && stored.physicalOffset < this.status().flushedOffset;
    const end = isReadable ? (this.appended[index + 1]?.physicalOffset ?? this.#position) : position;
    const bytes = isReadable ? recordOf(stored) : new Uint8Array();
    const chunk = { start: physicalOffset(position), end: physicalOffset(end), bytes, release: () => {} };
    done(undefined, chunk);
  }

  recordBehind(position: number, done: (position: number | undefined) => void): void {
    done(this.appended.find((each) => each.physicalOffset > position)?.physicalOffset);
  }

  /** Bodies of the messages in angle brackets, as `get` returns them. */
  queryByKey({ topic, key, messagesMax }: KeyQuery, done: (result: KeyQueryResult) => void): void {
    const found = [...this.queues.values()]
      .flat()
      .filter(({ message: { topic: own, properties } }) => {
        const keys = `${getProperty(properties, "UNIQ_KEY")} ${getProperty(properties, "KEYS")}`;
        return own === topic && keys.split(" ").includes(key);
      })
      .slice(-messagesMax)
      .map(({ body }) => Buffer.from(`<${body}>`));
    done({
      slices: found,
      complete: true,
      messageCount: found.length,
      byteCount: found.reduce((sum, slice) => sum + slice.length, 0),
      indexLastUpdateTimestamp: 1_700_000_000_000,
      indexLastUpdatePhyoffset: this.#position,
      release: () => void this.released++,
    });
  }

  minOffset(): QueueOffset {
    return queueOffset(0);
  }

  readableEnd(topic: string, queueId: number): QueueOffset {
    return queueOffset(this.queues.get(`${topic}@${queueId}`)?.length ?? 0);
  }

  offsetByTime(
    topic: string,
    queueId: number,
    timestampMs: number,
    boundary: "lower" | "upper",
    done: (offset: QueueOffset) => void,
  ): void {
    const end = this.readableEnd(topic, queueId);
    done(queueOffset(boundary === "lower" && timestampMs > 1_700_000_000_000 ? end : 0));
  }

  storeTimestampAt(
    topic: string,
    queueId: number,
    offset: number,
    done: (timestampMs: number) => void,
  ): void {
    done(offset >= 0 && offset < this.readableEnd(topic, queueId) ? 1_700_000_000_000 : -1);
  }

  isInMemory(topic: string, queueId: number, offset: number): boolean {
    return this.inMemory && offset < this.readableEnd(topic, queueId);
  }

  queuesOf(topic: string): readonly number[] {
    const prefix = `${topic}@`;
    return [...this.queues.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => Number(key.slice(prefix.length)));
  }

  topics(): readonly string[] {
    return [...new Set([...this.queues.keys()].map((key) => key.slice(0, key.lastIndexOf("@"))))];
  }

  /** Why `deleteTopics` fails; `undefined`: it does not. */
  deletionFailure: Error | undefined;

  deleteTopics(topics: readonly string[], done: (error: Error | undefined) => void): void {
    this.#later(() => {
      if (this.deletionFailure === undefined) {
        for (const topic of topics)
          for (const queueId of this.queuesOf(topic)) this.queues.delete(`${topic}@${queueId}`);
      }
      done(this.deletionFailure);
    });
  }

  /** Requests to remove what is expired, in order. */
  readonly cleanings: ("segments" | "queues")[] = [];
  readonly removalListeners: RemovalListener[] = [];
  reservedSpaces = 0;

  deleteExpiredFiles(): void {
    this.cleanings.push("segments");
  }

  cleanExpiredConsumeQueues(): void {
    this.cleanings.push("queues");
  }

  guardRemoval(): void {}

  onRemoval(listener: RemovalListener): void {
    this.removalListeners.push(listener);
  }

  releaseSpace(): boolean {
    if (this.reservedSpaces === 0) return false;
    this.reservedSpaces -= 1;
    return true;
  }

  changeOptions(): void {}

  diskUse(done: (error: Error | undefined, report: DiskUseReport | undefined) => void): void {
    const use = (bytes: number) => ({ files: 1, bytes, allocatedBytes: bytes / 2 });
    const [commitLog, consumeQueue, index, config, other] = [use(8), use(6), use(4), use(2), use(0)];
    done(undefined, { commitLog, consumeQueue, index, config, other });
  }

  subscribeArrivals(listener: ArrivalListener): void {
    this.#listeners.push(listener);
  }

  onFailed(listener: (error: Error) => void): void {
    this.#failed.push(listener);
  }

  status(): StoreStatus {
    return {
      state: this.state,
      isNew: false,
      integrity: {
        corruptRecords: 0,
        lastCorruptOffset: -1,
        wrongUnits: 0,
        wrongIndexBlocks: 0,
        skippedRecords: 0,
      },
      opening: undefined,
      keyIndex: { behindBytes: this.keyIndexBehindBytes, stalls: 0 },
      stoppedCleanly: true,
      refusal: this.refusal,
      minOffset: physicalOffset(0),
      flushedOffset: physicalOffset(this.#pending[0]?.appended[0]?.stored.physicalOffset ?? this.#position),
      writtenOffset: physicalOffset(this.#position),
      readableLimit: physicalOffset(this.#position),
      recoversFrom: physicalOffset(this.#position),
      recoversFromAfterKill: physicalOffset(this.#position),
      messageCount: this.appended.length,
      lastStoreTimestamp: 1_700_000_000_000,
    };
  }
}

function recordOf({ message, queueOffset, physicalOffset, storeTimestamp }: StoredMessage): Buffer {
  const bytes = Buffer.alloc(recordSize(message));
  writeRecord(message, bytes, 0, { queueOffset, physicalOffset, storeTimestamp });
  return bytes;
}
