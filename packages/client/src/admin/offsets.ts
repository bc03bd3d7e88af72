/** Offsets: where queues begin and end, where groups are in them, and moving groups elsewhere. */
import {
  cloneGroupOffsetRequestHeader,
  compareMessageQueues,
  getEarliestMsgStoretimeRequestHeader,
  getEarliestMsgStoretimeResponseHeader,
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  getMinOffsetRequestHeader,
  getMinOffsetResponseHeader,
  parseResetOffsetBody,
  queryConsumerOffsetRequestHeader,
  queryConsumerOffsetResponseHeader,
  RequestCode,
  ResponseCode,
  resetOffsetRequestHeader,
  searchOffsetByTimestampRequestHeader,
  searchOffsetByTimestampResponseHeader,
  updateConsumerOffsetRequestHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromResponse } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import { checkGroup, checkTopic } from "../names/names.ts";
import { changeEach } from "./ask-each.ts";
import { allMasters, mastersOfRoute, oneBroker, type Server } from "./servers.ts";
import { topicRoute } from "./topics.ts";

/** A time: the first message stored at or after it. A number: that queue offset, of one queue. */
export type ResetTo = Date | "begin" | "end" | number;

export interface ResetOptions {
  /** This queue only; default all. An offset as the goal needs it. */
  readonly queue?: Omit<MessageQueue, "topic"> | undefined;
}

export interface ResetOffset {
  readonly queue: MessageQueue;
  /** Where the group goes on. */
  readonly offset: number;
}

export interface PlannedReset extends ResetOffset {
  /** Where the group is now; absent: it has no offset there yet. */
  readonly from?: number;
}

export interface CloneOffsetsOptions {
  /** The group whose offsets are taken. */
  readonly from: string;
  readonly to: string;
  /** Default every topic `from` has offsets of. */
  readonly topic?: string | undefined;
  /** Also while no member of `from` is online. Default true. */
  readonly offline?: boolean | undefined;
}

/** Where one queue begins and ends. */
export interface QueueBounds {
  readonly queue: MessageQueue;
  readonly minOffset: number;
  /** One past the newest. */
  readonly maxOffset: number;
  /** Store time of the oldest message that is there, ms since the epoch; -1: the queue is empty. */
  readonly earliestTimestamp: number;
}

const TO_THE_END = -1;
const TO_THE_BEGIN = 0;

export async function resetOffsets(
  instance: ClientInstance,
  group: string,
  topic: string,
  to: ResetTo,
  options: ResetOptions,
): Promise<ResetOffset[]> {
  checkGroup(group);
  const { timestamp, offset } = checkedGoal(to, options);
  const queueId = options.queue?.queueId;
  const header = { topic, group, timestamp, isForce: true, queueId, offset };
  const masters = await mastersToReset(instance, topic, options);
  const tables = await changeEach(masters, (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET,
        header: (sink) => resetOffsetRequestHeader.encode(header, sink),
      },
      ({ body }) => [...parseResetOffsetBody(body)].map(([queue, offset]) => ({ queue, offset })),
    ),
  );
  const offsets = tables.flatMap(({ value }) => value);
  return offsets.sort((a, b) => compareMessageQueues(a.queue, b.queue));
}

/** What {@link resetOffsets} would do, asked of each queue (14, 29, 30, 31); nothing is changed. */
export async function planReset(
  instance: ClientInstance,
  group: string,
  topic: string,
  to: ResetTo,
  options: ResetOptions,
): Promise<PlannedReset[]> {
  checkGroup(group);
  checkedGoal(to, options);
  const route = await topicRoute(instance, topic);
  const masters = await mastersToReset(instance, topic, options);
  const plans: PlannedReset[] = [];
  for (const { name: brokerName, address } of masters) {
    if (address === undefined) throw noMaster(brokerName);
    const count = route.queues.find((queues) => queues.brokerName === brokerName)?.readQueueNums ?? 0;
    const only = options.queue?.queueId;
    if (only !== undefined && only >= count)
      throw new OrbitError(
        "INVALID_ARGUMENT",
        `${topic} has ${count} queues on ${brokerName}, and no ${only}`,
      );
    const ids = only === undefined ? Array.from({ length: count }, (_, queueId) => queueId) : [only];
    plans.push(
      ...(await Promise.all(
        ids.map((queueId) => planOf(instance, address, group, { topic, brokerName, queueId }, to)),
      )),
    );
  }
  return plans.sort((a, b) => compareMessageQueues(a.queue, b.queue));
}

async function planOf(
  instance: ClientInstance,
  address: string,
  group: string,
  queue: MessageQueue,
  to: ResetTo,
): Promise<PlannedReset> {
  const [from, begin, end] = await Promise.all([
    groupOffset(instance, address, group, queue),
    minOffset(instance, address, queue),
    maxOffset(instance, address, queue),
  ]);
  const offset =
    to === "begin"
      ? begin
      : to === "end"
        ? end
        : typeof to === "number"
          ? Math.min(Math.max(to, begin), end)
          : await searchOffset(instance, address, queue, to.getTime());
  return { queue, ...(from === undefined ? {} : { from }), offset };
}

export async function cloneOffsets(
  instance: ClientInstance,
  { from, to, topic, offline = true }: CloneOffsetsOptions,
): Promise<void> {
  for (const group of [from, to]) checkGroup(group);
  const masters =
    topic === undefined ? await allMasters(instance) : mastersOfRoute(await topicRoute(instance, topic));
  const header = { srcGroup: from, destGroup: to, topic, offline };
  await changeEach(masters, (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.CLONE_GROUP_OFFSET,
        header: (sink) => cloneGroupOffsetRequestHeader.encode(header, sink),
      },
      () => undefined,
    ),
  );
}

/** Where a queue begins and ends (30, 31, 32). */
export async function queueBounds(instance: ClientInstance, queue: MessageQueue): Promise<QueueBounds> {
  const address = await addressOf(instance, queue);
  const [min, max, earliestTimestamp] = await Promise.all([
    minOffset(instance, address, queue),
    maxOffset(instance, address, queue),
    instance.ask(
      address,
      {
        code: RequestCode.GET_EARLIEST_MSG_STORETIME,
        header: (sink) => getEarliestMsgStoretimeRequestHeader.encode(queue, sink),
      },
      ({ ext }) => getEarliestMsgStoretimeResponseHeader.decode(ext).timestamp,
    ),
  ]);
  return { queue, minOffset: min, maxOffset: max, earliestTimestamp };
}

/** The offset of the first message stored at or after a time (29); the queue's end when there is none. */
export async function offsetAt(instance: ClientInstance, queue: MessageQueue, time: Date): Promise<number> {
  const ms = time.getTime();
  if (!Number.isSafeInteger(ms)) throw new OrbitError("INVALID_ARGUMENT", "that is no time");
  return searchOffset(instance, await addressOf(instance, queue), queue, ms);
}

/** Where a group is in one queue (14); `undefined`: it has no offset there. */
export async function consumerOffset(
  instance: ClientInstance,
  group: string,
  queue: MessageQueue,
): Promise<number | undefined> {
  checkGroup(group);
  return groupOffset(instance, await addressOf(instance, queue), group, queue);
}

/** Writes a group's offset of one queue (15). Members that are online go on where they are and overwrite it. */
export async function setConsumerOffset(
  instance: ClientInstance,
  group: string,
  queue: MessageQueue,
  offset: number,
): Promise<void> {
  checkGroup(group);
  checkOffset(offset);
  const { topic, queueId } = queue;
  await instance.ask(
    await addressOf(instance, queue),
    {
      code: RequestCode.UPDATE_CONSUMER_OFFSET,
      header: (sink) =>
        updateConsumerOffsetRequestHeader.encode(
          { consumerGroup: group, topic, queueId, commitOffset: offset },
          sink,
        ),
    },
    () => undefined,
  );
}

function checkedGoal(
  to: ResetTo,
  { queue }: ResetOptions,
): { readonly timestamp: number; readonly offset?: number } {
  if (queue !== undefined && !(Number.isSafeInteger(queue.queueId) && queue.queueId >= 0))
    throw new OrbitError("INVALID_ARGUMENT", `${queue.queueId} is no queue id`);
  if (to === "end") return { timestamp: TO_THE_END };
  if (to === "begin") return { timestamp: TO_THE_BEGIN };
  if (typeof to === "number") {
    checkOffset(to);
    if (queue === undefined) throw new OrbitError("INVALID_ARGUMENT", "an offset is one of a queue; name it");
    return { timestamp: TO_THE_END, offset: to };
  }
  const timestamp = to.getTime();
  if (!Number.isSafeInteger(timestamp)) throw new OrbitError("INVALID_ARGUMENT", "that is no time");
  return { timestamp };
}

function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new OrbitError("INVALID_ARGUMENT", `${offset} is no offset`);
}

async function mastersToReset(
  instance: ClientInstance,
  topic: string,
  { queue }: ResetOptions,
): Promise<Server[]> {
  const masters = mastersOfRoute(await topicRoute(instance, topic));
  if (queue === undefined) return masters;
  const master = masters.find(({ name }) => name === queue.brokerName);
  if (master === undefined)
    throw new OrbitError("BROKER_UNKNOWN", `${topic} has no queues on ${queue.brokerName}`);
  return [master];
}

async function addressOf(instance: ClientInstance, { topic, brokerName }: MessageQueue): Promise<string> {
  checkTopic(topic);
  return (await oneBroker(instance, brokerName)).address;
}

const noMaster = (brokerName: string): OrbitError =>
  new OrbitError("BROKER_UNKNOWN", `${brokerName} has no master`, { broker: brokerName });

function groupOffset(
  instance: ClientInstance,
  address: string,
  consumerGroup: string,
  { topic, queueId }: MessageQueue,
): Promise<number | undefined> {
  const header = { consumerGroup, topic, queueId, setZeroIfNotFound: false };
  return instance.call(
    address,
    {
      code: RequestCode.QUERY_CONSUMER_OFFSET,
      header: (sink) => queryConsumerOffsetRequestHeader.encode(header, sink),
    },
    ({ code, remark, ext }) => {
      if (code === ResponseCode.QUERY_NOT_FOUND) return undefined;
      if (code !== ResponseCode.SUCCESS) throw fromResponse(code, remark, address);
      return queryConsumerOffsetResponseHeader.decode(ext).offset;
    },
  );
}

function minOffset(
  instance: ClientInstance,
  address: string,
  { topic, queueId }: MessageQueue,
): Promise<number> {
  return instance.ask(
    address,
    {
      code: RequestCode.GET_MIN_OFFSET,
      header: (sink) => getMinOffsetRequestHeader.encode({ topic, queueId }, sink),
    },
    ({ ext }) => getMinOffsetResponseHeader.decode(ext).offset,
  );
}

function maxOffset(
  instance: ClientInstance,
  address: string,
  { topic, queueId }: MessageQueue,
): Promise<number> {
  return instance.ask(
    address,
    {
      code: RequestCode.GET_MAX_OFFSET,
      header: (sink) => getMaxOffsetRequestHeader.encode({ topic, queueId }, sink),
    },
    ({ ext }) => getMaxOffsetResponseHeader.decode(ext).offset,
  );
}

function searchOffset(
  instance: ClientInstance,
  address: string,
  { topic, queueId }: MessageQueue,
  timestamp: number,
): Promise<number> {
  return instance.ask(
    address,
    {
      code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
      header: (sink) => searchOffsetByTimestampRequestHeader.encode({ topic, queueId, timestamp }, sink),
    },
    ({ ext }) => searchOffsetByTimestampResponseHeader.decode(ext).offset,
  );
}
