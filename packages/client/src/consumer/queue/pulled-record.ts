/**
 * From the bytes of a pull response to records, and what a record says of its topic and id. Records are copied
 * out of the receive buffer once, all of a response together; bodies stay views into that copy.
 */
import {
  encodeOffsetMessageId,
  getProperty,
  MessageConst,
  type MessageRecord,
  readRecords,
  viewRecords,
} from "@orbitmq/wire";
import { RETRY_PREFIX } from "../../names/names.ts";

/** `body` need not outlive this call. Throws WireError RECORD_MALFORMED. */
export function copyRecords(body: Uint8Array): MessageRecord[] {
  return body.length === 0 ? [] : readRecords(Buffer.from(body));
}

/** As {@link copyRecords}, for who gets many and asks few of them much. */
export function viewCopied(body: Uint8Array): MessageRecord[] {
  return body.length === 0 ? [] : viewRecords(Buffer.from(body));
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
