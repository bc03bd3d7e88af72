/**
 * Which messages of the timer's queue were taken back. A deletion waits in the second of what it deletes and is spent with
 * it; for a message that could not be read then, and can now, the queue itself tells whether there was one.
 */
import { queueOffset } from "@orbitmq/host";
import type { GetResult, MessageStore } from "@orbitmq/store";
import { getProperty, MessageConst, type MessageRecord, readRecord } from "@orbitmq/wire";
import { TIMER_TOPIC } from "../names.ts";

const MESSAGES_MAX = 256;
const BYTES_MAX = 1_048_576;

/** What a deletion may call a message by: with its topic, or, before RocketMQ 5.3, by its key alone. */
export function recallNames(properties: string): readonly string[] {
  const key = getProperty(properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX);
  if (key === undefined) return [];
  return [`${getProperty(properties, MessageConst.REAL_TOPIC)}+${key}`, key];
}

/** Those of `messages` that a deletion names, wherever in the queue it lies: a message that has gone round may be newer. */
export async function recalledOf(
  store: Pick<MessageStore, "get" | "minOffset" | "readableEnd">,
  messages: readonly MessageRecord[],
): Promise<ReadonlySet<MessageRecord>> {
  const byName = new Map<string, MessageRecord>();
  for (const message of messages)
    for (const name of recallNames(message.properties)) byName.set(name, message);
  const recalled = new Set<MessageRecord>();
  const end = store.readableEnd(TIMER_TOPIC, 0);
  for (let offset = store.minOffset(TIMER_TOPIC, 0); byName.size > 0 && offset < end; ) {
    const request = {
      topic: TIMER_TOPIC,
      queueId: 0,
      offset,
      messagesMax: MESSAGES_MAX,
      bytesMax: BYTES_MAX,
    };
    const result = await new Promise<GetResult>((resolve) => store.get(request, resolve));
    try {
      for (const properties of propertiesIn(result)) {
        const message = byName.get(getProperty(properties, MessageConst.TIMER_DEL_UNIQKEY) ?? "");
        if (message !== undefined) recalled.add(message);
      }
    } finally {
      result.release();
    }
    // Behind a record that cannot be read.
    offset = queueOffset(Math.max(offset + 1, result.nextBeginOffset));
  }
  return recalled;
}

function* propertiesIn({ slices }: GetResult): Iterable<string> {
  for (const slice of slices) {
    const bytes = Buffer.from(slice.buffer, slice.byteOffset, slice.length);
    for (let at = 0; at < bytes.length; ) {
      const { totalSize, properties } = readRecord(bytes, at);
      at += totalSize;
      yield properties;
    }
  }
}
