/** One line of the list: how many dead letters a group has, and since when, without reading them all. */
import type { ClientInstance } from "../../connection/client-instance.ts";
import { OrbitError } from "../../errors/errors.ts";
import { DLQ_PREFIX } from "../../names/names.ts";
import type { DeadLetterTopic } from "./dead-letter-options.ts";
import { type LetterQueue, letterQueues } from "./group-letters.ts";
import type { Ledger } from "./ledger.ts";
import { recordFrom } from "./queue-pages.ts";

interface QueueOverview {
  readonly dead: number;
  readonly redriven: number;
  readonly deleted: number;
  readonly oldest?: number;
  readonly newest?: number;
  readonly isReadable: boolean;
}

/** `undefined`: the topic is gone. */
export async function overviewOfTopic(
  instance: ClientInstance,
  topic: string,
  ledgersOf: (brokerName: string) => Promise<ReadonlyMap<string, Ledger>>,
): Promise<DeadLetterTopic | undefined> {
  const queues = await letterQueues(instance, topic);
  if (queues === undefined) return undefined;
  const group = topic.slice(DLQ_PREFIX.length);
  const each: QueueOverview[] = [];
  for (const queue of queues) {
    const ledger = (await ledgersOf(queue.queue.brokerName)).get(group);
    each.push(await overviewOfQueue(instance, queue, ledger));
  }
  const sum = (count: (queue: QueueOverview) => number) => each.reduce((all, one) => all + count(one), 0);
  const times = (time: (queue: QueueOverview) => number | undefined) =>
    each.map(time).filter((ms) => ms !== undefined);
  const [oldest, newest] = [times((queue) => queue.oldest), times((queue) => queue.newest)];
  return {
    group: instance.namespace.unwrap(group),
    topic,
    dead: sum(({ dead }) => dead),
    redriven: sum(({ redriven }) => redriven),
    deleted: sum(({ deleted }) => deleted),
    ...(oldest.length === 0 ? {} : { oldestTimestamp: Math.min(...oldest) }),
    ...(newest.length === 0 ? {} : { newestTimestamp: Math.max(...newest) }),
    isReadable: each.every(({ isReadable }) => isReadable),
  };
}

async function overviewOfQueue(
  instance: ClientInstance,
  { queue, min, max }: LetterQueue,
  ledger: Ledger | undefined,
): Promise<QueueOverview> {
  const nothing = { dead: max - min, redriven: 0, deleted: 0, isReadable: true };
  if (max <= min) return { ...nothing, dead: 0 };
  try {
    const first = await recordFrom(instance, queue, min, max);
    if (first === undefined) return nothing;
    // An entry outlives its letter: those of letters that are gone do not count.
    const done = ledger?.doneOf(queue.queueId, first.physicalOffset) ?? [];
    const redriven = done.filter(({ state }) => state === "redriven").length;
    const deleted = done.length - redriven;
    const dead = Math.max(0, max - first.queueOffset - done.length);
    if (dead === 0) return { ...nothing, dead, redriven, deleted };
    const isDone = new Set(done.map(({ place }) => place.queueOffset));
    let [oldestAt, newestAt] = [first.queueOffset, max - 1];
    while (isDone.has(oldestAt) && oldestAt < max) oldestAt++;
    while (isDone.has(newestAt) && newestAt > oldestAt) newestAt--;
    const oldest = oldestAt === first.queueOffset ? first : await recordFrom(instance, queue, oldestAt, max);
    const newest = await recordFrom(instance, queue, newestAt, max);
    return {
      dead,
      redriven,
      deleted,
      isReadable: true,
      ...(oldest === undefined ? {} : { oldest: oldest.storeTimestamp }),
      ...(newest === undefined ? {} : { newest: newest.storeTimestamp }),
    };
  } catch (error) {
    if (error instanceof OrbitError && error.code === "NO_PERMISSION")
      return { ...nothing, isReadable: false };
    throw error;
  }
}
