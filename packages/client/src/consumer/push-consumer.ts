/**
 * Consumes topics together with the other members of its group (RocketMQ: DefaultMQPushConsumer): what the
 * application calls. What does it is push-consumption.ts; its life is the client instance's (client-instance.ts).
 */
import type { Host } from "@orbitmq/host";
import { OrbitError } from "../errors/errors.ts";
import { type Topic, topicName } from "../message/typed-topic.ts";
import { checkTopic } from "../names/names.ts";
import {
  SHUTDOWN_DEADLINE_MS,
  type ShutdownOptions,
  type ShutdownResult,
} from "../options/client-options.ts";
import { checkInteger } from "../options/option-checks.ts";
import { consumerDefaults, type PushConsumerOptions } from "./consumer-options.ts";
import type {
  ListenBatchOptions,
  ListenOptions,
  MessageBatchListener,
  MessageListener,
  OrderlyMessageBatchListener,
  OrderlyMessageListener,
} from "./listener.ts";
import { checkWithBroker, type SelectorOptions, type SqlExpression } from "./message-selector.ts";
import { maxOffset } from "./offsets/queue-offsets.ts";
import type { PushConsumerStatus } from "./push-consumer-status.ts";
import { type ListenerKind, PushConsumption } from "./push-consumption.ts";
import { endConsumption } from "./push-shutdown.ts";
import { type AnyListener, newSubscription } from "./subscription.ts";

const BATCH_MESSAGES_MAX = 1_024;

/** Throws INVALID_ARGUMENT. */
function messagesMaxOf(options: ListenBatchOptions): number {
  return checkInteger(options, "messagesMax", consumerDefaults.batchMessagesMax, 1, BATCH_MESSAGES_MAX);
}

export class PushConsumer {
  readonly #consumption: PushConsumption;
  #shutdown: Promise<ShutdownResult> | undefined;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: PushConsumerOptions) {
    this.#consumption = new PushConsumption(host, options);
  }

  /**
   * Runs `listener` for each message of `topic`; before or after `start`. Each topic has one listener: a second
   * one throws INVALID_ARGUMENT, as do a bad topic name and a tag expression without tags.
   */
  listen(topic: string, listener: MessageListener, options?: ListenOptions): void;
  listen<T>(topic: Topic<T>, listener: MessageListener<T>, options?: ListenOptions): void;
  listen(topic: string | Topic<unknown>, listener: unknown, options: ListenOptions = {}): void {
    const one = listener as MessageListener<unknown>;
    this.#listen(topic, options, 1, one, (messages, context) => one(messages[0]!, context));
  }

  /**
   * As `listen`, but the messages of a queue come one after the other, each when the one before it is done, and no
   * other member of the group has the queue meanwhile (RocketMQ: MessageListenerOrderly). What fails holds its queue
   * up. A consumer has listeners of one kind: the other kind throws INVALID_ARGUMENT.
   */
  listenOrderly(topic: string, listener: OrderlyMessageListener, options?: ListenOptions): void;
  listenOrderly<T>(topic: Topic<T>, listener: OrderlyMessageListener<T>, options?: ListenOptions): void;
  listenOrderly(topic: string | Topic<unknown>, listener: unknown, options: ListenOptions = {}): void {
    const one = listener as OrderlyMessageListener<unknown>;
    const run: AnyListener = (messages, context) => one(messages[0]!, context);
    this.#listen(topic, options, 1, one, run, "orderly");
  }

  /** As `listenOrderly`, for lists: the result counts for all of one. */
  listenOrderlyBatch(
    topic: string,
    listener: OrderlyMessageBatchListener,
    options?: ListenBatchOptions,
  ): void;
  listenOrderlyBatch<T>(
    topic: Topic<T>,
    listener: OrderlyMessageBatchListener<T>,
    options?: ListenBatchOptions,
  ): void;
  listenOrderlyBatch(
    topic: string | Topic<unknown>,
    listener: unknown,
    options: ListenBatchOptions = {},
  ): void {
    this.#listen(topic, options, messagesMaxOf(options), listener, listener as AnyListener, "orderly");
  }

  /** `listen` with RocketMQ's order of arguments; `selector`: `*`, tags joined by `||`, or `sql("…")`. */
  subscribe(topic: string, selector: string | SqlExpression, listener: MessageListener): void;
  subscribe<T>(topic: Topic<T>, selector: string | SqlExpression, listener: MessageListener<T>): void;
  subscribe(topic: string | Topic<unknown>, selector: string | SqlExpression, listener: unknown): void {
    const options = typeof selector === "string" ? { tags: selector } : { sql: selector.sql };
    this.listen(topic as Topic<unknown>, listener as MessageListener<unknown>, options);
  }

  /** The listener takes a list of messages of one queue; its result counts for all of it. */
  listenBatch(topic: string, listener: MessageBatchListener, options?: ListenBatchOptions): void;
  listenBatch<T>(topic: Topic<T>, listener: MessageBatchListener<T>, options?: ListenBatchOptions): void;
  listenBatch(topic: string | Topic<unknown>, listener: unknown, options: ListenBatchOptions = {}): void {
    this.#listen(topic, options, messagesMaxOf(options), listener, listener as AnyListener);
  }

  /**
   * Joins the group and begins to consume. Resolves when a NameServer has answered and the queues of every
   * subscribed topic that exists were divided, or after `startTimeoutMs` if a broker does not answer (it is
   * tried on); a message sent after that to a topic consumed from "last" is not missed. Rejects with
   * NAME_SERVER_UNREACHABLE after `startTimeoutMs`, with SUBSCRIPTION_PARSE_FAILED when a broker finds a SQL92
   * expression illegal.
   */
  start(): Promise<void> {
    return this.#consumption.instance.start(() => this.#consumption.begin());
  }

  /**
   * Listens no longer to a topic: its queues go to other members, its listener may run on. The brokers are told at once.
   * Resolves when what was consumed is committed; does nothing for a topic without a listener.
   */
  async unsubscribe(topic: string): Promise<void> {
    const { topics, settings } = this.#consumption;
    await topics.remove(settings.namespace.wrap(topic));
  }

  /** Pulls nothing until `resume`; what is here already is consumed (RocketMQ: suspend). */
  suspend(): void {
    this.#consumption.isSuspended = true;
  }

  resume(): void {
    const { topics } = this.#consumption;
    this.#consumption.isSuspended = false;
    for (const queue of [...topics.queues, ...topics.popQueues]) queue.mayPull();
  }

  /**
   * Passes over everything that is stored now and not consumed, in the queues of `topic` that this member holds (all
   * topics without it), and commits that. A listener that runs goes on; how it ends does not count. Rejects when a
   * broker does not answer; some queues may have been moved then.
   */
  async skipBacklog(topic?: string): Promise<void> {
    const { instance, settings, topics, offsets } = this.#consumption;
    instance.checkRunning();
    const name = topic === undefined ? undefined : settings.namespace.wrap(topic);
    const queues = topics.userMembers
      .filter((member) => name === undefined || member.topic === name)
      .flatMap((member) => [...member.queues]);
    await Promise.all(
      queues.map(async (held) => {
        held.resetTo(await maxOffset(instance, held.queue));
        await offsets.persist(held);
      }),
    );
  }

  status(): PushConsumerStatus {
    const { instance, settings, topics, runner, tally, isSuspended, trace } = this.#consumption;
    const { state, clientId, namespace } = instance;
    const members = topics.userMembers;
    return {
      state,
      ready: state === "running" && members.every((member) => member.isReady),
      group: namespace.unwrap(settings.group),
      clientId,
      topicsWithoutRoute: members
        .filter((member) => member.isAbsent)
        .map((member) => namespace.unwrap(member.topic)),
      suspended: isSuspended,
      queues: topics.queues.map(({ queue, cached, committableOffset, nextOffset, maxOffset }) => ({
        queue: namespace.unwrapQueue(queue),
        cached,
        committableOffset,
        nextOffset,
        maxOffset,
      })),
      popQueues: topics.popQueues.map(({ queue, cached }) => ({
        queue: namespace.unwrapQueue(queue),
        cached,
      })),
      listenersRunning: runner.running,
      ...tally.counts,
      tracesDropped: trace?.dropped ?? 0,
    };
  }

  /**
   * Stops pulling, lets running listeners finish, persists offsets, unregisters. Messages not begun are left to
   * the group. Twice is once. Never rejects.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    this.#shutdown ??= endConsumption(this.#consumption, options.deadlineMs ?? SHUTDOWN_DEADLINE_MS);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #listen(
    topic: string | Topic<unknown>,
    selector: SelectorOptions,
    messagesMax: number,
    given: unknown,
    run: AnyListener,
    kind: ListenerKind = "concurrent",
  ): void {
    const consumption = this.#consumption;
    const { instance, topics, settings } = consumption;
    const { state, host, namespace } = instance;
    const name = namespace.wrap(topicName(topic));
    checkTopic(name);
    if (typeof given !== "function") throw new OrbitError("INVALID_ARGUMENT", "the listener is no function");
    if (topics.has(name)) {
      throw new OrbitError("INVALID_ARGUMENT", `${name} has a listener already`);
    }
    if (state === "stopping" || state === "stopped") throw new OrbitError("SHUT_DOWN", "the consumer ended");
    const subscription = newSubscription(topic, selector, messagesMax, run, host.clock.wallMs(), namespace);
    if ((consumption.kind ?? kind) !== kind) {
      throw new OrbitError(
        "INVALID_ARGUMENT",
        `the consumer's listeners are ${consumption.kind}; give it no other kind`,
      );
    }
    consumption.kind = kind;
    topics.add(subscription);
    if (state !== "running") return;
    instance.background("subscription", () => checkWithBroker(instance, settings.group, subscription.data));
    topics.joinLate(subscription);
  }
}
