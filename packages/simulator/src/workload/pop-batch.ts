/** Popped messages as BATCH_ACK_MESSAGE names them: those of one checkpoint together, by their handles. */
import { assert } from "@orbitmq/host";
import { type BatchAck, parseReceiptHandle } from "@orbitmq/wire";
import type { Popped } from "./pop-client.ts";

export function batchAcks(
  consumerGroup: string,
  topic: string,
  messages: readonly Pick<Popped, "handle" | "offset">[],
): readonly BatchAck[] {
  const acks = new Map<string, BatchAck & { readonly offsets: number[] }>();
  for (const { handle, offset } of messages) {
    const { topicType, startOffset, queueId, reviveQueueId, popTime, invisibleTime } =
      parseReceiptHandle(handle);
    assert(offset >= startOffset, "a message lies before its checkpoint");
    const key = `${topicType} ${queueId} ${startOffset} ${popTime} ${reviveQueueId}`;
    const known = acks.get(key);
    if (known !== undefined) known.offsets.push(offset);
    else {
      const place = { topicType, startOffset, queueId, reviveQueueId, popTime, invisibleTime };
      acks.set(key, { consumerGroup, topic, ...place, offsets: [offset] });
    }
  }
  for (const { offsets } of acks.values()) offsets.sort((a, b) => a - b);
  return [...acks.values()];
}
