/**
 * Keys that promise a safety OrbitMQ does not have yet. Starting without it, in silence or with a warning that
 * scrolls by, would be worse than not starting: so a value that asks for the promise stops the start, unless the
 * key is named in --ignore-keys.
 */
import { type ConfigValue, flag, integer, oneOf, type ValueKind } from "./value-kinds.ts";

export interface SafetyKey {
  readonly key: string;
  readonly kind: ValueKind;
  /** RocketMQ's default, and the value under which nothing is promised. */
  readonly default: string;
  /** What is promised and missing. */
  readonly promise: string;
  /** Whether this value promises nothing; by default only the default does. */
  readonly harmless?: (value: ConfigValue) => boolean;
}

const off = (key: string, promise: string): SafetyKey => ({ key, kind: flag, default: "false", promise });
const replicas = (key: string): SafetyKey => ({
  key,
  kind: integer(1, 65_535),
  default: "1",
  promise: "replication",
});

export const safetyKeys: readonly SafetyKey[] = [
  off("aclEnable", "access control"),
  off("authenticationEnabled", "authentication"),
  off("authorizationEnabled", "authorization"),
  off("migrateAuthFromV1Enabled", "access control"),
  {
    key: "tls.server.mode",
    kind: oneOf("disabled", "permissive", "enforcing"),
    default: "permissive",
    promise: "TLS",
    harmless: (value) => value !== "enforcing",
  },
  off("useTLS", "TLS"),
  {
    key: "brokerRole",
    kind: oneOf("ASYNC_MASTER", "SYNC_MASTER", "SLAVE"),
    default: "ASYNC_MASTER",
    promise: "replication",
  },
  replicas("totalReplicas"),
  replicas("inSyncReplicas"),
  replicas("minInSyncReplicas"),
  off("allAckInSyncStateSet", "replication"),
  off("enableDLegerCommitLog", "DLedger replication"),
  off("enableControllerMode", "failover by a controller"),
  off("enableControllerInNamesrv", "failover by a controller"),
  {
    key: "storeType",
    kind: oneOf("default", "defaultRocksDB"),
    default: "default",
    promise: "the RocksDB store",
  },
  {
    key: "configManagerVersion",
    kind: oneOf("v1", "v2"),
    default: "v1",
    promise: "settings and offsets in RocksDB",
  },
  off("rocksdbCQDoubleWriteEnable", "the RocksDB store"),
  off("enabledAppendPropCRC", "a checksum over message properties"),
  off("forceVerifyPropCRC", "a checksum over message properties"),
];
