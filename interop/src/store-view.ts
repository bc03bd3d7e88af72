/**
 * All a broker has in its store, asked from it queue by queue, system topics included, with the bytes of each record as
 * they lie in the log; and the checks made of such views: nothing changes when the store changes hands, and every
 * message is found by each of its keys, and by nothing else.
 */
import assert from "node:assert/strict";
import { type LogRecord, logRecords } from "./log-records.ts";
import { PlainConnection } from "./plain-remoting.ts";

const RequestCode = {
  PULL_MESSAGE: 11,
  QUERY_MESSAGE: 12,
  GET_ALL_TOPIC_CONFIG: 21,
  GET_MAX_OFFSET: 30,
  GET_MIN_OFFSET: 31,
} as const;
const QUERY_NOT_FOUND = 22;
/** The broker is told with each pull what is subscribed to. */
const HAS_SUBSCRIPTION = 4;
/** BenchmarkTest has 1,024, all empty. */
const QUEUES_MAX = 64;
const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
const SCHEDULE_QUEUES = 18;
const DIFFERENCES_SHOWN = 10;

export interface StoredRecord extends LogRecord {
  readonly raw: Buffer;
}

export interface QueueView {
  readonly minOffset: number;
  readonly records: readonly StoredRecord[];
}

/** By "topic/queueId"; queues that never had a message are left out. */
export type StoreView = ReadonlyMap<string, QueueView>;

interface TopicConfig {
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
}

export async function viewStore(address: string): Promise<StoreView> {
  const broker = await PlainConnection.open(address);
  try {
    const { body } = await broker.demand(RequestCode.GET_ALL_TOPIC_CONFIG);
    const { topicConfigTable } = JSON.parse(body.toString("utf8")) as {
      topicConfigTable: Record<string, TopicConfig>;
    };
    const queues = Object.entries(topicConfigTable).flatMap(([topic, config]) => {
      const wide = Math.max(config.readQueueNums, config.writeQueueNums);
      const count = topic === SCHEDULE_TOPIC ? SCHEDULE_QUEUES : wide > QUEUES_MAX ? 0 : wide;
      return Array.from({ length: count }, (_, queueId) => ({ topic, queueId }));
    });
    const views = await Promise.all(queues.map((queue) => viewQueue(broker, queue.topic, queue.queueId)));
    const named = queues.map(({ topic, queueId }, i) => [`${topic}/${queueId}`, views[i]!] as const);
    return new Map(named.filter(([, view]) => view.minOffset + view.records.length > 0).sort());
  } finally {
    broker.close();
  }
}

async function viewQueue(broker: PlainConnection, topic: string, queueId: number): Promise<QueueView> {
  const offsetOf = async (code: number) =>
    Number((await broker.demand(code, { topic, queueId })).fields["offset"]);
  const minOffset = await offsetOf(RequestCode.GET_MIN_OFFSET);
  const maxOffset = await offsetOf(RequestCode.GET_MAX_OFFSET);
  const records: StoredRecord[] = [];
  for (let offset = minOffset; offset < maxOffset; offset = minOffset + records.length) {
    const { body } = await broker.demand(RequestCode.PULL_MESSAGE, {
      consumerGroup: "store-view",
      topic,
      queueId,
      queueOffset: offset,
      maxMsgNums: 32,
      sysFlag: HAS_SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: "*",
      subVersion: 0,
      expressionType: "TAG",
    });
    const pulled = storedRecords(body);
    assert.ok(pulled.length > 0, `${topic}/${queueId} at ${offset}: an answer without messages`);
    for (const record of pulled) {
      const expected = { topic, queueId, queueOffset: minOffset + records.length };
      const { topic: of, queueId: id, queueOffset } = record;
      assert.deepEqual({ topic: of, queueId: id, queueOffset }, expected);
      records.push(record);
    }
  }
  return { minOffset, records: records.slice(0, maxOffset - minOffset) };
}

function storedRecords(body: Buffer): StoredRecord[] {
  const records = logRecords(body);
  const last = records.at(-1);
  assert.equal(last === undefined ? 0 : last.offset + last.bytes, body.length, "records to the last byte");
  return records.map((record) => ({
    ...record,
    raw: Buffer.from(body.subarray(record.offset, record.offset + record.bytes)),
  }));
}

export function recordsOf(view: StoreView, topic: string): StoredRecord[] {
  return [...view.values()].flatMap(({ records }) => records.filter((record) => record.topic === topic));
}

/** The keys of a topic's messages, sorted: one that comes twice is there twice. */
export function keysOf(view: StoreView, topic: string): string[] {
  return recordsOf(view, topic)
    .map(({ keys }) => keys ?? "")
    .sort();
}

/**
 * `after` has what `before` had, each record in the same place with the same bytes, and no queue begins elsewhere; only
 * the topics that `grows` names have got more.
 */
export function assertKept(
  after: StoreView,
  before: StoreView,
  where: string,
  grows: (topic: string) => boolean = () => false,
): void {
  const differences: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(name) ?? { minOffset: 0, records: [] };
    const now = after.get(name) ?? { minOffset: 0, records: [] };
    if (old.minOffset !== now.minOffset)
      differences.push(`${name} begins at ${now.minOffset}, not ${old.minOffset}`);
    const topic = name.slice(0, name.lastIndexOf("/"));
    if (now.records.length < old.records.length || (now.records.length > old.records.length && !grows(topic)))
      differences.push(`${name} holds ${now.records.length}, not ${old.records.length}`);
    for (const [i, record] of now.records.slice(0, old.records.length).entries())
      if (!record.raw.equals(old.records[i]!.raw))
        differences.push(`${name} at ${record.queueOffset}: other bytes (${record.keys})`);
  }
  assert.deepEqual(
    differences.slice(0, DIFFERENCES_SHOWN),
    [],
    `${where}: ${differences.length} differences`,
  );
}

/**
 * Every message, by each of its keys and by its unique key, is found with all that share it, and with no others; each
 * once, unless it `mayRepeat`.
 */
export async function assertFoundByKeys(
  address: string,
  view: StoreView,
  where: string,
  { mayRepeat = false } = {},
): Promise<void> {
  const wanted = new Map<
    string,
    { topic: string; key: string; isUnique: boolean; records: StoredRecord[] }
  >();
  for (const { records } of view.values())
    for (const record of records) {
      const plain = (record.keys ?? "").split(" ").filter((key) => key !== "");
      const unique = record.uniqueKey === undefined ? [] : [record.uniqueKey];
      for (const [key, isUnique] of [
        ...plain.map((key) => [key, false] as const),
        ...unique.map((key) => [key, true] as const),
      ]) {
        const name = `${record.topic} ${key} ${isUnique}`;
        const one = wanted.get(name) ?? { topic: record.topic, key, isUnique, records: [] };
        one.records.push(record);
        wanted.set(name, one);
      }
    }
  const broker = await PlainConnection.open(address);
  try {
    const differences = await Promise.all(
      [...wanted.values()].map(async ({ topic, key, isUnique, records }) => {
        const found = await findByKey(broker, topic, key, isUnique);
        const places = (list: readonly StoredRecord[]) => {
          const all = list.map(({ physicalOffset, raw }) => `${physicalOffset}:${raw.toString("base64")}`);
          return (mayRepeat ? [...new Set(all)] : all).sort();
        };
        return places(found).join() === places(records).join()
          ? []
          : [`${topic} ${isUnique ? "unique " : ""}${key}: ${found.length} found, ${records.length} stored`];
      }),
    );
    const all = differences.flat();
    assert.deepEqual(all.slice(0, DIFFERENCES_SHOWN), [], `${where}: ${all.length} of ${wanted.size} keys`);
  } finally {
    broker.close();
  }
}

/** What a client keeps of the answer: Java's broker sends all with the same hash. */
async function findByKey(
  broker: PlainConnection,
  topic: string,
  key: string,
  isUnique: boolean,
): Promise<StoredRecord[]> {
  const answer = await broker.ask(RequestCode.QUERY_MESSAGE, {
    topic,
    key,
    maxNum: 64,
    beginTimestamp: 0,
    endTimestamp: Number.MAX_SAFE_INTEGER,
    _UNIQUE_KEY_QUERY: isUnique,
  });
  if (answer.code === QUERY_NOT_FOUND) return [];
  assert.equal(answer.code, 0, answer.remark);
  return storedRecords(answer.body).filter(
    (record) =>
      record.topic === topic &&
      (isUnique ? record.uniqueKey === key : (record.keys ?? "").split(" ").includes(key)),
  );
}
