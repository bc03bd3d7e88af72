/**
 * Recovers a crashed disk with the real code and holds it against the run's history: nothing promised is missing
 * or moved, nothing is served that was not sent or that was taken away, the log has no holes, and every way to a
 * message (by queue, position, time, tag, key, and along the log) leads to the same one.
 */
import { physicalOffset } from "@orbitmq/host";
import {
  getProperty,
  javaHash,
  MAGIC_BLANK,
  MessageConst,
  type MessageRecord,
  RecordField,
  readRecord,
} from "@orbitmq/wire";
import type { DiskImage } from "../fake-disk.ts";
import { StoreDriver } from "../store-driver.ts";
import type { Message } from "./history.ts";
import type { Recording } from "./recorder.ts";

/** A promise that was broken. */
export class Violation extends Error {}

export function fail(what: string): never {
  throw new Violation(what);
}

const place = ({ input, queueOffset, physicalOffset, body }: Message): string =>
  `${input.topic}/${input.queueId}@${queueOffset} (offset ${physicalOffset}, ${body.slice(0, 24)})`;

/** What a recovered store serves. */
export interface Served {
  readonly driver: StoreDriver;
  /** By `topic/queueId`, in order. */
  readonly queues: ReadonlyMap<string, readonly Message[]>;
}

/** Opens the disk and checks all that must hold after `operation`. */
export async function judge(
  run: Recording,
  image: DiskImage,
  operation: number,
  pick: () => number,
): Promise<Served> {
  const driver = await open(run, image);
  const queues = new Map<string, Message[]>();
  const found = new Set<Message>();
  for (const topic of driver.store.topics()) {
    for (const queueId of driver.store.queuesOf(topic)) {
      const messages = readQueue(run, driver, topic, queueId, operation);
      queues.set(`${topic}/${queueId}`, messages);
      for (const message of messages) found.add(message);
    }
  }
  const end = driver.store.status().writtenOffset;
  for (const message of run.history.messages) {
    if (operation > message.withdrawnAt || !message.visible || found.has(message)) continue;
    if (message.promisedAt <= operation) fail(`${place(message)} was promised and is not there`);
    // The log ends between two records: whoever lies below must be whole.
    if (message.physicalOffset < end && message.sentAt <= operation) {
      fail(`${place(message)} lies within the log, which ends at ${end}, and is not served`);
    }
  }
  for (const messages of queues.values()) if (messages.length > 0) checkPaths(driver, messages, pick);
  if (pick() < 0.1) checkTail(run, driver, operation);
  await run.extra?.(driver, operation, image);
  return { driver, queues };
}

async function open(run: Recording, image: DiskImage): Promise<StoreDriver> {
  try {
    return await StoreDriver.open(run.options, image);
  } catch (error) {
    return fail(`the store does not start: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

function readQueue(
  run: Recording,
  driver: StoreDriver,
  topic: string,
  queueId: number,
  operation: number,
): Message[] {
  const messages: Message[] = [];
  const { store } = driver;
  let next: number = store.minOffset(topic, queueId);
  const end = store.readableEnd(topic, queueId);
  while (next < end) {
    const { result, records } = driver.read(next, { topic, queueId });
    if (result.status !== "FOUND")
      fail(`${topic}/${queueId}@${next}: ${result.status}, the queue ends at ${end}`);
    for (const record of records) {
      if (record.queueOffset !== next) fail(`${topic}/${queueId}@${next} is served ${record.queueOffset}`);
      messages.push(recognise(run, record, operation));
      next += 1;
    }
    if (result.nextBeginOffset !== next)
      fail(`${topic}/${queueId}@${next}: next is ${result.nextBeginOffset}`);
  }
  return messages;
}

function recognise(run: Recording, record: MessageRecord, operation: number): Message {
  const message = run.history.find(record, operation);
  if (message !== undefined) return message;
  const { topic, queueId, queueOffset, physicalOffset: position } = record;
  const body = Buffer.from(record.body.subarray(0, 24)).toString();
  return fail(
    `${topic}/${queueId}@${queueOffset} (offset ${position}, ${body}) was never sent, or came back`,
  );
}

/** One message of the queue, found in every other way. */
function checkPaths(driver: StoreDriver, messages: readonly Message[], pick: () => number): void {
  const { store, host } = driver;
  const at = Math.floor(pick() * messages.length);
  const message = messages[at]!;
  const { topic, queueId } = message.input;
  let record: MessageRecord | undefined;
  store.recordAt(message.physicalOffset, (bytes) => {
    if (bytes !== undefined) record = readRecord(Buffer.from(bytes), 0, bytes.length, { checkCrc: true });
  });
  host.settle();
  if (record?.queueOffset !== message.queueOffset || record.topic !== topic)
    fail(`no record at ${place(message)}`);

  const time = message.storeTimestamp + Math.floor(pick() * 3) - 1;
  const first = messages[0]!.queueOffset;
  const lower = messages.find((one) => one.storeTimestamp >= time)?.queueOffset ?? first + messages.length;
  const upper = messages.findLast((one) => one.storeTimestamp <= time)?.queueOffset ?? first;
  for (const [boundary, expected] of [
    ["lower", lower],
    ["upper", upper],
  ] as const) {
    let offset = -1;
    store.offsetByTime(topic, queueId, time, boundary, (answer) => {
      offset = answer;
    });
    host.settle();
    if (offset !== expected)
      fail(`${boundary} at ${time} of ${topic}/${queueId} is ${offset}, not ${expected}`);
  }

  const tag = getProperty(message.input.properties, MessageConst.TAGS);
  const code = tag === undefined ? 0 : javaHash(tag);
  const read = driver.read(message.queueOffset, {
    topic,
    queueId,
    messagesMax: 1,
    matches: (tags) => tags === code,
  });
  if (read.records[0]?.queueOffset !== message.queueOffset) fail(`${place(message)} is not found by its tag`);
  checkKeys(driver, message);
}

/** The index leads to the message once by its UNIQ_KEY and, at its time, by its tag; it never reaches beyond the log. */
function checkKeys(driver: StoreDriver, message: Message): void {
  const { topic, properties } = message.input;
  const time = { beginMs: message.storeTimestamp, endMs: message.storeTimestamp };
  for (const [name, indexType] of [
    [MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, "U"],
    [MessageConst.TAGS, "T"],
  ] as const) {
    const key = getProperty(properties, name);
    if (key === undefined || key === "") continue;
    const found = driver.query(key, { topic, indexType, ...time });
    const here = found.filter((record) => record.physicalOffset === message.physicalOffset);
    // A query returns the newest only.
    if (here.length !== 1 && found.length < 64)
      fail(`${place(message)} is found ${here.length} times by ${name}`);
  }
  driver.store.queryByKey(
    { topic, key: "", messagesMax: 1, ...time },
    ({ indexLastUpdatePhyoffset: newest }) => {
      if (newest > 0 && newest >= driver.store.status().readableLimit)
        fail(`the index knows a record at ${newest}`);
    },
  );
}

/** The log as replication reads it: whole records that follow one another up to the end. */
function checkTail(run: Recording, driver: StoreDriver, operation: number): void {
  const { store, host } = driver;
  const { minOffset, writtenOffset } = store.status();
  const follower = { logGrew: () => {}, logCut: () => {} };
  const subscription = store.subscribeTail(physicalOffset(minOffset), follower);
  while (subscription.position < writtenOffset) {
    const before = subscription.position;
    subscription.next(8192, (error, chunk) => {
      if (error !== undefined || chunk === undefined)
        return fail(`the log's tail at ${before}: ${error?.message}`);
      const bytes = Buffer.from(chunk.bytes);
      for (let at = 0; at < bytes.length; ) {
        if (bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_BLANK) break;
        const record = readRecord(bytes, at, bytes.length, { checkCrc: true });
        recognise(run, record, operation);
        at += record.totalSize;
      }
      chunk.release();
    });
    host.settle();
    if (subscription.position <= before) fail(`the log's tail stands still at ${before}`);
  }
  subscription.close();
}
