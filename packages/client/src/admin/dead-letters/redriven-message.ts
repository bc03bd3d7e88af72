/**
 * The message a dead letter becomes when it is sent once more. It is the same message: its unique id, keys, tag, body
 * and the application's properties stay, so that who looks for it by its id finds every step of its life, and groups
 * that have consumed it, and remember what they have consumed, are not led to do it twice. It starts anew: without
 * earlier retries, delay or transaction. Pure.
 *
 *   ORBITMQ_REDRIVEN_FROM   %DLQ%group
 *   ORBITMQ_REDRIVEN_ID     the dead letter's offset message id
 *   ORBITMQ_REDRIVES        how often it was redriven, this time included
 */
import {
  COMPRESSION_MASK,
  encodeOffsetMessageId,
  formatProperties,
  MessageConst,
  type MessageRecord,
  MessageSysFlag,
  OrbitProperty,
  parseProperties,
} from "@orbitmq/wire";
import type { EncodedMessage } from "../../producer/encode-message.ts";
import { redrivesOf } from "./dead-letter.ts";

/** RocketMQ's own names that say something of the message itself; all others tell of where it has been. */
const KEPT: ReadonlySet<string> = new Set([
  MessageConst.KEYS,
  MessageConst.TAGS,
  MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
  MessageConst.SHARDING_KEY,
  MessageConst.BUYER_ID,
  MessageConst.INSTANCE_ID,
  MessageConst.TRACE_CONTEXT,
  MessageConst.CORRELATION_ID,
  MessageConst.MESSAGE_REPLY_TO_CLIENT,
  MessageConst.MESSAGE_TTL,
  MessageConst.MESSAGE_TYPE,
]);

const LEFT_BEHIND: ReadonlySet<string> = new Set([
  ...Object.values(MessageConst).filter((name) => !KEPT.has(name)),
  OrbitProperty.FAILURE,
]);

export function redrivenMessage(record: MessageRecord, to: string): EncodedMessage {
  const properties = parseProperties(record.properties);
  const offsetMsgId = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
  // Without a unique id (some clients give none) applications know it by where it was stored first.
  const msgId =
    properties.get(MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) ||
    properties.get(MessageConst.ORIGIN_MESSAGE_ID) ||
    offsetMsgId;
  const redrives = redrivesOf(properties.get(OrbitProperty.REDRIVES)) + 1;
  for (const name of LEFT_BEHIND) properties.delete(name);
  properties.set(MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, msgId);
  properties.set(OrbitProperty.REDRIVEN_FROM, record.topic);
  properties.set(OrbitProperty.REDRIVEN_ID, offsetMsgId);
  properties.set(OrbitProperty.REDRIVES, String(redrives));
  return {
    topic: to,
    body: record.body,
    properties: formatProperties(properties),
    sysFlag: record.sysFlag & (MessageSysFlag.COMPRESSED | COMPRESSION_MASK),
    flag: record.flag,
    msgId,
    isBatch: false,
  };
}
