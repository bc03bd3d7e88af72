/** Bytes on disk. */
export { FileMessageStore, openMessageStore } from "./file-message-store.ts";
export type { ChunkRead, LogChunk, TailFollower, TailSubscription } from "./log-tail.ts";
export type {
  AppendOutcome,
  AppendRefusal,
  AppendResult,
  AppendWaiter,
  ArrivalListener,
  Durability,
  GetRequest,
  GetResult,
  GetStatus,
  MessageStore,
  StoreStatus,
} from "./message-store.ts";
export { type LoadedState, StateFile } from "./state-file.ts";
export { STORE_ERRORS, StoreError, type StoreErrorCode } from "./store-error.ts";
export {
  type FlushDiskType,
  type ResolvedStoreOptions,
  resolveStoreOptions,
  STORE_DEFAULTS,
  type StoreOptions,
} from "./store-options.ts";
