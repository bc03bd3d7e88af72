/**
 * Which offsets of which queues the messages of a POP answer have: three header fields, from which a consumer
 * builds the handles of messages that lie in the topic itself (RocketMQ: ExtraInfoUtil). Entries are joined by ";",
 * none is written twice.
 *
 *   startOffsetInfo   topicType " " queueId " " startOffset                the start of the queue's checkpoint
 *   msgOffsetInfo     topicType " " queueId " " offset { "," offset }     ascending, one for each message
 *   orderCountInfo    topicType " " queueId " " count                      of every message of the queue
 *                     topicType " qo" queueId "%" offset " " count         of one message
 *
 * The i-th message of a queue, sorted by queue offset, has the queue's i-th offset.
 */
import { parseInt32, parseInt64 } from "../bytes/integer-text.ts";
import { WireError } from "../wire-error.ts";
import type { PopTopicType } from "./pop-retry-topic.ts";
import { parsePopTopicType } from "./receipt-handle.ts";

export interface PopStartOffset {
  readonly topicType: PopTopicType;
  readonly queueId: number;
  readonly startOffset: number;
}

export interface PopMessageOffsets {
  readonly topicType: PopTopicType;
  readonly queueId: number;
  readonly offsets: readonly number[];
}

/** How often a message popped in order was popped before. */
export interface PopOrderCount {
  readonly topicType: PopTopicType;
  readonly queueId: number;
  /** Absent: the count of every message of the queue that has no entry of its own. */
  readonly offset?: number | undefined;
  readonly count: number;
}

export function formatStartOffsetInfo(entries: readonly PopStartOffset[]): string {
  return entries
    .map(({ topicType, queueId, startOffset }) => `${topicType} ${queueId} ${startOffset}`)
    .join(";");
}

export function formatMsgOffsetInfo(entries: readonly PopMessageOffsets[]): string {
  return entries
    .map(({ topicType, queueId, offsets }) => `${topicType} ${queueId} ${offsets.join(",")}`)
    .join(";");
}

export function formatOrderCountInfo(entries: readonly PopOrderCount[]): string {
  return entries
    .map(({ topicType, queueId, offset, count }) => {
      const of = offset === undefined ? queueId : `qo${queueId}%${offset}`;
      return `${topicType} ${of} ${count}`;
    })
    .join(";");
}

/** Throws WireError POP_INFO_MALFORMED. Absent or empty is an empty list. */
export function parseStartOffsetInfo(text: string | undefined): PopStartOffset[] {
  return entriesOf(text).map(([topicType, queue, startOffset]) => ({
    topicType,
    queueId: whole32(queue),
    startOffset: whole(startOffset),
  }));
}

/** Throws WireError POP_INFO_MALFORMED. Absent or empty is an empty list. */
export function parseMsgOffsetInfo(text: string | undefined): PopMessageOffsets[] {
  return entriesOf(text).map(([topicType, queue, offsets]) => ({
    topicType,
    queueId: whole32(queue),
    offsets: offsets.split(",").map(whole),
  }));
}

/** Throws WireError POP_INFO_MALFORMED. Absent or empty is an empty list. */
export function parseOrderCountInfo(text: string | undefined): PopOrderCount[] {
  return entriesOf(text).map(([topicType, of, count]) => {
    if (!of.startsWith("qo")) return { topicType, queueId: whole32(of), count: whole32(count) };
    const [queue = "", offset = ""] = of.slice(2).split("%", 2);
    return { topicType, queueId: whole32(queue), offset: whole(offset), count: whole32(count) };
  });
}

function entriesOf(text: string | undefined): [type: PopTopicType, key: string, value: string][] {
  if (text === undefined || text === "") return [];
  const seen = new Set<string>();
  return text.split(";").map((entry) => {
    const parts = entry.split(" ");
    const [type, key, value] = parts;
    const topicType = parsePopTopicType(type);
    if (topicType === undefined || key === undefined || value === undefined || parts.length !== 3) {
      throw malformed(entry);
    }
    const name = `${topicType} ${key}`;
    if (seen.has(name)) throw malformed(entry);
    seen.add(name);
    return [topicType, key, value];
  });
}

function whole(part: string): number {
  const value = parseInt64(part);
  if (value === undefined || value < 0) throw malformed(part);
  return value;
}

function whole32(part: string): number {
  const value = parseInt32(part);
  if (value === undefined || value < 0) throw malformed(part);
  return value;
}

function malformed(text: string): WireError {
  return new WireError("POP_INFO_MALFORMED", `no offsets of POP: ${JSON.stringify(text.slice(0, 128))}`);
}
