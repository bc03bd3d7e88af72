/** Bytes on disk. */

export type { ChunkRead, LogChunk, TailFollower, TailSubscription } from "./commit-log/log-tail.ts";
export { parseDelayLevels } from "./dispatch/dispatch-fields.ts";
export { FileMessageStore, openMessageStore } from "./file-message-store.ts";
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
  KeyQuery,
  KeyQueryResult,
  MessageStore,
  StoreStatus,
} from "./message-store.ts";
export { type LoadedState, StateFile } from "./state/state-file.ts";
export { STORE_ERRORS, StoreError, type StoreErrorCode } from "./store-error.ts";
export {
  type FlushDiskType,
  type ResolvedStoreOptions,
  resolveStoreOptions,
  STORE_DEFAULTS,
  type StoreOptions,
} from "./store-options.ts";
