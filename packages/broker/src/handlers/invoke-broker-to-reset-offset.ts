/**
 * INVOKE_BROKER_TO_RESET_OFFSET (222): an administrator sets a group's offsets of a topic: to a time, to the end
 * (timestamp −1), or of one queue to an offset.
 *
 * With `useServerSideResetOffset` the broker sets them itself, whether the group is online or not; members are told
 * by their next pull, for which parked ones are woken. Otherwise, as 4.x does it, members are told to set them (220
 * RESET_CONSUMER_CLIENT_OFFSET): backward, or also forward with `isForce`.
 *
 *   17, 26  no such topic, group       29  no such queue        1  an offset outside of the queue
 *   206     (4.x way) nobody is online
 */
import type { MessageStore } from "@orbitmq/store";
import {
  type Exchange,
  encodeResetOffsetBody,
  encodeResetOffsetBodyForC,
  LanguageCode,
  type MessageQueue,
  type QueueOffsets,
  Refusal,
  RequestCode,
  type RequestHandler,
  type ResetOffsetRequestHeader,
  ResponseCode,
  resetOffsetRequestHeader,
  type TopicConfig,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { inTurn } from "../consumer-groups/consume-progress.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { PopLongPoll } from "../popping/pop-long-poll.ts";
import type { LongPoll } from "../pulling/long-poll.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface InvokeBrokerToResetOffsetNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly offsets: OffsetRegistry;
  readonly consumers: ConsumerGroups;
  readonly longPoll: LongPoll;
  readonly popping: { readonly pops: Pick<PopLongPoll, "wake"> };
  readonly brokerName: string;
}

export function invokeBrokerToResetOffset(needs: InvokeBrokerToResetOffsetNeeds): RequestHandler {
  return (request, exchange) => {
    const header = resetOffsetRequestHeader.decode(request.ext);
    const topic = needs.topics.get(header.topic);
    if (topic === undefined) {
      throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `Topic ${header.topic} does not exist`);
    }
    if (needs.options.useServerSideResetOffset) resetHere(needs, header, topic, exchange);
    else resetByMembers(needs, header, topic, exchange);
  };
}

function resetHere(
  needs: InvokeBrokerToResetOffsetNeeds,
  header: ResetOffsetRequestHeader,
  topic: TopicConfig,
  exchange: Exchange,
): void {
  const { groups, offsets, longPoll, popping, store } = needs;
  const { group, queueId = -1, offset = -1 } = header;
  if (groups.get(group) === undefined) {
    throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${group} does not exist`);
  }
  if (queueId >= topic.readQueueNums) {
    const remark = `queueId[${queueId}] is illegal, topic ${topic.topicName} has ${topic.readQueueNums} queues`;
    throw new Refusal(ResponseCode.INVALID_PARAMETER, remark);
  }
  const set = (targets: QueueOffsets): void => {
    for (const [queue, target] of targets) {
      offsets.reset(group, queue.topic, queue.queueId, target, exchange.peer.address);
      longPoll.wakeGroup(group, queue.topic, queue.queueId);
      popping.pops.wake(group, queue.topic, queue.queueId);
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeResetOffsetBody(targets)] });
  };
  const queues = queuesOf(
    needs,
    topic,
    queueId < 0 ? topic.readQueueNums : queueId + 1,
    Math.max(0, queueId),
  );
  const [queue] = queues;
  if (queueId < 0 || offset === -1 || queue === undefined) {
    offsetsAt(needs, queues, header.timestamp, set);
    return;
  }
  const min = store.minOffset(queue.topic, queueId);
  const end = store.readableEnd(queue.topic, queueId);
  if (offset < min || offset > end + 1) {
    const remark = `Target offset ${offset} not in consume queue range [${min}-${end}]`;
    throw new Refusal(ResponseCode.SYSTEM_ERROR, remark);
  }
  set(new Map([[queue, Math.min(offset, end)]]));
}

function resetByMembers(
  needs: InvokeBrokerToResetOffsetNeeds,
  { group, timestamp, isForce }: ResetOffsetRequestHeader,
  topic: TopicConfig,
  exchange: Exchange,
): void {
  const { offsets, consumers } = needs;
  const queues = queuesOf(needs, topic, topic.writeQueueNums, 0);
  const known = new Map(
    queues.map((queue) => [queue, offsets.get(group, queue.topic, queue.queueId)] as const),
  );
  if ([...known.values()].includes(undefined)) {
    throw new Refusal(ResponseCode.SYSTEM_ERROR, `THe consumer group <${group}> not exist`);
  }
  const topicName = topic.topicName;
  if (consumers.get(group) === undefined) {
    throw new Refusal(
      ResponseCode.CONSUMER_NOT_ONLINE,
      `Consumer not online, so can not reset offset, Group: ${group} Topic: ${topicName} Timestamp: ${timestamp}`,
    );
  }
  offsetsAt(needs, queues, timestamp, (found) => {
    const targets = new Map(
      [...found].map(([queue, offset]) => {
        const committed = known.get(queue)!;
        return [queue, isForce === true || offset < committed ? offset : committed];
      }),
    );
    for (const { peer } of consumers.get(group)?.members.values() ?? []) {
      const isCpp = peer.language === LanguageCode.CPP;
      peer.oneway({
        code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
        header: (sink) =>
          resetOffsetRequestHeader.encode({ topic: topicName, group, timestamp, isForce }, sink),
        body: [isCpp ? encodeResetOffsetBodyForC(targets) : encodeResetOffsetBody(targets)],
      });
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeResetOffsetBody(targets)] });
  });
}

function queuesOf(
  { brokerName }: InvokeBrokerToResetOffsetNeeds,
  { topicName: topic }: TopicConfig,
  end: number,
  from: number,
): MessageQueue[] {
  const queues: MessageQueue[] = [];
  for (let queueId = from; queueId < end; queueId++) queues.push({ topic, brokerName, queueId });
  return queues;
}

/** The offsets of a time; a negative one is the end. */
function offsetsAt(
  { store }: InvokeBrokerToResetOffsetNeeds,
  queues: readonly MessageQueue[],
  timestampMs: number,
  done: (offsets: QueueOffsets) => void,
): void {
  const found = new Map<MessageQueue, number>();
  inTurn(
    queues,
    (queue, next) => {
      const { topic, queueId } = queue;
      const put = (offset: number): void => {
        found.set(queue, Math.max(0, offset));
        next();
      };
      if (timestampMs < 0) put(store.readableEnd(topic, queueId));
      else store.offsetByTime(topic, queueId, timestampMs, "lower", put);
    },
    () => done(found),
  );
}
