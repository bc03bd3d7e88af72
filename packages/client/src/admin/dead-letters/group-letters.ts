/** Where a group's dead letters are, and a walk through them with what the ledger says of each. */
import { MASTER_ID, type MessageQueue, type MessageRecord } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { decodeMessage, rawMessage, Undecodable } from "../../consumer/listening/decode-message.ts";
import { maxOffset, minOffset } from "../../consumer/offsets/queue-offsets.ts";
import { OrbitError } from "../../errors/errors.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import { DLQ_PREFIX } from "../../names/names.ts";
import { type DeadLetter, deadLetterOf } from "./dead-letter.ts";
import type { Ledger } from "./ledger.ts";
import { queuePages } from "./queue-pages.ts";

/** A dead-letter topic's queue and what it holds now. */
export interface LetterQueue {
  readonly queue: MessageQueue;
  readonly min: number;
  /** One past the last. */
  readonly max: number;
}

export interface WalkedLetter {
  readonly letter: DeadLetter;
  readonly record: MessageRecord;
}

/** `undefined`: nobody knows the topic. By broker and queue; all queues, whatever the topic's permission. */
export async function letterQueues(
  instance: ClientInstance,
  topic: string,
): Promise<LetterQueue[] | undefined> {
  const route = await instance.routes.refresh(topic);
  if (route === undefined) return undefined;
  const withMaster = new Set(
    route.brokerDatas.filter(({ brokerAddrs }) => brokerAddrs.has(MASTER_ID)).map((it) => it.brokerName),
  );
  const queues = route.queueDatas
    .filter(({ brokerName }) => withMaster.has(brokerName))
    .flatMap(({ brokerName, readQueueNums, writeQueueNums }) =>
      Array.from({ length: Math.max(readQueueNums, writeQueueNums) }, (_, queueId) => ({
        topic,
        brokerName,
        queueId,
      })),
    );
  const bounds = await Promise.all(
    queues.map(async (queue) => ({
      queue,
      min: Math.max(await minOffset(instance, queue), 0),
      max: await maxOffset(instance, queue),
    })),
  );
  return bounds.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ queue }: LetterQueue): string => `${queue.brokerName} ${queue.queueId}`;

/** The group's queues by broker. Rejects with TOPIC_ROUTE_NOT_FOUND when it has no dead letters. */
export async function lettersByBroker(
  instance: ClientInstance,
  group: string,
): Promise<Map<string, LetterQueue[]>> {
  const topic = DLQ_PREFIX + group;
  const queues = await letterQueues(instance, topic);
  if (queues === undefined) {
    throw new OrbitError("TOPIC_ROUTE_NOT_FOUND", `${group} has no dead letters: there is no topic ${topic}`);
  }
  const byBroker = new Map<string, LetterQueue[]>();
  for (const each of queues) {
    const { brokerName } = each.queue;
    byBroker.set(brokerName, [...(byBroker.get(brokerName) ?? []), each]);
  }
  return byBroker;
}

/** Every letter there was at the beginning, oldest first. Rejects with NO_PERMISSION for a topic that is write-only. */
export async function* walk(
  instance: ClientInstance,
  group: string,
  { queue, min, max }: LetterQueue,
  ledger: Ledger,
): AsyncGenerator<readonly WalkedLetter[]> {
  try {
    for await (const page of queuePages(instance, queue, { from: min, to: max })) {
      const walked = page.map(async (record) => {
        const message = await messageOf(instance, record, queue);
        const state = ledger.stateOf(record.physicalOffset);
        const { namespace } = instance;
        return { record, letter: deadLetterOf(namespace.unwrap(group), message, state, namespace) };
      });
      yield await Promise.all(walked);
    }
  } catch (error) {
    if (!(error instanceof OrbitError) || error.code !== "NO_PERMISSION") throw error;
    throw new OrbitError(
      "NO_PERMISSION",
      `${queue.topic} cannot be read: its permission is write-only. Give it rw, then try again`,
      { cause: error, responseCode: error.responseCode, remark: error.remark, broker: queue.brokerName },
    );
  }
}

async function messageOf(
  { namespace }: ClientInstance,
  record: MessageRecord,
  queue: MessageQueue,
): Promise<ReceivedMessage> {
  const decoded = await decodeMessage(record, queue, 0, undefined, namespace);
  return decoded instanceof Undecodable
    ? rawMessage(record, queue, 0, namespace)
    : (decoded as ReceivedMessage);
}
