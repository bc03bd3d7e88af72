/**
 * Finds stored messages by key or id (RocketMQ: MQAdminImpl): asks every master of the topic, since a key may be on
 * any of them; an id that names broker and position is asked of that broker only.
 */
import {
  decodeOffsetMessageId,
  formatHostBytes,
  MASTER_ID,
  type MessageRecord,
  queryMessageRequestHeader,
  RequestCode,
  UNIQUE_KEY_QUERY,
  viewMessageByIdRequestHeader,
  WireError,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { decodeMessage, rawMessage, Undecodable } from "../consumer/listening/decode-message.ts";
import { copyRecords } from "../consumer/queue/pulled-record.ts";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import type { QueryMessageOptions, TopicRoute } from "./admin-types.ts";

const MESSAGES_DEFAULT = 64;

interface Master {
  readonly brokerName: string;
  readonly address: string;
}

/** Oldest first; empty when there are none. */
export async function findByKey(
  instance: ClientInstance,
  { topic, brokers }: TopicRoute,
  key: string,
  options: QueryMessageOptions,
  isUnique: boolean,
): Promise<ReceivedMessage[]> {
  const header = {
    topic,
    key,
    maxNum: options.max ?? MESSAGES_DEFAULT,
    beginTimestamp: options.beginMs ?? 0,
    endTimestamp: options.endMs ?? Number.MAX_SAFE_INTEGER,
    indexType: isUnique ? "U" : options.by === "tag" ? "T" : "K",
    lastKey: undefined,
  };
  const lists = await Promise.all(
    mastersOf(brokers).map(async (master) => {
      try {
        const records = await instance.ask(
          master.address,
          {
            code: RequestCode.QUERY_MESSAGE,
            header: (sink) => {
              queryMessageRequestHeader.encode(header, sink);
              sink.put(UNIQUE_KEY_QUERY, String(isUnique));
            },
          },
          ({ body }) => copyRecords(body),
        );
        return await Promise.all(records.map((record) => messageOf(record, master.brokerName)));
      } catch (error) {
        if (error instanceof OrbitError && error.code === "QUERY_NOT_FOUND") return [];
        throw error;
      }
    }),
  );
  return lists.flat().sort((a, b) => a.storeTimestamp - b.storeTimestamp);
}

/** By the id of its place, if it is one of a broker of the topic; `undefined` when it is not, or nothing is there. */
export async function findByPlace(
  instance: ClientInstance,
  { topic, brokers }: TopicRoute,
  msgId: string,
): Promise<ReceivedMessage | undefined> {
  const place = placeOf(msgId);
  const master = mastersOf(brokers).find(({ address }) => address === place?.address);
  if (place === undefined || master === undefined) return undefined;
  const { offset } = place;
  try {
    const [record] = await instance.ask(
      master.address,
      {
        code: RequestCode.VIEW_MESSAGE_BY_ID,
        header: (sink) => viewMessageByIdRequestHeader.encode({ topic, offset }, sink),
      },
      ({ body }) => copyRecords(body),
    );
    return record?.topic === topic ? await messageOf(record, master.brokerName) : undefined;
  } catch (error) {
    // 1: no message begins there. A unique id may look like a place.
    if (error instanceof OrbitError && error.responseCode === 1) return undefined;
    throw error;
  }
}

function placeOf(msgId: string): { address: string; offset: number } | undefined {
  try {
    const { storeHost, physicalOffset } = decodeOffsetMessageId(msgId);
    return { address: formatHostBytes(storeHost), offset: physicalOffset };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function mastersOf(brokers: TopicRoute["brokers"]): Master[] {
  return brokers.flatMap(({ brokerName, addresses }) => {
    const address = addresses[String(MASTER_ID)];
    return address === undefined ? [] : [{ brokerName, address }];
  });
}

export async function messageOf(record: MessageRecord, brokerName: string): Promise<ReceivedMessage> {
  const queue = { topic: record.topic, brokerName, queueId: record.queueId };
  const decoded = await decodeMessage(record, queue, 0, undefined);
  return decoded instanceof Undecodable ? rawMessage(record, queue, 0) : (decoded as ReceivedMessage);
}
