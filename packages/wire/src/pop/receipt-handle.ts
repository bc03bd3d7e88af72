/**
 * What a consumer shows to acknowledge a message it has popped: the property POP_CK of the message, and the field
 * extraInfo of acknowledgements (RocketMQ: ExtraInfoUtil).
 *
 *   handle = startOffset " " popTime " " invisibleTime " " reviveQueueId " " topicType " " brokerName " " queueId
 *            [ " " offset ]
 *
 * The checkpoint it belongs to is named by group, topic, queue, start offset, pop time and broker. Revive queue
 * 999 stands for a message popped in order, which has no checkpoint.
 */
import { parseInt32, parseInt64 } from "../bytes/integer-text.ts";
import { WireError } from "../wire-error.ts";
import type { PopTopicType } from "./pop-retry-topic.ts";

/** The property of a message that holds its handle (RocketMQ: MessageConst.PROPERTY_POP_CK). */
export const PROPERTY_POP_CK = "POP_CK";
/** When a message was popped first, wall ms (RocketMQ: MessageConst.PROPERTY_FIRST_POP_TIME). */
export const PROPERTY_FIRST_POP_TIME = "1ST_POP_TIME";
/** The revive queue of what is popped in order (RocketMQ: KeyBuilder.POP_ORDER_REVIVE_QUEUE). */
export const POP_ORDER_REVIVE_QUEUE = 999;

export interface ReceiptHandle {
  /** The first offset of the checkpoint; not above `offset`. */
  readonly startOffset: number;
  /** When it was popped, wall ms by the broker's clock. */
  readonly popTime: number;
  /** For how long nobody else gets it, ms. */
  readonly invisibleTime: number;
  readonly reviveQueueId: number;
  readonly topicType: PopTopicType;
  readonly brokerName: string;
  readonly queueId: number;
  /** Absent in handles that belong to all messages of a checkpoint. */
  readonly offset?: number | undefined;
}

export function formatReceiptHandle(handle: ReceiptHandle): string {
  const { startOffset, popTime, invisibleTime, reviveQueueId, topicType, brokerName, queueId } = handle;
  const text = `${startOffset} ${popTime} ${invisibleTime} ${reviveQueueId} ${topicType} ${brokerName} ${queueId}`;
  return handle.offset === undefined ? text : `${text} ${handle.offset}`;
}

/** Throws WireError POP_INFO_MALFORMED. What a longer handle has behind the offset is passed over. */
export function parseReceiptHandle(text: string): ReceiptHandle {
  const parts = text.split(" ");
  const brokerName = parts[5];
  if (parts.length < 7 || brokerName === undefined || brokerName === "") throw malformed(text);
  return {
    startOffset: whole(parts[0], text),
    popTime: whole(parts[1], text),
    invisibleTime: whole(parts[2], text),
    reviveQueueId: whole32(parts[3], text),
    topicType: parsePopTopicType(parts[4]) ?? refuse(text),
    brokerName,
    queueId: whole32(parts[6], text),
    offset: parts.length > 7 ? whole(parts[7], text) : undefined,
  };
}

export function parsePopTopicType(text: string | undefined): PopTopicType | undefined {
  if (text === "0") return 0;
  if (text === "1") return 1;
  return text === "2" ? 2 : undefined;
}

function whole(part: string | undefined, text: string): number {
  const value = parseInt64(part ?? "");
  return value !== undefined && value >= 0 ? value : refuse(text);
}

function whole32(part: string | undefined, text: string): number {
  const value = parseInt32(part ?? "");
  return value !== undefined && value >= 0 ? value : refuse(text);
}

function refuse(text: string): never {
  throw malformed(text);
}

function malformed(text: string): WireError {
  return new WireError("POP_INFO_MALFORMED", `no receipt handle: ${JSON.stringify(text.slice(0, 128))}`);
}
