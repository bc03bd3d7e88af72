/** The brokers' side of queue offsets: the group's committed ones, and where a queue begins and ends. */
import {
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  getMinOffsetRequestHeader,
  getMinOffsetResponseHeader,
  type MessageQueue,
  queryConsumerOffsetRequestHeader,
  queryConsumerOffsetResponseHeader,
  RequestCode,
  ResponseCode,
  searchOffsetByTimestampRequestHeader,
  searchOffsetByTimestampResponseHeader,
  updateConsumerOffsetRequestHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromResponse } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import { RETRY_PREFIX } from "../../names/names.ts";
import type { ConsumeFrom } from "../consumer-options.ts";
import type { StartOffset } from "./offset-store.ts";

/** Address of the queue's master, or of any replica. Throws BROKER_UNKNOWN. */
export function addressFor(instance: ClientInstance, queue: MessageQueue): string {
  const address = instance.routes.addressOf(queue.brokerName, 0)?.address;
  if (address !== undefined) return address;
  throw new OrbitError("BROKER_UNKNOWN", `no address of ${queue.brokerName} is known`, {
    broker: queue.brokerName,
  });
}

/**
 * The group's committed offset; `undefined` when it has none. A broker that still holds a queue's very first
 * message says 0 instead of none, unless `exactly`.
 */
export function committedOffset(
  instance: ClientInstance,
  group: string,
  queue: MessageQueue,
  exactly: boolean,
): Promise<number | undefined> {
  const { topic, queueId } = queue;
  const header = {
    consumerGroup: group,
    topic,
    queueId,
    setZeroIfNotFound: exactly ? false : undefined,
  };
  const address = addressFor(instance, queue);
  return instance.call(
    address,
    {
      code: RequestCode.QUERY_CONSUMER_OFFSET,
      header: (sink) => queryConsumerOffsetRequestHeader.encode(header, sink),
    },
    (response) => {
      if (response.code === ResponseCode.SUCCESS) {
        return queryConsumerOffsetResponseHeader.decode(response.ext).offset;
      }
      if (response.code === ResponseCode.QUERY_NOT_FOUND) return undefined;
      throw fromResponse(response.code, response.remark, queue.brokerName);
    },
  );
}

export function commitOffset(
  instance: ClientInstance,
  group: string,
  queue: MessageQueue,
  offset: number,
): Promise<void> {
  const { topic, queueId } = queue;
  const header = { consumerGroup: group, topic, queueId, commitOffset: offset };
  return instance.ask(
    addressFor(instance, queue),
    {
      code: RequestCode.UPDATE_CONSUMER_OFFSET,
      header: (sink) => updateConsumerOffsetRequestHeader.encode(header, sink),
    },
    () => undefined,
  );
}

export function minOffset(instance: ClientInstance, queue: MessageQueue): Promise<number> {
  const { topic, queueId } = queue;
  return instance.ask(
    addressFor(instance, queue),
    {
      code: RequestCode.GET_MIN_OFFSET,
      header: (sink) => getMinOffsetRequestHeader.encode({ topic, queueId }, sink),
    },
    (response) => getMinOffsetResponseHeader.decode(response.ext).offset,
  );
}

/** One past the last message. */
export function maxOffset(
  instance: ClientInstance,
  queue: MessageQueue,
  timeoutMs: number = instance.requestTimeoutMs,
): Promise<number> {
  const { topic, queueId } = queue;
  return instance.ask(
    addressFor(instance, queue),
    {
      code: RequestCode.GET_MAX_OFFSET,
      header: (sink) => getMaxOffsetRequestHeader.encode({ topic, queueId }, sink),
    },
    (response) => getMaxOffsetResponseHeader.decode(response.ext).offset,
    timeoutMs,
  );
}

/** The first message stored at or after `timestamp`, wall ms. */
function offsetAt(instance: ClientInstance, queue: MessageQueue, timestamp: number): Promise<number> {
  const { topic, queueId } = queue;
  return instance.ask(
    addressFor(instance, queue),
    {
      code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
      header: (sink) => searchOffsetByTimestampRequestHeader.encode({ topic, queueId, timestamp }, sink),
    },
    (response) => searchOffsetByTimestampResponseHeader.decode(response.ext).offset,
  );
}

export function offsetOf(instance: ClientInstance, queue: MessageQueue, from: ConsumeFrom): Promise<number> {
  if (from === "first") return minOffset(instance, queue);
  if (from === "last") return maxOffset(instance, queue);
  return offsetAt(instance, queue, Math.max(from.getTime(), 0));
}

/**
 * Where a group goes on, or starts. `bornLater`: the topic did not exist when this consumer started, so all of
 * its messages came later and even "last" means all of them; so does every start in a retry topic. As with
 * RocketMQ, "last" is also the first message where the broker still has that one in memory: such a queue is so
 * young that its messages may well have been sent while the consumer started.
 */
export async function startOffset(
  instance: ClientInstance,
  group: string,
  queue: MessageQueue,
  from: ConsumeFrom,
  bornLater: boolean,
): Promise<StartOffset> {
  const committed = await committedOffset(instance, group, queue, true);
  if (committed !== undefined) return { offset: committed, isNew: false };
  if (bornLater || queue.topic.startsWith(RETRY_PREFIX)) {
    return { offset: await minOffset(instance, queue), isNew: true };
  }
  const young = from === "last" ? await committedOffset(instance, group, queue, false) : undefined;
  return { offset: young ?? (await offsetOf(instance, queue, from)), isNew: true };
}
