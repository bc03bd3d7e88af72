/**
 * What becomes of a message a consumer could not consume (RocketMQ: AbstractSendMessageProcessor.
 * consumerSendMsgBack, SendMessageProcessor.handleRetryAndDLQ): it goes to the group's retry topic, to come back
 * after a delay, or to its dead-letter topic when it has come back often enough. Decisions only.
 *
 *   reconsumeTimes counts the returns; the limit is the request's, else the group's (16).
 *   36   reconsumeTimes ≥ limit, or a negative delay level → %DLQ%group
 *   a client's own send to %RETRY%group   reconsumeTimes > limit (it has counted already), or members of the
 *        group hold queue locks: they have retried it in place, and another delay would break the order
 */
import {
  encodeOffsetMessageId,
  failureText,
  getProperty,
  MessageConst,
  type MessageRecord,
  OrbitProperty,
  type RecordInput,
} from "@orbitmq/wire";
import { dlqTopicOf, retryTopicOf } from "../names.ts";
import { withProperties } from "../sending/property-text.ts";
import { type RetryPolicy, retryLevel } from "./retry-policy.ts";

/** Properties of this length, in whatever characters, have room for one more and for those of a delay. */
const FAILURE_WITHIN_CHARS = 8_000;
const INT32_MAX = 2_147_483_647;

export interface Return {
  readonly group: string;
  /** As asked: 0 leaves it to the policy, negative means the dead-letter topic. */
  readonly delayLevel: number;
  readonly maxReconsumeTimes: number;
  readonly policy: RetryPolicy;
  readonly delaysMs: readonly number[];
  /** What the listener said, if the consumer tells. */
  readonly failure?: string | undefined;
}

export interface Returned {
  /** For %RETRY%group or %DLQ%group; the queue is the caller's to choose. */
  readonly message: RecordInput;
  readonly isDeadLetter: boolean;
  /** 0 for a dead letter. */
  readonly delayLevel: number;
}

export function returnedMessage(record: MessageRecord, storeHost: Uint8Array, how: Return): Returned {
  const isDeadLetter = record.reconsumeTimes >= how.maxReconsumeTimes || how.delayLevel < 0;
  const delayLevel = isDeadLetter
    ? 0
    : how.delayLevel > 0
      ? how.delayLevel
      : retryLevel(how.policy, record.reconsumeTimes, how.delaysMs);
  const { properties } = record;
  const known = (name: string): string | undefined => getProperty(properties, name) || undefined;
  // A dead letter that another group fails to consume comes back to that group as what it is: a dead letter.
  const cameFrom = record.topic === retryTopicOf(how.group) ? known(MessageConst.RETRY_TOPIC) : undefined;
  const origin = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
  return {
    isDeadLetter,
    delayLevel,
    message: {
      topic: isDeadLetter ? dlqTopicOf(how.group) : retryTopicOf(how.group),
      queueId: 0,
      flag: record.flag,
      sysFlag: record.sysFlag,
      bornTimestamp: record.bornTimestamp,
      bornHost: record.bornHost,
      storeHost,
      reconsumeTimes: Math.min(record.reconsumeTimes + 1, INT32_MAX),
      preparedTransactionOffset: 0,
      body: record.body,
      properties: withProperties(properties, {
        [MessageConst.RETRY_TOPIC]: cameFrom ?? record.topic,
        [MessageConst.ORIGIN_MESSAGE_ID]: known(MessageConst.ORIGIN_MESSAGE_ID) ?? origin,
        [MessageConst.WAIT_STORE_MSG_OK]: "false",
        [MessageConst.DELAY_TIME_LEVEL]: delayLevel,
        [OrbitProperty.FAILURE]: keptFailure(properties, how.failure),
      }),
    },
  };
}

/** The new one, or the one before; none when there is no room for it. */
function keptFailure(properties: string, failure: string | undefined): string | undefined {
  const text = failureText(failure ?? "") || getProperty(properties, OrbitProperty.FAILURE);
  return properties.length > FAILURE_WITHIN_CHARS ? undefined : text;
}

/** Whether a client's own send to a retry topic belongs into the dead-letter topic. */
export function isDeadLetter(reconsumeTimes: number, limit: number, holdsLocks: boolean): boolean {
  return holdsLocks || reconsumeTimes > limit;
}
