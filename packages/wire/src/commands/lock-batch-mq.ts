/**
 * LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42): a consumer that consumes in order asks for queues to be its own, or
 * gives them back. 41 is repeated every 20 s to keep them.
 *
 *   request body   {"clientId","consumerGroup","mqSet":[{"brokerName","queueId","topic"}],"onlyThisBroker"}
 *   response of 41 {"lockOKMQSet":[{"brokerName","queueId","topic"}]}        those that are the client's now
 *   response of 42 nothing
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export interface LockBatchBody {
  readonly consumerGroup: string;
  readonly clientId: string;
  readonly queues: readonly MessageQueue[];
  /** Not to be passed on to replicas. Clients of 4.x say nothing. */
  readonly onlyThisBroker?: boolean | undefined;
}

export function encodeLockBatchBody(value: LockBatchBody): Uint8Array {
  return encodeFastjson({
    clientId: value.clientId,
    consumerGroup: value.consumerGroup,
    mqSet: value.queues,
    onlyThisBroker: value.onlyThisBroker,
  });
}

/** Throws WireError JSON_MALFORMED. */
export function parseLockBatchBody(bytes: Uint8Array): LockBatchBody {
  const body = parseJsonObject(bytes, "LockBatchRequestBody");
  return {
    consumerGroup: body.string("consumerGroup"),
    clientId: body.string("clientId"),
    queues: body.objectList("mqSet").map(messageQueueFromJson),
    onlyThisBroker:
      body.raw("onlyThisBroker") === undefined ? undefined : body.boolean("onlyThisBroker", false),
  };
}

export function encodeLockBatchResponse(locked: readonly MessageQueue[]): Uint8Array {
  return encodeFastjson({ lockOKMQSet: locked });
}

/** Throws WireError JSON_MALFORMED. */
export function parseLockBatchResponse(bytes: Uint8Array): MessageQueue[] {
  return parseJsonObject(bytes, "LockBatchResponseBody").objectList("lockOKMQSet").map(messageQueueFromJson);
}
