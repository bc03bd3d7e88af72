/**
 * This consumer's part in one topic: finds the topic's route, divides its queues with the other clients of the
 * group, and holds its share (RocketMQ: RebalanceImpl.rebalanceByTopic). Steps run one at a time; a wish that
 * comes during a step is one more step after it.
 *
 *   absent ──route found──▶ divided ──something changed, or 20 s──▶ divided
 *      ╰─asked again after 100 ms, growing to about 1 s     ╰─a step failed: again after 100 ms, growing to 1 s
 *
 * A topic whose route was just found is looked at again soon: other brokers may be about to create it, too.
 */
import type { TimerHandle } from "@orbitmq/host";
import {
  getConsumerListByGroupRequestHeader,
  type MessageQueue,
  type MessageQueueAssignment,
  type MessageRequestMode,
  parseConsumerList,
  RequestCode,
  type TopicRouteData,
} from "@orbitmq/wire";
import { queueKey, subscribeQueues } from "../../connection/topic-queues.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import { RETRY_PREFIX } from "../../names/names.ts";
import { consumerDefaults } from "../consumer-options.ts";
import { isDate } from "../consumer-settings.ts";
import type { OffsetStore } from "../offsets/offset-store.ts";
import { queryAssignment } from "../pop/assignment.ts";
import type { PopQueue } from "../pop/pop-queue.ts";
import { PopQueues } from "../pop/pop-queues.ts";
import { type AssignedByBrokers, QueueConsumer, type QueueConsumerContext } from "../queue/queue-consumer.ts";
import type { Subscription } from "../subscription.ts";
import { allocateAveragely } from "./allocate-averagely.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";
import { rebalance, stepTo } from "./rebalance.ts";

const { routeRetryMinMs, routeRetryMaxMs } = consumerDefaults;
const STEP_RETRY_MIN_MS = 100;
const STEP_RETRY_MAX_MS = 1_000;
/** A new route is asked for again after the first, doubling up to the second, which is the route cache's own pace. */
const YOUNG_MIN_MS = 1_000;
const YOUNG_MAX_MS = 16_000;

type StepResult = "absent" | "divided" | "failed";

export class TopicMember {
  readonly subscription: Pick<Subscription, "topic" | "data">;
  readonly #context: QueueConsumerContext;
  readonly #offsets: OffsetStore;
  readonly #queues = new Map<string, QueueConsumer>();
  readonly #pops: PopQueues;
  /** Queues given up whose listener still runs. */
  readonly #leaving = new Set<string>();
  #result: StepResult | undefined;
  /** The topic was asked for and did not exist, so all its messages are newer than this consumer. */
  #bornLater = false;
  #stepping = false;
  #again = false;
  #asking = false;
  #pauseMs = 0;
  #satOut = false;
  #youngMs = YOUNG_MIN_MS;
  #timer: TimerHandle | undefined;
  #stopped = false;
  #firstStep: (() => void)[] = [];

  constructor(
    context: QueueConsumerContext,
    offsets: OffsetStore,
    subscription: Pick<Subscription, "topic" | "data">,
  ) {
    this.#context = context;
    this.#offsets = offsets;
    this.subscription = subscription;
    this.#pops = new PopQueues((queue) =>
      this.#context.assignedByBrokers()!.newPopQueue(queue, this.subscription.data),
    );
  }

  get topic(): string {
    return this.subscription.topic;
  }

  get queues(): Iterable<QueueConsumer> {
    return this.#queues.values();
  }

  get popQueues(): readonly PopQueue[] {
    return this.#pops.all;
  }

  /** No NameServer knows the topic. */
  get isAbsent(): boolean {
    return this.#result === "absent";
  }

  /** Its queues were divided at least once, or it does not exist. */
  get isReady(): boolean {
    return (
      this.#result === "divided" || this.#result === "absent" || this.#queues.size + this.#pops.all.length > 0
    );
  }

  /** Resolves after the first step, however it ended. */
  first(): Promise<void> {
    if (this.#result !== undefined || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => this.#firstStep.push(resolve));
  }

  /** The group, or the route, may have changed. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#stepping) this.#again = true;
    else this.#context.instance.background(`rebalance ${this.topic}`, () => this.#steps());
  }

  /** The topic has another route. A step that is just asking for it will see it. */
  routeChanged(): void {
    if (!this.#asking) this.wake();
  }

  /** Nobody listens any more: lets every queue go. Resolves when what was consumed is told. */
  async leave(): Promise<void> {
    const held = this.stop();
    const locks = this.#context.locks();
    for (const consumer of held) consumer.drop(new OrbitError("QUEUE_LOST", `${this.topic} is left`));
    if (locks !== undefined) await Promise.all(held.map((consumer) => consumer.idle()));
    await this.#offsets.persistAll(held);
    await locks?.unlock(held.map(({ queue }) => queue));
    this.#queues.clear();
  }

  /** Holds no queue from now on. Returns those held, which no longer pull. */
  stop(): QueueConsumer[] {
    this.#stopped = true;
    this.#timer?.cancel();
    const held = [...this.#queues.values()];
    this.#pops.stop();
    for (const queue of held) queue.stopPulling();
    for (const resolve of this.#firstStep.splice(0)) resolve();
    return held;
  }

  /** After {@link stop}, when no listener runs or none is waited for any more. */
  close(): void {
    this.#pops.close();
  }

  async #steps(): Promise<void> {
    this.#stepping = true;
    this.#timer?.cancel();
    try {
      do {
        this.#again = false;
        this.#result = await this.#step();
        for (const resolve of this.#firstStep.splice(0)) resolve();
      } while (this.#again && !this.#stopped);
    } finally {
      this.#stepping = false;
      if (!this.#stopped) this.#schedule();
    }
  }

  #schedule(): void {
    const { timers } = this.#context.instance.host;
    switch (this.#result) {
      case "absent": {
        // A group's retry topic appears when a broker has taken the heartbeat, or never: no hurry.
        const maxMs = this.topic.startsWith(RETRY_PREFIX) ? 30_000 : routeRetryMaxMs;
        // Only a pause that was sat out makes the next one longer: what wakes us meanwhile says nothing about the topic.
        if (this.#pauseMs === 0) this.#pauseMs = routeRetryMinMs;
        else if (this.#satOut) this.#pauseMs = Math.min(this.#pauseMs * 2, maxMs);
        this.#satOut = false;
        this.#timer = timers.after(this.#pauseMs, () => {
          this.#satOut = true;
          this.wake();
        });
        return;
      }
      case "divided":
        this.#pauseMs = 0;
        if (this.#youngMs > YOUNG_MAX_MS) return;
        this.#timer = timers.after(this.#youngMs, () => {
          this.#context.instance.routes.refreshInBackground(this.topic);
          this.#schedule();
        });
        this.#youngMs *= 2;
        return;
      default:
        this.#pauseMs = Math.min(
          this.#pauseMs === 0 ? STEP_RETRY_MIN_MS : this.#pauseMs * 2,
          STEP_RETRY_MAX_MS,
        );
        this.#timer = timers.after(this.#pauseMs, () => this.wake());
    }
  }

  async #step(): Promise<StepResult> {
    try {
      const route = await this.#route();
      if (route === undefined) {
        this.#bornLater = true;
        return "absent";
      }
      return (await this.#divide(route)) ? "divided" : "failed";
    } catch (error) {
      const { code, message } = fromUnknown(error);
      if (code !== "SHUT_DOWN") {
        const { logger } = this.#context.instance;
        logger.warn({ topic: this.topic, code }, `rebalance ${this.topic}: ${message}`);
      }
      return "failed";
    }
  }

  async #route(): Promise<TopicRouteData | undefined> {
    this.#asking = true;
    try {
      return await this.#context.instance.route(this.topic);
    } finally {
      this.#asking = false;
    }
  }

  async #divide(route: TopicRouteData): Promise<boolean> {
    const queues = subscribeQueues(this.topic, route);
    const brokers = this.#context.assignedByBrokers();
    if (brokers !== undefined) {
      const taken = await this.#takeAssigned(brokers, queues);
      if (taken !== undefined) return taken;
    }
    const clientIds = await this.#clientIds(new Set(queues.map(({ brokerName }) => brokerName)));
    if (this.#stopped || clientIds === undefined) return false;
    const { clientId } = this.#context.instance;
    const strategy = this.#strategy();
    const held = [...this.#queues.values()].map(({ queue }) => queue);
    const { drop, take } = rebalance({ strategy, queues, clientIds, clientId, held });
    for (const queue of drop) this.#drop(queue);
    return this.#take(take);
  }

  /** What brokers assign is taken as it is; `undefined`: they are of RocketMQ 4 and do not. */
  async #takeAssigned(
    brokers: AssignedByBrokers,
    queues: readonly MessageQueue[],
  ): Promise<boolean | undefined> {
    const { instance, settings } = this.#context;
    const names = [...new Set(queues.map(({ brokerName }) => brokerName))];
    let assigned: readonly MessageQueueAssignment[] | undefined;
    try {
      assigned = await queryAssignment(instance, settings, this.topic, names);
    } catch (error) {
      if (fromUnknown(error).code === "REQUEST_CODE_NOT_SUPPORTED") return undefined;
      throw error;
    }
    if (this.#stopped || assigned === undefined) return false;
    const of = (mode: MessageRequestMode) =>
      assigned.filter((entry) => entry.mode === mode).map(({ messageQueue }) => messageQueue);
    if (assigned.length > 0) brokers.modeOf(this.topic, of("POP").length > 0 ? "POP" : "PULL");
    this.#pops.assign(of("POP"));
    const held = [...this.#queues.values()].map(({ queue }) => queue);
    const { drop, take } = stepTo(of("PULL"), held);
    for (const queue of drop) this.#drop(queue);
    return this.#take(take);
  }

  /**
   * Every client of the group as a broker of the topic knows it; `undefined` when none does or says that this
   * client is one: then the queues held stay.
   */
  async #clientIds(brokerNames: ReadonlySet<string>): Promise<string[] | undefined> {
    if (this.#context.settings.messageModel === "BROADCASTING") return [this.#context.instance.clientId];
    if (brokerNames.size === 0) return [this.#context.instance.clientId];
    const { instance, settings } = this.#context;
    const names = [...brokerNames];
    const start = instance.host.random.int(names.length);
    let failure: OrbitError | undefined;
    for (let i = 0; i < names.length && !this.#stopped; i++) {
      const address = instance.routes.addressOf(names[(start + i) % names.length]!, 0)?.address;
      if (address === undefined || !(await instance.heartbeats.ensureKnown(address))) continue;
      try {
        const ids = await instance.ask(
          address,
          {
            code: RequestCode.GET_CONSUMER_LIST_BY_GROUP,
            header: (sink) =>
              getConsumerListByGroupRequestHeader.encode({ consumerGroup: settings.group }, sink),
          },
          (response) => parseConsumerList(response.body),
        );
        if (ids.includes(instance.clientId)) return ids;
        instance.heartbeats.forget(address);
      } catch (error) {
        failure = fromUnknown(error, address);
        instance.heartbeats.forget(address);
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** The queue's lock is gone: somebody else may have it. What was consumed since is not told to the broker. */
  lockLost(queue: MessageQueue): void {
    const consumer = this.#giveUp(queue, "the lock was lost");
    if (consumer === undefined) return;
    this.#leaveWhenIdle(consumer, async () => {});
    this.wake();
  }

  /** A broadcasting consumer has every queue. */
  #strategy(): AllocateStrategy {
    const { messageModel, allocateStrategy } = this.#context.settings;
    return messageModel === "BROADCASTING" ? allocateAveragely : allocateStrategy;
  }

  #drop(queue: MessageQueue): void {
    const { topic, brokerName, queueId } = queue;
    const consumer = this.#queues.get(queueKey(queue));
    const offset = consumer?.committableOffset ?? 0;
    if (this.#giveUp(queue, `${topic} ${brokerName} ${queueId} went to another consumer`) === undefined)
      return;
    const { instance } = this.#context;
    const locks = this.#context.locks();
    if (locks === undefined) {
      if (!this.#context.settings.autoCommit) return;
      instance.background("commit of a queue given up", () => this.#offsets.persistAt(consumer!, offset));
      return;
    }
    // Nobody else gets the queue before the listener has ended: how it ends counts.
    this.#leaveWhenIdle(consumer!, async () => {
      if (locks.isHeld(queue)) await this.#offsets.persist(consumer!);
      // One that ran out is forgotten, too: it would be renewed, and nobody else could ever have the queue.
      await locks.unlock([queue]);
    });
  }

  #giveUp(queue: MessageQueue, why: string): QueueConsumer | undefined {
    const key = queueKey(queue);
    const consumer = this.#queues.get(key);
    if (consumer === undefined) return undefined;
    this.#queues.delete(key);
    const { topic, brokerName, queueId } = queue;
    this.#context.instance.logger.info({ topic, brokerName, queueId }, "queue given up");
    consumer.drop(new OrbitError("QUEUE_LOST", why));
    return consumer;
  }

  #leaveWhenIdle(consumer: QueueConsumer, last: () => Promise<void>): void {
    const key = queueKey(consumer.queue);
    this.#leaving.add(key);
    this.#context.instance.background("giving up a queue", async () => {
      try {
        await consumer.idle();
        await last();
      } finally {
        this.#leaving.delete(key);
      }
    });
  }

  async #take(queues: readonly MessageQueue[]): Promise<boolean> {
    const { instance, settings } = this.#context;
    const locks = this.#context.locks();
    const newIn: Record<string, number> = {};
    const taken = await Promise.all(
      queues.map(async (queue) => {
        const { topic, brokerName, queueId } = queue;
        try {
          if (this.#leaving.has(queueKey(queue))) return undefined;
          // First the lock: before it is ours, another consumer may still move the offset.
          if (locks !== undefined && !(await locks.lock(queue))) return undefined;
          const start = await this.#offsets.start(queue, this.#bornLater);
          if (start.isNew) newIn[`${brokerName} ${queueId}`] = start.offset;
          return { queue, start };
        } catch (error) {
          const { code, message } = fromUnknown(error);
          if (code !== "SHUT_DOWN") {
            instance.logger.warn({ topic, brokerName, queueId, code }, `start offset: ${message}`);
          }
          await locks?.unlock([queue]);
          return undefined;
        }
      }),
    );
    if (this.#stopped) {
      await locks?.unlock(queues);
      return false;
    }
    if (Object.keys(newIn).length > 0) {
      const { group, from } = settings;
      const text = isDate(from) ? from.toISOString() : from;
      instance.logger.info(
        { group, topic: this.topic, from: text, offsets: newIn },
        `group ${group} is new in ${this.topic} and starts from ${this.#bornLater ? "first" : text}`,
      );
    }
    for (const entry of taken) {
      if (entry === undefined) continue;
      const { offset, isNew } = entry.start;
      const persisted = isNew ? -1 : offset;
      const consumer = new QueueConsumer(
        this.#context,
        entry.queue,
        this.subscription.data,
        offset,
        persisted,
        () => this.#queues.size,
      );
      this.#queues.set(queueKey(entry.queue), consumer);
      if (isNew) instance.background("commit of a start offset", () => this.#offsets.persist(consumer));
      consumer.start();
    }
    return !taken.includes(undefined);
  }
}
