/**
 * The topics a push consumer listens to, and the retry topics that come with them: what it tells brokers it subscribes
 * to, and the member that holds queues of each. A topic is
 *
 *   listened to   its listener was given; joined once the consumer runs
 *   joined        its member takes part in dividing the queues
 *   left          nobody listens any more; what was popped may still be with its listener until the consumer ends
 */
import { type ConsumerData, popNormalTopicOf } from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { retryTopicOf } from "../names/names.ts";
import { consumerData } from "./consumer-data.ts";
import type { ConsumerSettings } from "./consumer-settings.ts";
import type { ListeningContext } from "./listening/listening-context.ts";
import type { OffsetStore } from "./offsets/offset-store.ts";
import type { PopQueue } from "./pop/pop-queue.ts";
import { PopRetryTopics } from "./pop/pop-retry-topics.ts";
import type { QueueConsumer } from "./queue/queue-consumer.ts";
import { TopicMember } from "./rebalance/topic-member.ts";
import { newSubscription, type Subscription } from "./subscription.ts";

export interface ListenedTopicsNeeds {
  readonly instance: ClientInstance;
  readonly settings: ConsumerSettings;
  readonly offsets: () => OffsetStore;
  readonly context: () => ListeningContext;
}

export class ListenedTopics {
  readonly #needs: ListenedTopicsNeeds;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Messages that members of the group sent back for a retry; they go to their own topic's listener. */
  readonly #retrySubscription: Subscription;
  readonly #popRetries: PopRetryTopics;
  readonly #left: TopicMember[] = [];
  readonly #members = new Map<string, TopicMember>();

  constructor(needs: ListenedTopicsNeeds) {
    this.#needs = needs;
    const { instance, settings } = needs;
    const { host, namespace } = instance;
    // Their messages go to their own topics' listeners.
    const ofRetries = (name: string) =>
      newSubscription(name, {}, 1, () => "RECONSUME_LATER", host.clock.wallMs(), namespace);
    this.#retrySubscription = ofRetries(retryTopicOf(settings.group));
    this.#popRetries = new PopRetryTopics({
      group: settings.group,
      newSubscription: ofRetries,
      join: (subscription) => this.joinLate(subscription),
      leave: (topic) => instance.background("leaving a retry topic", () => this.#leave(topic)),
    });
  }

  /** Whether the application listens to it. */
  has(topic: string): boolean {
    return this.#subscriptions.has(topic);
  }

  add(subscription: Subscription): void {
    this.#subscriptions.set(subscription.topic, subscription);
  }

  /** Resolves when what was consumed is committed. */
  async remove(topic: string): Promise<void> {
    if (!this.#subscriptions.delete(topic)) return;
    this.#popRetries.read(topic, false);
    await this.#leave(topic);
  }

  /** Takes part in all of them; `withRetries`: also in what was sent back. */
  join(withRetries: boolean): void {
    for (const subscription of this.#subscriptions.values()) this.#join(subscription);
    if (withRetries) this.#join(this.#retrySubscription);
  }

  /** Takes part in one while the consumer runs; the brokers hear of it at once. */
  joinLate(subscription: Subscription): void {
    const { instance } = this.#needs;
    const member = this.#join(subscription);
    instance.background("heartbeat", async () => {
      await instance.heartbeats.beatAll();
      member.wake();
    });
  }

  /** The brokers say how a topic's messages come. */
  pulled(topic: string, isPulled: boolean): void {
    if (this.#subscriptions.has(topic)) this.#popRetries.read(topic, isPulled);
  }

  /** What the application asked for. */
  get subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions.values()];
  }

  /** With the retry topics. */
  get allSubscriptions(): Subscription[] {
    const retries = this.#broadcasts ? [] : [this.#retrySubscription, ...this.#popRetries.subscriptions];
    return [...this.#subscriptions.values(), ...retries];
  }

  /** The one whose listener takes a message of `topic`. */
  subscriptionOf(topic: string): Subscription | undefined {
    const { group } = this.#needs.settings;
    return this.#subscriptions.get(topic) ?? this.#subscriptions.get(popNormalTopicOf(topic, group));
  }

  /** What heartbeats say. */
  consumerData(): ConsumerData {
    const subscriptions = this.allSubscriptions.map(({ data }) => data);
    return consumerData(this.#needs.settings, "CONSUME_PASSIVELY", subscriptions);
  }

  member(topic: string): TopicMember | undefined {
    return this.#members.get(topic);
  }

  get members(): readonly TopicMember[] {
    return [...this.#members.values()];
  }

  /** Without those of retry topics. */
  get userMembers(): TopicMember[] {
    return this.members.filter((member) => this.#subscriptions.has(member.topic));
  }

  get queues(): QueueConsumer[] {
    return this.members.flatMap((member) => [...member.queues]);
  }

  get popQueues(): PopQueue[] {
    return this.members.flatMap((member) => [...member.popQueues]);
  }

  wake(): void {
    for (const member of this.#members.values()) member.wake();
  }

  /** Stops pulling; returns the queues that were held. */
  stop(): QueueConsumer[] {
    return this.members.flatMap((member) => member.stop());
  }

  close(): void {
    for (const member of [...this.#members.values(), ...this.#left]) member.close();
  }

  get #broadcasts(): boolean {
    return this.#needs.settings.messageModel === "BROADCASTING";
  }

  async #leave(topic: string): Promise<void> {
    const member = this.#members.get(topic);
    if (member === undefined) return;
    this.#members.delete(topic);
    this.#left.push(member);
    await member.leave();
    await this.#needs.instance.heartbeats.beatAll();
  }

  #join(subscription: Subscription): TopicMember {
    const { context, offsets } = this.#needs;
    const member = new TopicMember(context(), offsets(), subscription);
    this.#members.set(subscription.topic, member);
    return member;
  }
}
