/**
 * From the answer to a POP to messages with their handles (RocketMQ: MQClientAPIImpl.processPopResponse). A message
 * that comes again brings its handle as POP_CK; those of the topic itself get theirs from the answer's lists:
 *
 *   the i-th message of a queue, by offset   has the i-th offset of msgOffsetInfo for its queue
 *   startOffset                              of startOffsetInfo; a broker without it: the queue's first message
 *
 * Pure.
 */
import {
  formatReceiptHandle,
  getProperty,
  type MessageQueue,
  type MessageRecord,
  NAME_VALUE_SEPARATOR,
  type PopMessageResponseHeader,
  PROPERTY_FIRST_POP_TIME,
  PROPERTY_POP_CK,
  PROPERTY_SEPARATOR,
  parseMsgOffsetInfo,
  parseOrderCountInfo,
  parseReceiptHandle,
  parseStartOffsetInfo,
  popTopicTypeOf,
  type ReceiptHandle,
} from "@orbitmq/wire";

export interface PoppedMessage {
  /** Its topic is the one asked for, POP_CK its handle. */
  readonly record: MessageRecord;
  /** Where it lies on its broker, as the topic asked for. */
  readonly queue: MessageQueue;
  readonly handle: ReceiptHandle & { readonly offset: number };
}

/** Throws WireError POP_INFO_MALFORMED. `topic`: what was asked for. */
export function readPopped(
  records: readonly MessageRecord[],
  header: PopMessageResponseHeader,
  topic: string,
  brokerName: string,
): PoppedMessage[] {
  const starts = new Map(
    parseStartOffsetInfo(header.startOffsetInfo).map((entry) => [keyOf(entry), entry.startOffset]),
  );
  const offsets = new Map(
    parseMsgOffsetInfo(header.msgOffsetInfo).map((entry) => [keyOf(entry), entry.offsets]),
  );
  const counts = orderCounts(header);
  const sorted = offsetsByQueue(records);
  return records.map((record) => {
    const carried = getProperty(record.properties, PROPERTY_POP_CK);
    const topicType = popTopicTypeOf(record.topic);
    const key = keyOf({ topicType, queueId: record.queueId });
    const inQueue = sorted.get(key) ?? [];
    const handle =
      carried !== undefined
        ? parseReceiptHandle(carried)
        : {
            startOffset: starts.get(key) ?? inQueue[0] ?? record.queueOffset,
            popTime: header.popTime,
            invisibleTime: header.invisibleTime,
            reviveQueueId: header.reviveQid,
            topicType,
            brokerName,
            queueId: record.queueId,
            offset: offsets.get(key)?.[inQueue.indexOf(record.queueOffset)] ?? record.queueOffset,
          };
    const whole = { ...handle, offset: handle.offset ?? record.queueOffset };
    return {
      record: {
        ...record,
        topic,
        reconsumeTimes: countOf(counts, record, key) ?? record.reconsumeTimes,
        properties: withPopProperties(record.properties, whole, header.popTime),
      },
      queue: { topic, brokerName, queueId: record.queueId },
      handle: whole,
    };
  });
}

function keyOf({ topicType, queueId }: { readonly topicType: number; readonly queueId: number }): string {
  return `${topicType}@${queueId}`;
}

/** Of messages popped in order: how often each, or each of a queue, was popped before. */
function orderCounts(header: PopMessageResponseHeader): Map<string, number> {
  return new Map(
    parseOrderCountInfo(header.orderCountInfo).map((entry) => {
      const key = keyOf(entry);
      return [entry.offset === undefined ? key : `${key}%${entry.offset}`, entry.count];
    }),
  );
}

function countOf(
  counts: ReadonlyMap<string, number>,
  record: MessageRecord,
  key: string,
): number | undefined {
  const count = counts.get(`${key}%${record.queueOffset}`) ?? counts.get(key);
  return count !== undefined && count > 0 ? count : undefined;
}

function offsetsByQueue(records: readonly MessageRecord[]): Map<string, number[]> {
  const sorted = new Map<string, number[]>();
  for (const { topic, queueId, queueOffset, properties } of records) {
    if (getProperty(properties, PROPERTY_POP_CK) !== undefined) continue;
    const key = keyOf({ topicType: popTopicTypeOf(topic), queueId });
    const list = sorted.get(key);
    if (list === undefined) sorted.set(key, [queueOffset]);
    else list.push(queueOffset);
  }
  for (const list of sorted.values()) list.sort((a, b) => a - b);
  return sorted;
}

function withPopProperties(text: string, handle: ReceiptHandle, popTime: number): string {
  let properties = text === "" || text.endsWith(PROPERTY_SEPARATOR) ? text : text + PROPERTY_SEPARATOR;
  const add = (name: string, value: string) => {
    if (getProperty(properties, name) !== undefined) return;
    properties += name + NAME_VALUE_SEPARATOR + value + PROPERTY_SEPARATOR;
  };
  add(PROPERTY_POP_CK, formatReceiptHandle(handle));
  add(PROPERTY_FIRST_POP_TIME, String(popTime));
  return properties;
}
