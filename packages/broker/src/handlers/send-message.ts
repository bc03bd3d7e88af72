/**
 * SEND_MESSAGE (10), SEND_MESSAGE_V2 (310), SEND_BATCH_MESSAGE (320): checks a message in RocketMQ's order and
 * with its codes, appends it, and answers once it is as durable as the broker's flush mode and the message ask
 * for.
 *
 *   16  the broker is not writable and the topic is ordered; the topic takes no messages from clients; it is a half
 *       and rejectTransactionMessage is set
 *   29  a bad topic name; a queue the topic does not have
 *   13  an empty or too long body, too long properties, a malformed batch, a delay level that is no number, a time
 *       of delivery that is none or too far ahead, a half of a transaction that names no group or asks for a delay or a
 *       time, and what this broker cannot do yet: inner batches; delays, times and transactions within a batch. None of
 *       these is stored as something else.
 *   1   a time of delivery, and this broker has no timers (timerWheelEnable), or its second has all it may
 *   17  an unknown topic that may not be created
 *   14, 2  the store takes no messages now
 *
 *   26  a message for the retry topic of a group that does not exist
 *
 * A message with a delay level goes to SCHEDULE_TOPIC_XXXX, one for a time to rmq_sys_wheel_timer, and comes from
 * there when its time has come; a half of a transaction goes to RMQ_SYS_TRANS_HALF_TOPIC until it is ended (see
 * transactions).
 *
 * One difference in order: what is illegal about the message itself is found before a topic is created for it.
 */
import type { Random } from "@orbitmq/host";
import type { AppendRefusal, AppendResult, Durability, MessageStore } from "@orbitmq/store";
import {
  BatchReader,
  decodeSendMessageRequestHeader,
  type Exchange,
  getProperty,
  isWritable,
  MessageConst,
  MessageSysFlag,
  MQVersion,
  newTopicConfig,
  type ReceivedBatchEntry,
  type RecordInput,
  Refusal,
  type RemotingCommand,
  type RequestHandler,
  ResponseCode,
  type SendMessageRequestHeader,
  type TopicConfig,
  TopicSysFlag,
  transactionType,
  type UniqueIdGenerator,
  WireError,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { LockKeeper } from "../consumer-groups/lock-keeper.ts";
import type { MessageKind } from "../metrics/counted.ts";
import {
  dlqTopicOf,
  groupOfRetryTopic,
  isNotAllowedSendTopic,
  isRetryTopic,
  topicNameProblem,
} from "../names.ts";
import { DLQ_QUEUES, groupTopic } from "../retry/group-topics.ts";
import { isDeadLetter } from "../retry/returned-message.ts";
import { scheduledMessage } from "../schedule/scheduled-message.ts";
import { type PendingSend, PendingSendPool } from "../sending/pending-send.ts";
import { PlainSender } from "../sending/plain-sender.ts";
import { withProperties } from "../sending/property-text.ts";
import { refusalCodes } from "../sending/refusals.ts";
import { brokersOwnProperties, SentProperties } from "../sending/sent-properties.ts";
import type { BrokerStats } from "../stats.ts";
import type { TimerRoom } from "../timer/timer-room.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { topicModelledOn } from "../topics/topics.ts";
import { HALF_PROPERTIES_SPARE, halfMessage, immunityOf, newHalf } from "../transactions/half-records.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";

export interface SendMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly random: Random;
  readonly uniqueIds: UniqueIdGenerator;
  readonly stats: BrokerStats;
  readonly identity: BrokerIdentity;
  readonly groups: GroupRegistry;
  readonly lockKeeper: LockKeeper;
  readonly schedule: { readonly delaysMs: readonly number[] };
  readonly timerRoom: TimerRoom;
  readonly transactions: Pick<TransactionService, "prepare">;
}

const INNER_BATCH_FLAGS = MessageSysFlag.INNER_BATCH | MessageSysFlag.NEED_UNWRAP;
/** Longest topic of a batch, in characters (RocketMQ: Byte.MAX_VALUE). */
const BATCH_TOPIC_LENGTH_MAX = 127;

export function sendMessage(needs: SendMessageNeeds): RequestHandler {
  const sender = new Sender(needs);
  return (request, exchange) => sender.handle(request, exchange);
}

class Sender {
  readonly #needs: SendMessageNeeds;
  readonly #options: ResolvedBrokerOptions;
  readonly #pool: PendingSendPool;
  readonly #sent = new SentProperties();
  readonly #batch = new BatchReader();
  readonly #plain: PlainSender;
  readonly #ending: string;
  readonly #waitingDurability: Durability;

  constructor(needs: SendMessageNeeds) {
    const { options } = needs;
    this.#needs = needs;
    this.#options = options;
    this.#pool = new PendingSendPool({
      regionId: options.regionId,
      traceOn: options.traceOn,
      topics: needs.topics,
      identity: needs.identity,
      flushedMeans: options.configFolder === undefined ? "memory" : "disk",
    });
    this.#ending = brokersOwnProperties(options.regionId, options.traceOn, options.brokerClusterName);
    this.#waitingDurability = options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
    needs.stats.counted.sendsWaiting = () => this.#pool.waiting;
    this.#plain = new PlainSender(needs, {
      pool: this.#pool,
      ending: this.#ending,
      durability: this.#waitingDurability,
    });
  }

  handle(request: RemotingCommand, exchange: Exchange): void {
    const plain = this.#plain.send(request, exchange);
    if (plain === true) return;
    if (plain !== false) throw this.#refusal({ status: "refused", ...plain }, 1);
    const header = decodeSendMessageRequestHeader(request.code, request.ext);
    const known = this.#needs.topics.get(header.topic);
    if (known === undefined || !isWritable(this.#options.brokerPermission))
      this.#checkTopic(header.topic, known);
    else if (isNotAllowedSendTopic(header.topic)) throw forbidden(header.topic);
    this.#checkContent(header, request.body);
    if (header.batch === true) this.#sendBatch(header, request.body, exchange, known);
    else this.#send(header, request, exchange, known);
  }

  #send(
    header: SendMessageRequestHeader,
    { body, version }: RemotingCommand,
    exchange: Exchange,
    known: TopicConfig | undefined,
  ): void {
    const { store, uniqueIds, identity } = this.#needs;
    const properties = header.properties ?? "";
    const sent = this.#sent;
    sent.scan(properties);
    if (sent.unsupported !== undefined) throw unsupported(sent.unsupported);
    const group = this.#groupOfHalf(header, properties);
    const isHalf = group !== undefined;
    const outMs = sent.timer === undefined ? undefined : this.#needs.timerRoom.slotOf(properties);
    const topic = known ?? this.#create(header);
    const queueId = this.#queueOf(header, topic);
    // A consumer's own resend: the message counts as consumed once it is acknowledged, whatever its WAIT says.
    const isResent = isRetryTopic(header.topic);
    const deadLetterTopic = isResent ? this.#deadLetterTopic(header, version) : undefined;
    const newUniqKey = sent.uniqKey === undefined ? uniqueIds.next() : undefined;
    const durability = sent.waitsForStore || isResent ? this.#waitingDurability : "written";
    const pending = this.#pool.take();
    pending.begin(exchange, deadLetterTopic ?? header.topic, queueId, sent.uniqKey ?? newUniqKey, durability);
    const message = {
      topic: header.topic,
      queueId,
      flag: header.flag,
      sysFlag: sysFlagOf(header, topic),
      bornTimestamp: header.bornTimestamp,
      bornHost: exchange.peer.addressBytes,
      storeHost: identity.storeHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      preparedTransactionOffset: 0,
      body,
      properties: sent.storedText(properties, newUniqKey, this.#ending),
    };
    const uniqKey = sent.uniqKey ?? newUniqKey ?? "";
    const stored = isHalf
      ? this.#half(message, uniqKey, pending)
      : this.#placed(message, sent.delayLevel, outMs, deadLetterTopic, pending);
    const result =
      group === undefined
        ? store.append(stored, durability, pending)
        : this.#needs.transactions.prepare(
            stored,
            newHalf(message, group, uniqKey, immunityOf(properties)),
            durability,
            pending,
          );
    if (result.status === "refused") {
      pending.recycle();
      throw this.#refusal(result, 1);
    }
    pending.appended(result.queueOffset, result.physicalOffset, undefined);
    this.#needs.stats.put(1, result.byteCount, stored.topic, this.#kindOf(properties, isHalf));
    if (outMs !== undefined) this.#needs.timerRoom.stored(result.queueOffset);
    if (deadLetterTopic !== undefined) {
      this.#needs.stats.deadLetter(header.topic, groupOfRetryTopic(header.topic));
    }
  }

  /** RocketMQ: BrokerMetricsManager.getMessageType, of what was scanned last. */
  #kindOf(properties: string, isHalf: boolean): MessageKind {
    if (isHalf) return "transaction";
    if (getProperty(properties, MessageConst.SHARDING_KEY) !== undefined) return "fifo";
    return this.#sent.delayLevel > 0 || this.#sent.timer !== undefined ? "delay" : "normal";
  }

  /**
   * The producer group of a half of a transaction; `undefined`: it is none. A consumer's own resend still carries the
   * property of the message's former life.
   */
  #groupOfHalf(header: SendMessageRequestHeader, properties: string): string | undefined {
    const isPrepared = transactionType(header.sysFlag) === MessageSysFlag.TRANSACTION_PREPARED_TYPE;
    if (isRetryTopic(header.topic) && !isPrepared) return undefined;
    if (!this.#sent.isHalf) {
      if (isPrepared)
        throw illegal("the message is illegal: its flag says transaction, and TRAN_MSG does not");
      return undefined;
    }
    const { brokerName, rejectTransactionMessage } = this.#options;
    if (rejectTransactionMessage) {
      const remark = `the broker[${brokerName}] sending transaction message is forbidden`;
      throw new Refusal(ResponseCode.NO_PERMISSION, remark);
    }
    if (isRetryTopic(header.topic)) throw illegal("the message is illegal: a transaction for a retry topic");
    if (this.#sent.delayLevel > 0) throw unsupported("delayed delivery (DELAY) of a transaction");
    if (this.#sent.timer !== undefined) throw unsupported(`${this.#sent.timer} of a transaction`);
    const group = getProperty(properties, MessageConst.PRODUCER_GROUP) ?? "";
    if (group === "") {
      throw illegal("the message is illegal: a transaction without its producer group (PGROUP)");
    }
    return group;
  }

  #half(message: RecordInput, uniqKey: string, pending: PendingSend): RecordInput {
    const half = halfMessage(message, uniqKey);
    if (Buffer.byteLength(half.properties) > this.#options.propertiesBytesMax - HALF_PROPERTIES_SPARE) {
      pending.recycle();
      throw illegal("the message is illegal: its properties leave no room for those of a transaction");
    }
    return half;
  }

  /** Where the message is stored: the dead-letter topic, the delay level's queue, the timer's, or where it was sent. */
  #placed(
    message: RecordInput,
    delayLevel: number,
    outMs: number | undefined,
    deadLetterTopic: string | undefined,
    pending: PendingSend,
  ): RecordInput {
    if (deadLetterTopic !== undefined) {
      const properties = withProperties(message.properties, { [MessageConst.DELAY_TIME_LEVEL]: -1 });
      return { ...message, topic: deadLetterTopic, queueId: 0, properties };
    }
    if (outMs !== undefined) {
      const timed = this.#needs.timerRoom.place(message, outMs);
      pending.recallHandle = timed.recallHandle;
      return timed.message;
    }
    if (delayLevel <= 0) return message;
    return scheduledMessage(message, delayLevel, this.#needs.schedule.delaysMs.length);
  }

  /** The dead-letter topic, when a resent message has been consumed in vain often enough (RocketMQ: handleRetryAndDLQ). */
  #deadLetterTopic(header: SendMessageRequestHeader, version: number): string | undefined {
    const { groups, lockKeeper, topics } = this.#needs;
    const name = groupOfRetryTopic(header.topic);
    const group = groups.find(name);
    if (group === undefined) {
      throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `subscription group not exist, ${name}`);
    }
    const own = version >= MQVersion.V3_4_9 ? header.maxReconsumeTimes : undefined;
    const limit = own ?? group.retryMaxTimes;
    if (!isDeadLetter(header.reconsumeTimes ?? 0, limit, !lockKeeper.isAllExpired(name))) return undefined;
    const topic = dlqTopicOf(name);
    if (groupTopic(topics, this.#options.topicsMax, topic, DLQ_QUEUES, 0) === undefined) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `topic[${topic}] not exist`);
    }
    return topic;
  }

  #sendBatch(
    header: SendMessageRequestHeader,
    body: Uint8Array,
    exchange: Exchange,
    known: TopicConfig | undefined,
  ): void {
    if (header.topic.length > BATCH_TOPIC_LENGTH_MAX) {
      throw illegal(`message topic length too long ${header.topic.length}`);
    }
    if (isRetryTopic(header.topic)) {
      throw illegal(`batch request does not support retry group ${header.topic}`);
    }
    const entries = this.#entriesOf(header, body);
    this.#sent.scan(header.properties ?? "");
    if (this.#sent.unsupported !== undefined) throw unsupported(this.#sent.unsupported);
    const { uniqKey, waitsForStore, delayLevel, timer, isHalf } = this.#sent;
    if (isHalf) throw unsupported("a transaction (TRAN_MSG) of a batch");
    if (timer !== undefined) throw unsupported(`${timer} of a batch`);
    if (delayLevel > 0) throw unsupported("delayed delivery (DELAY) of a batch");
    const topic = known ?? this.#create(header);
    const queueId = this.#queueOf(header, topic);
    const durability = waitsForStore ? this.#waitingDurability : "written";
    const pending = this.#pool.take();
    pending.begin(exchange, header.topic, queueId, uniqKey, durability);
    const sysFlag = sysFlagOf(header, topic);
    const bornHost = exchange.peer.addressBytes;
    const { store, identity } = this.#needs;
    const messages = entries.map((entry) => ({
      topic: header.topic,
      queueId,
      flag: entry.flag,
      sysFlag,
      bornTimestamp: header.bornTimestamp,
      bornHost,
      storeHost: identity.storeHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      preparedTransactionOffset: 0,
      body: entry.body,
      properties: entry.properties.isPlain ? entry.properties : entry.properties.readText(),
    }));
    const result = store.appendBatch(messages, durability, pending);
    if (result.status === "refused") {
      pending.recycle();
      throw this.#refusal(result, messages.length);
    }
    pending.appended(result.queueOffset, result.physicalOffset, result.physicalOffsets);
    this.#needs.stats.put(messages.length, result.byteCount, header.topic, "normal");
  }

  /** A batch's messages keep their properties as they are, as in RocketMQ. */
  #entriesOf(header: SendMessageRequestHeader, body: Uint8Array): readonly ReceivedBatchEntry[] {
    let entries: readonly ReceivedBatchEntry[];
    try {
      entries = this.#batch.read(body);
    } catch (error) {
      if (error instanceof WireError) throw illegal(error.message);
      throw error;
    }
    if (entries.length > this.#options.batchMessagesMax) {
      throw illegal(
        `a batch for ${header.topic} has ${entries.length} messages, the limit is ${this.#options.batchMessagesMax}`,
      );
    }
    for (const entry of entries) {
      if (entry.properties.isPlain) continue;
      this.#sent.scan(entry.properties.readText());
      if (this.#sent.unsupported !== undefined) throw unsupported(this.#sent.unsupported);
      if (this.#sent.delayLevel > 0) throw unsupported("delayed delivery (DELAY) within a batch");
      if (this.#sent.timer !== undefined) throw unsupported(`${this.#sent.timer} within a batch`);
      if (this.#sent.isHalf) throw unsupported("a transaction (TRAN_MSG) within a batch");
    }
    return entries;
  }

  #checkTopic(topic: string, known: TopicConfig | undefined): void {
    if (!isWritable(this.#options.brokerPermission) && known?.order === true) {
      throw new Refusal(
        ResponseCode.NO_PERMISSION,
        `the broker[${this.#options.brokerName}] sending message is forbidden`,
      );
    }
    const problem = topicNameProblem(topic);
    if (problem !== undefined) throw new Refusal(ResponseCode.INVALID_PARAMETER, problem);
    if (isNotAllowedSendTopic(topic)) throw forbidden(topic);
  }

  #checkContent(header: SendMessageRequestHeader, body: Uint8Array): void {
    const { maxMessageSize, propertiesBytesMax } = this.#options;
    if (body.length === 0) throw illegal("the message is illegal: its body is empty");
    if (body.length > maxMessageSize) {
      throw illegal(
        `the message is illegal: its body has ${body.length} bytes, the limit is ${maxMessageSize}`,
      );
    }
    const propertiesLength = header.properties?.length ?? 0;
    if (propertiesLength > propertiesBytesMax) {
      throw illegal(
        `the message is illegal: its properties have ${propertiesLength} bytes, the limit is ${propertiesBytesMax}`,
      );
    }
    const type = transactionType(header.sysFlag);
    const isHalf = type === MessageSysFlag.TRANSACTION_PREPARED_TYPE && header.batch !== true;
    if (type !== MessageSysFlag.TRANSACTION_NOT_TYPE && !isHalf) {
      throw illegal("the message is illegal: its flag says that it ends a transaction, or it is in a batch");
    }
    if ((header.sysFlag & INNER_BATCH_FLAGS) !== 0) throw unsupported("an inner batch (sysFlag)");
  }

  /** RocketMQ: createTopicInSendMessageMethod, then, for a retry topic, createTopicInSendMessageBackMethod. */
  #create(header: SendMessageRequestHeader): TopicConfig {
    const { topics, store } = this.#needs;
    const isRetry = isRetryTopic(header.topic);
    const unitFlag = isRetry ? TopicSysFlag.UNIT_SUB : TopicSysFlag.UNIT;
    const topicSysFlag = header.unitMode === true ? unitFlag : 0;
    const { refusal } = store.status();
    if (refusal !== undefined) throw this.#refusal({ status: "refused", ...refusal }, 1);
    const modelled = topicModelledOn(
      {
        topic: header.topic,
        defaultTopic: header.defaultTopic,
        defaultTopicQueueNums: header.defaultTopicQueueNums,
        topicSysFlag,
        autoCreateTopicEnable: this.#options.autoCreateTopicEnable,
      },
      topics.topics,
    );
    const single = { readQueueNums: 1, writeQueueNums: 1, topicSysFlag };
    const config =
      "config" in modelled ? modelled.config : isRetry ? newTopicConfig(header.topic, single) : undefined;
    const problem = "problem" in modelled ? modelled.problem : "";
    if (config === undefined || topics.topics.size >= this.#options.topicsMax) {
      const why = config === undefined ? problem : `the broker has its ${this.#options.topicsMax} topics`;
      throw new Refusal(
        ResponseCode.TOPIC_NOT_EXIST,
        `topic[${header.topic}] not exist, apply first please! It was not created: ${why}`,
      );
    }
    // The queue is checked before anything is created for it.
    this.#queueOf(header, config);
    topics.put(config);
    return config;
  }

  #queueOf({ queueId, topic }: SendMessageRequestHeader, config: TopicConfig): number {
    const queues = Math.max(config.writeQueueNums, config.readQueueNums);
    if (queueId >= queues || (queueId < 0 && config.writeQueueNums <= 0)) {
      throw new Refusal(
        ResponseCode.INVALID_PARAMETER,
        `request queueId[${queueId}] is illegal, topic ${topic} has ${queues} queues`,
      );
    }
    return queueId < 0 ? this.#needs.random.int(config.writeQueueNums) : queueId;
  }

  #refusal({ reason, remark }: Extract<AppendResult, { status: "refused" }>, messages: number): Refusal {
    this.#needs.stats.putFailed += messages;
    return new Refusal(refusalCodes[reason], `${refusalRemarks[reason]}: ${remark}`);
  }
}

const refusalRemarks: Readonly<Record<AppendRefusal, string>> = {
  MESSAGE_ILLEGAL: "the message is illegal",
  PROPERTIES_SIZE_EXCEEDED: "the message is illegal",
  DISK_FULL: "service not available now, the broker's disk is full",
  STORE_FAILED: "service not available now, a write error stopped the store until restart",
  STORE_STOPPED: "service not available now, the store is stopping",
  BUSY: "broker busy, start flow control for a while",
};

function sysFlagOf(header: SendMessageRequestHeader, topic: TopicConfig): number {
  return topic.topicFilterType === "MULTI_TAG" ? header.sysFlag | MessageSysFlag.MULTI_TAGS : header.sysFlag;
}

function forbidden(topic: string): Refusal {
  return new Refusal(ResponseCode.NO_PERMISSION, `Sending message to topic[${topic}] is forbidden.`);
}

function illegal(remark: string): Refusal {
  return new Refusal(ResponseCode.MESSAGE_ILLEGAL, remark);
}

function unsupported(what: string): Refusal {
  return illegal(`this broker does not support ${what} yet; the message was not stored`);
}
