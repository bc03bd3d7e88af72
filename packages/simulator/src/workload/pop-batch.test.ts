import assert from "node:assert/strict";
import { test } from "node:test";
import { formatReceiptHandle } from "@orbitmq/wire";
import { batchAcks } from "./pop-batch.ts";

const popped = (offset: number, startOffset: number, queueId = 0, topicType: 0 | 1 = 0) => ({
  offset,
  handle: formatReceiptHandle({
    startOffset,
    popTime: 5,
    invisibleTime: 1_000,
    reviveQueueId: 2,
    topicType,
    brokerName: "a",
    queueId,
    offset,
  }),
});

test("messages of one checkpoint are acknowledged together, others beside them", () => {
  const acks = batchAcks("g", "t", [popped(9, 7), popped(7, 7), popped(7, 7, 1), popped(7, 7, 0, 1)]);
  assert.deepEqual(
    acks.map(({ topicType, queueId, startOffset, offsets }) => [topicType, queueId, startOffset, offsets]),
    [
      [0, 0, 7, [7, 9]],
      [0, 1, 7, [7]],
      [1, 0, 7, [7]],
    ],
  );
  assert.deepEqual(
    acks.map(({ consumerGroup, topic, popTime, invisibleTime, reviveQueueId }) => [
      consumerGroup,
      topic,
      popTime,
      invisibleTime,
      reviveQueueId,
    ]),
    Array.from({ length: 3 }, () => ["g", "t", 5, 1_000, 2]),
  );
});
