/**
 * The engine behind MessageStore, on files. (Signatures first; behaviour follows.)
 */
import { assert, type Host, type Logger, type PhysicalOffset, type QueueOffset } from "@orbitmq/host";
import type { RecordInput } from "@orbitmq/wire";
import type {
  AppendResult,
  AppendWaiter,
  ArrivalListener,
  Durability,
  GetRequest,
  GetResult,
  MessageStore,
  StoreStatus,
} from "./message-store.ts";
import { type ResolvedStoreOptions, resolveStoreOptions, type StoreOptions } from "./store-options.ts";

export class FileMessageStore implements MessageStore {
  readonly options: ResolvedStoreOptions;
  readonly host: Host;
  readonly logger: Logger;

  constructor(host: Host, options: StoreOptions, logger: Logger) {
    this.host = host;
    this.options = resolveStoreOptions(options);
    this.logger = logger;
  }

  start(): Promise<void> {
    return notYet();
  }
  stop(): Promise<void> {
    return notYet();
  }
  append(_message: RecordInput, _durability: Durability, _waiter: AppendWaiter): AppendResult {
    return notYet();
  }
  appendBatch(
    _messages: readonly RecordInput[],
    _durability: Durability,
    _waiter: AppendWaiter,
  ): AppendResult {
    return notYet();
  }
  appendAt(
    _offset: PhysicalOffset,
    _records: Uint8Array,
    _durability: Durability,
    _waiter: AppendWaiter,
  ): AppendResult {
    return notYet();
  }
  truncateTo(_offset: PhysicalOffset): Promise<void> {
    return notYet();
  }
  get(_request: GetRequest, _done: (result: GetResult) => void): void {
    notYet();
  }
  recordAt(_offset: number, _done: (record: Uint8Array | undefined) => void): void {
    notYet();
  }
  minOffset(_topic: string, _queueId: number): QueueOffset {
    return notYet();
  }
  readableEnd(_topic: string, _queueId: number): QueueOffset {
    return notYet();
  }
  offsetByTime(
    _topic: string,
    _queueId: number,
    _timestampMs: number,
    _boundary: "lower" | "upper",
    _done: (offset: QueueOffset) => void,
  ): void {
    notYet();
  }
  storeTimestampAt(
    _topic: string,
    _queueId: number,
    _offset: number,
    _done: (timestampMs: number) => void,
  ): void {
    notYet();
  }
  isInMemory(_topic: string, _queueId: number, _offset: number): boolean {
    return notYet();
  }
  queuesOf(_topic: string): readonly number[] {
    return notYet();
  }
  topics(): readonly string[] {
    return notYet();
  }
  subscribeArrivals(_listener: ArrivalListener): void {
    notYet();
  }
  onFailed(_listener: (error: Error) => void): void {
    notYet();
  }
  status(): StoreStatus {
    return notYet();
  }
}

function notYet(): never {
  assert(false, "the store is being built");
}

/** Makes the store that `options.store` names; nothing is touched before `start()`. Throws StoreError ILLEGAL_OPTION. */
export function openMessageStore(host: Host, options: StoreOptions, logger: Logger): MessageStore {
  return new FileMessageStore(host, options, logger);
}
