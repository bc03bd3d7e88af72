/**
 * GET_BROKER_HA_STATUS (907): how far a master's slaves are (RocketMQ: HARuntimeInfo).
 *
 *   request   nothing
 *   body      {"haClientRuntimeInfo":{…},"haConnectionInfo":[HaConnection],"inSyncSlaveNums","master",
 *             "masterCommitLogMaxOffset"}
 *
 * haClientRuntimeInfo is what a slave says of itself; a master's is all zero.
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export interface HaConnection {
  /** The slave, `host:port`. */
  readonly addr: string;
  readonly slaveAckOffset: number;
  /** Bytes the slave is behind. */
  readonly diff: number;
  readonly inSync: boolean;
  readonly transferredByteInSecond: number;
  readonly transferFromWhere: number;
}

export interface HaStatus {
  readonly master: boolean;
  /** Where the master's log ends. */
  readonly masterCommitLogMaxOffset: number;
  readonly inSyncSlaveNums: number;
  readonly haConnectionInfo: readonly HaConnection[];
}

const NO_CLIENT = {
  activated: false,
  lastReadTimestamp: 0,
  lastWriteTimestamp: 0,
  masterFlushOffset: 0,
  maxOffset: 0,
  transferredByteInSecond: 0,
} as const;

export function encodeHaStatus(value: HaStatus): Uint8Array {
  return encodeFastjson({ ...value, haClientRuntimeInfo: NO_CLIENT });
}

/** Throws WireError JSON_MALFORMED. */
export function parseHaStatus(bytes: Uint8Array): HaStatus {
  const body = parseJsonObject(bytes, "HARuntimeInfo");
  return {
    master: body.boolean("master", false),
    masterCommitLogMaxOffset: body.integer("masterCommitLogMaxOffset", 0),
    inSyncSlaveNums: body.integer("inSyncSlaveNums", 0),
    haConnectionInfo: body.objectList("haConnectionInfo").map((json) => ({
      addr: json.string("addr"),
      slaveAckOffset: json.integer("slaveAckOffset", 0),
      diff: json.integer("diff", 0),
      inSync: json.boolean("inSync", false),
      transferredByteInSecond: json.integer("transferredByteInSecond", 0),
      transferFromWhere: json.integer("transferFromWhere", 0),
    })),
  };
}
