/**
 * BATCH_ACK_MESSAGE (200151): popped messages are consumed (RocketMQ: BatchAckMessageRequestBody, BatchAck).
 *
 *   request body   {"acks":[BatchAck],"brokerName"}
 *   BatchAck       {"b","c","it","pt","q","r","rq","so","t"}
 *                  b: base64 of bits, the lowest of the first byte for offset so; c: group; it: invisible time;
 *                  pt: pop time; q: queue; r: "0" the topic, "1", "2" its retry topics; rq: revive queue;
 *                  so: start offset; t: the topic the group subscribes to
 */
import { assert } from "@orbitmq/host";
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";
import type { PopTopicType } from "../pop/pop-retry-topic.ts";
import { parsePopTopicType } from "../pop/receipt-handle.ts";
import { WireError } from "../wire-error.ts";

/** Acknowledged messages of one checkpoint. */
export interface BatchAck {
  readonly consumerGroup: string;
  /** What the group subscribes to, never a retry topic. */
  readonly topic: string;
  readonly topicType: PopTopicType;
  readonly startOffset: number;
  readonly queueId: number;
  readonly reviveQueueId: number;
  /** Wall ms. */
  readonly popTime: number;
  /** ms. */
  readonly invisibleTime: number;
  /** Ascending, none below `startOffset`. */
  readonly offsets: readonly number[];
}

export interface BatchAckBody {
  readonly brokerName?: string | undefined;
  readonly acks: readonly BatchAck[];
}

/** Offsets of one entry span at most so many; who writes more splits them. */
export const BATCH_ACK_SPAN_MAX = 1_048_576;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function encodeBatchAckBody(body: BatchAckBody): Uint8Array {
  return encodeFastjson({
    brokerName: body.brokerName,
    acks: body.acks.map((ack) => ({
      c: ack.consumerGroup,
      t: ack.topic,
      r: String(ack.topicType),
      so: ack.startOffset,
      q: ack.queueId,
      rq: ack.reviveQueueId,
      pt: ack.popTime,
      it: ack.invisibleTime,
      b: bitsOf(ack),
    })),
  });
}

function bitsOf({ startOffset, offsets }: BatchAck): string {
  let last = -1;
  for (const offset of offsets) {
    assert(offset >= startOffset && offset - startOffset < BATCH_ACK_SPAN_MAX, "offsets span too much");
    last = Math.max(last, offset - startOffset);
  }
  const bits = Buffer.alloc((last + 8) >>> 3);
  for (const offset of offsets) {
    const bit = offset - startOffset;
    bits[bit >>> 3] = bits[bit >>> 3]! | (1 << (bit & 7));
  }
  return bits.toString("base64");
}

/** Throws WireError JSON_MALFORMED. Long and short member names are both understood. */
export function parseBatchAckBody(bytes: Uint8Array): BatchAckBody {
  const body = parseJsonObject(bytes, "BatchAckMessageRequestBody");
  return {
    brokerName: body.optionalString("brokerName"),
    acks: body.objectList("acks").map(batchAckFromJson),
  };
}

function batchAckFromJson(json: JsonObject): BatchAck {
  const named = (short: string, long: string): string => (json.raw(short) === undefined ? long : short);
  const topicType = parsePopTopicType(json.string(named("r", "retry")));
  const startOffset = json.integer(named("so", "startOffset"));
  if (topicType === undefined || startOffset < 0)
    throw new WireError("JSON_MALFORMED", "BatchAck: no such topic type");
  return {
    consumerGroup: json.string(named("c", "consumerGroup")),
    topic: json.string(named("t", "topic")),
    topicType,
    startOffset,
    queueId: json.integer(named("q", "queueId")),
    reviveQueueId: json.integer(named("rq", "reviveQueueId")),
    popTime: json.integer(named("pt", "popTime")),
    invisibleTime: json.integer(named("it", "invisibleTime")),
    offsets: offsetsOf(json.optionalString(named("b", "bitSet")) ?? "", startOffset),
  };
}

function offsetsOf(base64: string, startOffset: number): number[] {
  if (!BASE64.test(base64) || base64.length > BATCH_ACK_SPAN_MAX / 6 + 4) {
    throw new WireError("JSON_MALFORMED", "BatchAck: its bits are no base64, or too many");
  }
  const bits = Buffer.from(base64, "base64");
  const offsets: number[] = [];
  for (let i = 0; i < bits.length; i++) {
    for (let rest = bits[i]!; rest !== 0; rest &= rest - 1) {
      offsets.push(startOffset + 8 * i + (31 - Math.clz32(rest & -rest)));
    }
  }
  if (!Number.isSafeInteger(offsets.at(-1) ?? 0)) {
    throw new WireError("JSON_MALFORMED", "BatchAck: an offset is beyond every queue");
  }
  return offsets;
}
