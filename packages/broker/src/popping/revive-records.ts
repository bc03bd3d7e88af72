/**
 * What lies in the revive log, rmq_sys_REVIVE_LOG_<cluster>: checkpoints of popped messages and acknowledgements
 * (RocketMQ: PopCheckPoint, AckMsg, BatchAckMsg), as bodies of records whose tag tells which.
 *
 *   ck     {"bm","bn","c","d":[offset - so],"it","n","nx"?,"pt","q","ro","rp"?,"so","t"}
 *          bm: bits of what is acknowledged; bn: broker; c: group; it: invisible time; n: count; nx: how far the pop
 *          has moved the queue on, minus so (ours alone, and in the first record of a checkpoint alone); pt: pop time;
 *          q: queue; ro: unused; rp: times it was put again; so: start offset; t: topic, which may be a retry topic
 *   ack    {"ao":offset,"bn","c","pt","q","so","t"}
 *   bAck   {"ao":-1,"aol":[offset],"bn","c","pt","q","so","t"}
 *
 * A checkpoint is named by topic, group, queue, start offset, pop time and broker. RocketMQ's revive service takes a
 * record's TIMER_DELIVER_MS as the time up to which it has seen everything: here that is when it was written.
 */
import { formatFastjson, MessageConst, parseJsonFile, type RecordInput } from "@orbitmq/wire";
import { withProperties } from "../sending/property-text.ts";

export const CK_TAG = "ck";
export const ACK_TAG = "ack";
export const BATCH_ACK_TAG = "bAck";

/** What names a checkpoint. */
export interface CheckPointName {
  readonly group: string;
  /** Where the messages lie. */
  readonly topic: string;
  readonly queueId: number;
  readonly startOffset: number;
  /** Wall ms. */
  readonly popTime: number;
  readonly brokerName: string;
}

export interface CheckPointRecord extends CheckPointName {
  /** ms. */
  readonly invisibleTime: number;
  /** Ascending, 32 at most. */
  readonly offsets: readonly number[];
  /** Bit i: the i-th offset is acknowledged. */
  readonly ackedBits: number;
  readonly rePutTimes: number;
  /** Where the next pop of the queue begins; absent in what is written again, and in RocketMQ's. */
  readonly nextOffset?: number;
}

/** Messages of one checkpoint at most: their acknowledgements are bits of an int. */
export const CHECK_POINT_MESSAGES_MAX = 32;

export function checkPointKey(name: CheckPointName): string {
  const { topic, group, queueId, startOffset, popTime, brokerName } = name;
  return `${topic}@${group}@${queueId}@${startOffset}@${popTime}@${brokerName}`;
}

export function formatCheckPoint(ck: CheckPointRecord): string {
  return formatFastjson({
    bm: ck.ackedBits,
    bn: ck.brokerName,
    c: ck.group,
    d: ck.offsets.map((offset) => offset - ck.startOffset),
    it: ck.invisibleTime,
    n: ck.offsets.length,
    nx: ck.nextOffset === undefined ? undefined : ck.nextOffset - ck.startOffset,
    pt: ck.popTime,
    q: ck.queueId,
    ro: 0,
    rp: ck.rePutTimes === 0 ? undefined : String(ck.rePutTimes),
    so: ck.startOffset,
    t: ck.topic,
  });
}

/** Throws WireError JSON_MALFORMED. `undefined`: it has no messages. */
export function parseCheckPoint(body: Uint8Array): CheckPointRecord | undefined {
  const json = parseJsonFile(body, "PopCheckPoint");
  const startOffset = json.integer("so");
  const count = Math.min(json.integer("n", 0), CHECK_POINT_MESSAGES_MAX);
  const diffs = json.integers("d").slice(0, CHECK_POINT_MESSAGES_MAX);
  // Checkpoints of early versions have no differences: their messages lie one behind the other.
  const offsets =
    diffs.length > 0
      ? diffs.map((diff) => startOffset + diff)
      : Array.from({ length: Math.max(0, count) }, (_, index) => startOffset + index);
  if (offsets.length === 0) return undefined;
  const moved = json.optionalInteger("nx");
  return {
    ...nameFromJson(json),
    invisibleTime: json.integer("it", 0),
    offsets,
    ackedBits: json.integer("bm", 0) | 0,
    rePutTimes: json.optionalInteger("rp") ?? 0,
    ...(moved === undefined ? {} : { nextOffset: startOffset + moved }),
  };
}

export function formatAck(name: CheckPointName, offsets: readonly number[]): string {
  const isBatch = offsets.length !== 1;
  return formatFastjson({
    ao: isBatch ? -1 : offsets[0],
    aol: isBatch ? offsets : undefined,
    bn: name.brokerName,
    c: name.group,
    pt: name.popTime,
    q: name.queueId,
    so: name.startOffset,
    t: name.topic,
  });
}

/** Throws WireError JSON_MALFORMED. */
export function parseAck(body: Uint8Array): {
  readonly name: CheckPointName;
  readonly offsets: readonly number[];
} {
  const json = parseJsonFile(body, "AckMsg");
  const list = json.integers("aol");
  return { name: nameFromJson(json), offsets: list.length > 0 ? list : [json.integer("ao")] };
}

function nameFromJson(json: ReturnType<typeof parseJsonFile>): CheckPointName {
  return {
    group: json.string("c"),
    topic: json.string("t"),
    queueId: json.integer("q"),
    startOffset: json.integer("so"),
    popTime: json.integer("pt"),
    brokerName: json.optionalString("bn") ?? "",
  };
}

/** Where and when a record of the revive log is written. */
export interface RevivePlace {
  readonly topic: string;
  readonly queueId: number;
  readonly nowMs: number;
  readonly storeHost: Uint8Array;
}

export function checkPointMessage(ck: CheckPointRecord, place: RevivePlace): RecordInput {
  const key = `${ck.topic}@${ck.queueId}@${ck.startOffset}@${ck.group}@${ck.popTime}@${ck.brokerName}@ck`;
  return reviveMessage(formatCheckPoint(ck), CK_TAG, key, place);
}

export function ackMessage(
  name: CheckPointName,
  offsets: readonly number[],
  place: RevivePlace,
): RecordInput {
  const { topic, queueId, group, popTime, brokerName } = name;
  const isBatch = offsets.length !== 1;
  const key = isBatch
    ? `${topic}@${queueId}@[${offsets.join(", ")}]@${group}@${popTime}@bAck`
    : `${topic}@${queueId}@${offsets[0]}@${group}@${popTime}@${brokerName}@ack`;
  return reviveMessage(formatAck(name, offsets), isBatch ? BATCH_ACK_TAG : ACK_TAG, key, place);
}

function reviveMessage(body: string, tag: string, key: string, place: RevivePlace): RecordInput {
  return {
    topic: place.topic,
    queueId: place.queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: place.nowMs,
    bornHost: place.storeHost,
    storeHost: place.storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(body),
    properties: withProperties("", {
      [MessageConst.TAGS]: tag,
      [MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX]: key,
      [MessageConst.TIMER_DELIVER_MS]: place.nowMs,
    }),
  };
}
