/**
 * What brokers ask of a consumer on behalf of administrators (RocketMQ: ClientRemotingProcessor).
 *
 *   220  set the offsets of these queues (oneway)
 *   221  how far are you in this topic?
 *   307  what are you doing?
 *   309  consume this message now
 *
 * 1 SYSTEM_ERROR for a group that is not this consumer's, and for a message nobody here listens for.
 */
import {
  consumeMessageDirectlyRequestHeader,
  type Exchange,
  encodeClientStatus,
  encodeFastjson,
  getConsumerRunningInfoRequestHeader,
  getConsumerStatusRequestHeader,
  MQ_VERSION_CURRENT,
  mqVersionName,
  parseResetOffsetBody,
  Refusal,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  readRecord,
  resetOffsetRequestHeader,
  subscriptionDataToJson,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { queueKey } from "../../connection/topic-queues.ts";
import type { OffsetStore } from "../offsets/offset-store.ts";
import type { PopQueue } from "../pop/pop-queue.ts";
import { topicOf } from "../queue/pulled-record.ts";
import type { QueueConsumer } from "../queue/queue-consumer.ts";
import type { Subscription } from "../subscription.ts";
import { consumeDirectly } from "./consume-directly.ts";
import type { ConsumeStats } from "./consume-stats.ts";

/** The consumer, to those who ask. */
export interface QuestionedConsumer {
  readonly group: string;
  readonly concurrency: number;
  isInOrder(): boolean;
  /** Wall ms. */
  readonly startedMs: number;
  readonly stats: ConsumeStats;
  readonly offsets: OffsetStore;
  subscriptions(): readonly Subscription[];
  subscriptionOf(topic: string): Subscription | undefined;
  queues(): readonly QueueConsumer[];
  popQueues(): readonly PopQueue[];
}

export class BrokerQuestions {
  readonly #instance: ClientInstance;
  readonly #consumer: QuestionedConsumer;

  constructor(instance: ClientInstance, consumer: QuestionedConsumer) {
    this.#instance = instance;
    this.#consumer = consumer;
    const { rpc } = instance;
    rpc.handle(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, (request) => this.#reset(request));
    rpc.handle(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, (request, exchange) =>
      this.#tellStatus(request, exchange),
    );
    rpc.handle(RequestCode.GET_CONSUMER_RUNNING_INFO, (request, exchange) =>
      this.#tellRunningInfo(request, exchange),
    );
    rpc.handle(RequestCode.CONSUME_MESSAGE_DIRECTLY, (request, exchange) =>
      this.#consumeDirectly(request, exchange),
    );
  }

  #checkGroup(group: string): void {
    if (group === this.#consumer.group) return;
    const remark = `The Consumer Group <${group}> not exist in this consumer`;
    throw new Refusal(ResponseCode.SYSTEM_ERROR, remark);
  }

  #reset(request: RemotingCommand): void {
    const { group, topic } = resetOffsetRequestHeader.decode(request.ext);
    this.#checkGroup(group);
    const offsets = new Map(
      [...parseResetOffsetBody(request.body)].map(([queue, offset]) => [queueKey(queue), offset]),
    );
    for (const queue of this.#consumer.queues()) {
      const offset = offsets.get(queueKey(queue.queue));
      if (queue.queue.topic !== topic || offset === undefined || offset < 0) continue;
      const { brokerName, queueId } = queue.queue;
      const from = queue.nextOffset;
      this.#instance.logger.warn({ topic, brokerName, queueId, from, to: offset }, "offset reset");
      queue.resetTo(offset);
      this.#instance.background("commit of a reset offset", () => this.#consumer.offsets.persist(queue));
    }
  }

  #tellStatus(request: RemotingCommand, exchange: Exchange): void {
    const { group, topic } = getConsumerStatusRequestHeader.decode(request.ext);
    this.#checkGroup(group);
    const queues = this.#consumer.queues().filter(({ queue }) => queue.topic === topic);
    const offsets = new Map(queues.map((queue) => [queue.queue, queue.committableOffset]));
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeClientStatus(offsets)] });
  }

  #tellRunningInfo(request: RemotingCommand, exchange: Exchange): void {
    const { consumerGroup } = getConsumerRunningInfoRequestHeader.decode(request.ext);
    this.#checkGroup(consumerGroup);
    const { concurrency, startedMs, stats } = this.#consumer;
    const subscriptions = this.#consumer.subscriptions();
    const body = encodeFastjson({
      properties: {
        PROP_NAMESERVER_ADDR: this.#instance.nameServers.addresses.map((address) => `${address};`).join(""),
        PROP_THREADPOOL_CORE_SIZE: String(concurrency),
        PROP_CONSUMEORDERLY: String(this.#consumer.isInOrder()),
        PROP_CONSUME_TYPE: "CONSUME_PASSIVELY",
        PROP_CLIENT_VERSION: mqVersionName(MQ_VERSION_CURRENT),
        PROP_CONSUMER_START_TIMESTAMP: String(startedMs),
      },
      subscriptionSet: subscriptions.map(({ data }) => subscriptionDataToJson(data)),
      mqTable: new Map(this.#consumer.queues().map((queue) => [queue.queue, queue.runningInfo()])),
      mqPopTable: new Map(this.#consumer.popQueues().map((queue) => [queue.queue, queue.runningInfo()])),
      statusTable: new Map(subscriptions.map(({ topic }) => [topic, stats.of(topic)])),
      userConsumerInfo: {},
    });
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  }

  #consumeDirectly(request: RemotingCommand, exchange: Exchange): void {
    const { consumerGroup, brokerName = "" } = consumeMessageDirectlyRequestHeader.decode(request.ext);
    this.#checkGroup(consumerGroup);
    const record = readRecord(Buffer.from(request.body));
    const topic = topicOf(record);
    const subscription = this.#consumer.subscriptionOf(topic);
    if (subscription === undefined) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `nobody listens for ${topic} in this consumer`);
    }
    const { clock } = this.#instance.host;
    const startedMs = clock.monotonicMs();
    const queue = { topic: record.topic, brokerName, queueId: record.queueId };
    this.#instance.background("consuming a message directly", async () => {
      const end = await consumeDirectly(consumerGroup, queue, record, subscription, this.#instance.namespace);
      const spentTimeMills = Math.round(clock.monotonicMs() - startedMs);
      const body = encodeFastjson({ ...end, order: this.#consumer.isInOrder(), spentTimeMills });
      exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
    });
  }
}
