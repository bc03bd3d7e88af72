/**
 * The short way of the ordinary message: one message for a topic that exists, nothing in it that the broker acts
 * on. It is checked, appended and answered as `handlers/send-message` would, without a string, a map or an object
 * made of what only passes through. Whatever is not ordinary, or would be refused, is left to the handler, which
 * does it, or says why not.
 */
import type { AppendRefusal, Durability, MessageStore } from "@orbitmq/store";
import {
  type Exchange,
  isWritable,
  MessageSysFlag,
  PlainSend,
  type RemotingCommand,
  RequestCode,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { isNotAllowedSendTopic } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { type PendingSendPool, UNIQ_KEY_BYTES_MAX } from "./pending-send.ts";

export interface PlainSenderNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly stats: BrokerStats;
  readonly identity: BrokerIdentity;
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
/** `%RETRY%…` and `%DLQ%…`. */
const PERCENT = 0x25;

export class PlainSender {
  readonly #needs: PlainSenderNeeds;
  readonly #pool: PendingSendPool;
  readonly #durability: Durability;
  readonly #send = new PlainSend();

  constructor(needs: PlainSenderNeeds, options: PlainSenderOptions) {
    this.#needs = needs;
    this.#pool = options.pool;
    this.#durability = options.durability;
    this.#send.properties.ending = Buffer.from(options.ending);
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
    if ((sysFlag & SYS_FLAGS_NOT_PLAIN) !== 0) return false;
    if (body.length === 0 || body.length > options.maxMessageSize) return false;
    if (properties.end - properties.start > options.propertiesBytesMax) return false;
    const uniqKeyLength = properties.uniqKeyEnd - properties.uniqKeyStart;
    if (properties.uniqKeyStart < 0 || uniqKeyLength > UNIQ_KEY_BYTES_MAX) return false;
    const durability = this.#durability;
    const pending = this.#pool.take();
    pending.beginPlain(exchange, topic, queueId, durability);
    pending.copyUniqKey(properties.view, properties.uniqKeyStart, uniqKeyLength);
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
}
