/** Bytes on disk. */

export type {
  ChunkRead,
  LogChunk,
  TailFollower,
  TailOptions,
  TailSubscription,
} from "./commit-log/log-tail.ts";
export { parseDelayLevels } from "./dispatch/dispatch-fields.ts";
export { FileMessageStore, openMessageStore } from "./file-message-store.ts";
export type { IntegrityStatus } from "./integrity/damages.ts";
export type { SkippedRecord } from "./integrity/skip-list.ts";
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
  RemovalGuard,
  RemovalListener,
  RemovedMessages,
  StoreStatus,
} from "./message-store.ts";
export type { KeyIndexSpan, LogPlace } from "./reading/log-place.ts";
export type { DiskUseReport, FolderUse } from "./retention/disk-use.ts";
export { type LoadedState, StateFile, type StateSpace } from "./state/state-file.ts";
export { STORE_ERRORS, StoreError, type StoreErrorCode } from "./store-error.ts";
export {
  type FlushDiskType,
  type ResolvedStoreOptions,
  type RuntimeStoreOptions,
  resolveStoreOptions,
  STORE_DEFAULTS,
  type StoreOptions,
} from "./store-options.ts";
export { SlotReader, TimerDamage } from "./timer/slot-reader.ts";
export {
  TIMER_PRECISION_MS,
  TimerFiles,
  type TimerFilesOptions,
  type TimerProgress,
  type TimersOpened,
} from "./timer/timer-files.ts";
export { TIMER_UNIT_BYTES, type TimerEntry, TimerMagic, type TimerUnit } from "./timer/timer-unit.ts";
export { TIMER_WHEEL_SLOTS } from "./timer/timer-wheel.ts";
export { BACKUP_VERSION, type BackupReport, backupStore } from "./tools/backup-store.ts";
export { type DumpedDamage, type DumpedRecord, type DumpFilter, dumpStore } from "./tools/dump-store.ts";
export { type Rebuilt, rebuildIndex, rebuildQueues } from "./tools/rebuild-derived.ts";
export { skipRecord } from "./tools/skip-record.ts";
export { type QueueStat, type StoreStat, statStore } from "./tools/stat-store.ts";
export type { ViewOptions } from "./tools/store-view.ts";
export { type Finding, type Progress, type VerifyReport, verifyStore } from "./tools/verify-store.ts";
