/**
 * The short way of the ordinary message: one message for a topic that exists, nothing in it that the broker acts
 * on, or that it is the half of a transaction, or waits for a time. It is checked, appended and answered as `handlers/send-message` would,
 * without a string, a map or an object made of what only passes through. Whatever is not ordinary, or would be refused,
 * is left to the handler, which does it, or says why not.
 */
import type { AppendRefusal, Durability, MessageStore } from "@orbitmq/store";
import {
  type Exchange,
  isWritable,
  MessageSysFlag,
  PlainSend,
  type RecordSource,
  type RemotingCommand,
  RequestCode,
  withTransactionType,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { HALF_TOPIC, isNotAllowedSendTopic, TIMER_TOPIC } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import { timedEnding } from "../timer/timed-message.ts";
import type { TimerRoom } from "../timer/timer-room.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { HALF_PROPERTIES_SPARE, halfEnding, newHalf } from "../transactions/half-records.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";
import { type PendingSend, type PendingSendPool, UNIQ_KEY_BYTES_MAX } from "./pending-send.ts";

export interface PlainSenderNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly stats: BrokerStats;
  readonly identity: BrokerIdentity;
  readonly transactions: Pick<TransactionService, "prepare">;
  readonly timerRoom: TimerRoom;
}

export interface PlainSenderOptions {
  readonly pool: PendingSendPool;
  /** The broker's own properties, at the end of every message. */
  readonly ending: string;
  readonly durability: Durability;
}

/** Sending with one of these asks for more than an append. */
const SYS_FLAGS_NOT_PLAIN =
  MessageSysFlag.TRANSACTION_ROLLBACK_TYPE | MessageSysFlag.NEED_UNWRAP | MessageSysFlag.INNER_BATCH;
/** Longer endings are left to the handler: the topic has a name of some length. */
const LONG_ENDING_BYTES_MAX = 1_024;
/** Of one unit of a string. */
const UTF8_BYTES_MAX = 3;
/** `%RETRY%…` and `%DLQ%…`. */
const PERCENT = 0x25;

export class PlainSender {
  readonly #needs: PlainSenderNeeds;
  readonly #pool: PendingSendPool;
  readonly #durability: Durability;
  readonly #send = new PlainSend();
  readonly #ending: Buffer;
  /** The same and what is behind it in a half, or in a message that waits. */
  readonly #longEnding: Buffer;

  constructor(needs: PlainSenderNeeds, options: PlainSenderOptions) {
    this.#needs = needs;
    this.#pool = options.pool;
    this.#durability = options.durability;
    this.#ending = Buffer.from(options.ending);
    this.#longEnding = Buffer.alloc(this.#ending.length + LONG_ENDING_BYTES_MAX);
    this.#ending.copy(this.#longEnding);
  }

  /**
   * True when the message was appended, and is answered later. False: nothing has happened, the handler takes it;
   * or why the store has refused it.
   */
  send(request: RemotingCommand, exchange: Exchange): boolean | { reason: AppendRefusal; remark: string } {
    const send = this.#send;
    const { code, body } = request;
    if (code !== RequestCode.SEND_MESSAGE_V2 && code !== RequestCode.SEND_MESSAGE) return false;
    if (!send.read(code, request.ext)) return false;
    const { topic, queueId, sysFlag, properties } = send;
    const { options, store, identity } = this.#needs;
    const config = this.#needs.topics.get(topic);
    if (config === undefined || config.topicFilterType === "MULTI_TAG") return false;
    if (!isWritable(options.brokerPermission)) return false;
    if (queueId < 0 || queueId >= Math.max(config.writeQueueNums, config.readQueueNums)) return false;
    if (topic.charCodeAt(0) === PERCENT || isNotAllowedSendTopic(topic)) return false;
    const { isHalf } = properties;
    const flags = sysFlag & SYS_FLAGS_NOT_PLAIN;
    if (flags !== (isHalf ? MessageSysFlag.TRANSACTION_PREPARED_TYPE : 0)) return false;
    if (body.length === 0 || body.length > options.maxMessageSize) return false;
    if (properties.end - properties.start > options.propertiesBytesMax) return false;
    const uniqKeyLength = properties.uniqKeyEnd - properties.uniqKeyStart;
    if (properties.uniqKeyStart < 0 || uniqKeyLength > UNIQ_KEY_BYTES_MAX) return false;
    if (isHalf) return this.#sendHalf(body, exchange);
    if (properties.isTimed) return this.#sendTimed(body, exchange);
    properties.ending = this.#ending;
    const durability = this.#durability;
    const pending = this.#begin(exchange);
    const result = store.append(
      {
        topic,
        queueId,
        flag: send.flag,
        sysFlag,
        bornTimestamp: send.bornTimestamp,
        bornHost: exchange.peer.addressBytes,
        storeHost: identity.storeHost,
        reconsumeTimes: send.reconsumeTimes,
        preparedTransactionOffset: 0,
        body,
        properties,
      },
      durability,
      pending,
    );
    if (result.status === "refused") {
      pending.recycle();
      return result;
    }
    pending.appended(result.queueOffset, result.physicalOffset, undefined);
    this.#needs.stats.put(1, result.byteCount, topic, properties.hasShardingKey ? "fifo" : "normal");
    return true;
  }

  /** Who waits for what was read. */
  #begin(exchange: Exchange): PendingSend {
    const { topic, queueId, properties } = this.#send;
    const { view, uniqKeyStart, uniqKeyEnd } = properties;
    const pending = this.#pool.take();
    pending.beginPlain(exchange, topic, queueId, this.#durability);
    pending.copyUniqKey(view, uniqKeyStart, uniqKeyEnd - uniqKeyStart);
    return pending;
  }

  /** What was read as it is stored in a topic of the broker's own; `send` makes its records without this call. */
  #recordOf(topic: string, sysFlag: number, body: Uint8Array, exchange: Exchange): RecordSource {
    const { flag, bornTimestamp, reconsumeTimes, properties } = this.#send;
    return {
      topic,
      queueId: 0,
      flag,
      sysFlag,
      bornTimestamp,
      bornHost: exchange.peer.addressBytes,
      storeHost: this.#needs.identity.storeHost,
      reconsumeTimes,
      preparedTransactionOffset: 0,
      body,
      properties,
    };
  }

  /** What was read is stored with this behind it; false: it is too long. */
  #endWith(text: string): boolean {
    if (text.length * UTF8_BYTES_MAX > LONG_ENDING_BYTES_MAX) return false;
    const start = this.#ending.length;
    const end = start + this.#longEnding.write(text, start, "utf8");
    this.#send.properties.ending = this.#longEnding.subarray(0, end);
    return true;
  }

  /** What was read waits for its time, or is refused: throws Refusal as {@link TimerRoom.slotOf}. */
  #sendTimed(body: Uint8Array, exchange: Exchange): boolean | { reason: AppendRefusal; remark: string } {
    const { topic, queueId, sysFlag, properties } = this.#send;
    const { store, timerRoom, stats } = this.#needs;
    const { timerTrigger, timerValue, bytes, uniqKeyStart, uniqKeyEnd } = properties;
    if (Number.isNaN(timerValue)) return false;
    const outMs = timerRoom.slotFor(timerTrigger, timerValue);
    if (outMs === undefined || !this.#endWith(timedEnding(outMs, topic, queueId))) return false;
    const durability = this.#durability;
    const pending = this.#begin(exchange);
    pending.recallHandle = timerRoom.recallHandle(
      topic,
      outMs,
      bytes.toString("utf8", uniqKeyStart, uniqKeyEnd),
    );
    const record = this.#recordOf(TIMER_TOPIC, sysFlag, body, exchange);
    const result = store.append(record, durability, pending);
    if (result.status === "refused") {
      pending.recycle();
      return result;
    }
    pending.appended(result.queueOffset, result.physicalOffset, undefined);
    stats.put(1, result.byteCount, TIMER_TOPIC, properties.hasShardingKey ? "fifo" : "delay");
    timerRoom.stored(result.queueOffset);
    return true;
  }

  /** What was read is the half of a transaction. */
  #sendHalf(body: Uint8Array, exchange: Exchange): boolean | { reason: AppendRefusal; remark: string } {
    const send = this.#send;
    const { topic, queueId, properties } = send;
    const { options, transactions, stats } = this.#needs;
    if (options.rejectTransactionMessage) return false;
    const { bytes, uniqKeyStart, uniqKeyEnd, groupStart, groupEnd } = properties;
    const uniqKey = bytes.toString("utf8", uniqKeyStart, uniqKeyEnd);
    const group = bytes.toString("utf8", groupStart, groupEnd);
    if (!this.#endWith(halfEnding(uniqKey, topic, queueId))) return false;
    if (properties.byteLength > options.propertiesBytesMax - HALF_PROPERTIES_SPARE) return false;
    const durability = this.#durability;
    const pending = this.#begin(exchange);
    const sysFlag = withTransactionType(send.sysFlag, MessageSysFlag.TRANSACTION_NOT_TYPE);
    const half = this.#recordOf(HALF_TOPIC, sysFlag, body, exchange);
    const content = newHalf(send, group, uniqKey, undefined);
    const result = transactions.prepare(half, content, durability, pending);
    if (result.status === "refused") {
      pending.recycle();
      return result;
    }
    pending.appended(result.queueOffset, result.physicalOffset, undefined);
    stats.put(1, result.byteCount, HALF_TOPIC, "transaction");
    return true;
  }
}
