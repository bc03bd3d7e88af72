/**
 * From the bytes of a pull response to records, and from a record to what a listener sees. Records are copied
 * out of the receive buffer once, all of a response together; bodies stay views into that copy.
 */
import {
  encodeOffsetMessageId,
  formatHostBytes,
  getProperty,
  KEY_SEPARATOR,
  MessageConst,
  type MessageQueue,
  type MessageRecord,
  propertiesObject,
  readRecords,
} from "@orbitmq/wire";
import type { MessageMetadata } from "../../message/received-message.ts";
import { RETRY_PREFIX } from "../../names/names.ts";
import type { Namespace } from "../../names/namespace.ts";

/** `body` need not outlive this call. Throws WireError RECORD_MALFORMED. */
export function copyRecords(body: Uint8Array): MessageRecord[] {
  return body.length === 0 ? [] : readRecords(Buffer.from(body));
}

export function tagOf(record: MessageRecord): string | undefined {
  return getProperty(record.properties, MessageConst.TAGS);
}

/**
 * The topic the application knows it by: a message that is being retried lies in its group's retry topic. A dead
 * letter remembers where it came from, too, and is in the topic it is in.
 */
export function topicOf(record: MessageRecord): string {
  if (!record.topic.startsWith(RETRY_PREFIX)) return record.topic;
  return getProperty(record.properties, MessageConst.RETRY_TOPIC) ?? record.topic;
}

/** The id its producer gave it, else the one that says where it is stored. */
export function messageIdOf(record: MessageRecord): string {
  return (
    getProperty(record.properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) ??
    encodeOffsetMessageId(record.storeHost, record.physicalOffset)
  );
}

/** `attempts`: how often this consumer has failed it already, beyond what the record says. */
export function metadataOf(
  record: MessageRecord,
  queue: MessageQueue,
  attempts: number,
  namespace: Namespace,
): MessageMetadata {
  // The checksum of the record in the store's log says nothing to an application.
  const properties = propertiesObject(record.properties, MessageConst.CRC32);
  const offsetMsgId = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
  const keys = properties[MessageConst.KEYS];
  return {
    topic: namespace.unwrap(topicOf(record)),
    queue: namespace.unwrapQueue(queue),
    queueOffset: record.queueOffset,
    physicalOffset: record.physicalOffset,
    msgId: properties[MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX] ?? offsetMsgId,
    offsetMsgId,
    tag: properties[MessageConst.TAGS],
    keys: keys === undefined ? [] : keys.split(KEY_SEPARATOR).filter((key) => key !== ""),
    properties,
    flag: record.flag,
    sysFlag: record.sysFlag,
    bornTimestamp: record.bornTimestamp,
    storeTimestamp: record.storeTimestamp,
    bornHost: formatHostBytes(record.bornHost),
    storeHost: formatHostBytes(record.storeHost),
    reconsumeTimes: record.reconsumeTimes + attempts,
    storeSize: record.totalSize,
  };
}
