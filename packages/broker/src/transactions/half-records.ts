/**
 * What a message of a transaction looks like in the log (RocketMQ: TransactionalMessageBridge,
 * EndTransactionProcessor). A half lies in RMQ_SYS_TRANS_HALF_TOPIC with its real place among its properties. When it
 * is committed a record of the real topic follows, of type COMMIT, which names the half's position; each check leaves a
 * copy of the half with one check more, which takes its place; after the last it is parked in
 * TRANS_CHECK_MAX_TIME_TOPIC (here, unlike RocketMQ's, that record names the half's position, too).
 */
import {
  type EncodedProperties,
  getProperty,
  MessageConst,
  type MessageRecord,
  MessageSysFlag,
  type RecordInput,
  type RecordPosition,
  type RecordSource,
  readContent,
  withTransactionType,
} from "@orbitmq/wire";
import { CHECK_MAX_TOPIC, HALF_TOPIC } from "../names.ts";
import { propertyText, realPlace, withProperties } from "../sending/property-text.ts";
import { storedAgain } from "../sending/stored-again.ts";
import type { Half, HalfContent } from "./halves.ts";

/** Room among the properties of a half for what checks and parking add. */
export const HALF_PROPERTIES_SPARE = 128;
const NUMBER = /^\d{1,15}$/;
const QUEUE_ID = /^\d{1,9}$/;
/** RocketMQ: longer immunity than any transaction has. */
const IMMUNITY_S_MAX = 2_147_483;

/** `message`, sent as a prepared one, as it is stored. */
export function halfMessage(message: RecordInput, uniqKey: string): RecordInput {
  return {
    ...message,
    topic: HALF_TOPIC,
    queueId: 0,
    sysFlag: withTransactionType(message.sysFlag, MessageSysFlag.TRANSACTION_NOT_TYPE),
    properties:
      withProperties(message.properties, NOT_THE_SENDERS) +
      halfEnding(uniqKey, message.topic, message.queueId),
  };
}

/** They tell where a half belongs, and of its past. */
const NOT_THE_SENDERS = {
  [MessageConst.TRANSACTION_ID]: undefined,
  [MessageConst.REAL_TOPIC]: undefined,
  [MessageConst.REAL_QUEUE_ID]: undefined,
  [MessageConst.TRANSACTION_CHECK_TIMES]: undefined,
  [MessageConst.TRANSACTION_PREPARED_QUEUE_OFFSET]: undefined,
};

/** What is behind the properties of a half that were sent, and behind the broker's own. */
export function halfEnding(uniqKey: string, topic: string, queueId: number): string {
  return propertyText(MessageConst.TRANSACTION_ID, uniqKey) + realPlace(topic, queueId);
}

/** What a half that is just sent says of itself. */
export function newHalf(
  message: { readonly topic: string; readonly queueId: number; readonly bornTimestamp: number },
  group: string,
  uniqKey: string,
  immunityMs: number | undefined,
): HalfContent {
  const { topic, queueId, bornTimestamp } = message;
  return {
    group,
    uniqKey,
    bornTimestamp,
    checkTimes: 0,
    isCopy: false,
    immunityMs,
    rootOffset: undefined,
    realTopic: topic,
    realQueueId: queueId,
    identity: identityOf(uniqKey, group, bornTimestamp, topic, queueId),
  };
}

function identityOf(uniqKey: string, group: string, born: number, topic: string, queueId: number): string {
  return `${uniqKey} ${group} ${born} ${topic} ${queueId}`;
}

/** A half that lies there. */
export function halfAt(content: HalfContent, position: RecordPosition): Half {
  return {
    group: content.group,
    uniqKey: content.uniqKey,
    bornTimestamp: content.bornTimestamp,
    checkTimes: content.checkTimes,
    isCopy: content.isCopy,
    immunityMs: content.immunityMs,
    rootOffset: content.rootOffset,
    realTopic: content.realTopic,
    realQueueId: content.realQueueId,
    identity: content.identity,
    queueOffset: position.queueOffset,
    physicalOffset: position.physicalOffset,
    storeTimestamp: position.storeTimestamp,
  };
}

/** All that is known of a transaction from a record of the half topic; `undefined`: it does not say where it belongs. */
export function readHalf(record: RecordInput): HalfContent | undefined {
  const get = (name: string): string | undefined => getProperty(record.properties, name);
  const realTopic = get(MessageConst.REAL_TOPIC) ?? "";
  const realQueueText = get(MessageConst.REAL_QUEUE_ID) ?? "";
  if (realTopic === "" || realTopic === HALF_TOPIC || !QUEUE_ID.test(realQueueText)) return undefined;
  const group = get(MessageConst.PRODUCER_GROUP) ?? "";
  const uniqKey = get(MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) ?? "";
  const root = get(MessageConst.TRANSACTION_PREPARED_QUEUE_OFFSET);
  const checkTimes = get(MessageConst.TRANSACTION_CHECK_TIMES) ?? "";
  const { bornTimestamp } = record;
  const realQueueId = Number(realQueueText);
  return {
    group,
    uniqKey,
    bornTimestamp,
    checkTimes: NUMBER.test(checkTimes) ? Number(checkTimes) : 0,
    // The sender's own is dropped when a half is taken.
    isCopy: checkTimes !== "",
    immunityMs: immunityOf(record.properties),
    rootOffset: root !== undefined && NUMBER.test(root) ? Number(root) : undefined,
    realTopic,
    realQueueId,
    identity: identityOf(uniqKey, group, bornTimestamp, realTopic, realQueueId),
  };
}

/** CHECK_IMMUNITY_TIME_IN_SECONDS in ms; `undefined` when it is not there or says nothing (RocketMQ: -1). */
export function immunityOf(properties: string): number | undefined {
  const seconds = getProperty(properties, MessageConst.CHECK_IMMUNITY_TIME_IN_SECONDS);
  if (seconds === undefined || !NUMBER.test(seconds)) return undefined;
  return Math.min(Number(seconds), IMMUNITY_S_MAX) * 1_000;
}

/** What consumers get of the half in `bytes`. Its properties, which fill `properties`, tell of its past, as RocketMQ's do. */
export function committedMessage(
  { realTopic, realQueueId, physicalOffset }: Half,
  bytes: Buffer,
  properties: EncodedProperties,
  storeHost: Uint8Array,
): RecordSource {
  const { flag, sysFlag, bornTimestamp, bornHost, reconsumeTimes, body } = readContent(bytes, 0, properties);
  return {
    topic: realTopic,
    queueId: realQueueId,
    flag,
    sysFlag: withTransactionType(sysFlag, MessageSysFlag.TRANSACTION_COMMIT_TYPE),
    bornTimestamp,
    bornHost,
    storeHost,
    reconsumeTimes,
    preparedTransactionOffset: physicalOffset,
    body,
    properties,
  };
}

/** The half once more, with so many checks: it takes the place of the one before. */
export function checkedHalf(record: MessageRecord, checkTimes: number, storeHost: Uint8Array): RecordInput {
  const message = again(record, storeHost);
  const properties = withProperties(message.properties, {
    [MessageConst.TRANSACTION_CHECK_TIMES]: checkTimes,
  });
  return { ...message, topic: HALF_TOPIC, queueId: 0, preparedTransactionOffset: 0, properties };
}

/** The half as it waits for an operator. */
export function parkedHalf(record: MessageRecord, storeHost: Uint8Array): RecordInput {
  return {
    ...again(record, storeHost),
    topic: CHECK_MAX_TOPIC,
    queueId: 0,
    preparedTransactionOffset: record.physicalOffset,
  };
}

/** The record a producer is asked about: with the place its message was sent to. */
export function restoredHalf(record: MessageRecord): MessageRecord {
  return { ...record, topic: realTopicOf(record), queueId: realQueueIdOf(record) };
}

function again(record: MessageRecord, storeHost: Uint8Array): RecordInput {
  const properties = withProperties(record.properties, { [MessageConst.CRC32]: undefined });
  return storedAgain(record, record.topic, record.queueId, storeHost, properties);
}

function realTopicOf(record: MessageRecord): string {
  return getProperty(record.properties, MessageConst.REAL_TOPIC) ?? "";
}

function realQueueIdOf(record: MessageRecord): number {
  return Number(getProperty(record.properties, MessageConst.REAL_QUEUE_ID));
}
