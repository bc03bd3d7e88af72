/**
 * A member of the consumer group: sees, works for a while, sometimes fails, hangs or dies in the middle. Whether its
 * listeners run in order, which messages fail always and how many listeners hang, is the scenario's.
 */
import type { ReceivedMessage } from "@orbitmq/client";
import { PushConsumer } from "@orbitmq/client/internal";
import type { Logger } from "@orbitmq/host";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { SeededRandom } from "@orbitmq/host/sim";
import { queueKey } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { GroupPlan } from "../scenario.ts";
import type { MessageFactory } from "./message-factory.ts";
import { sleep } from "./producer-node.ts";

export const GROUP = "workers";

export interface ConsumePlan {
  readonly topics: readonly string[];
  readonly namesrv: readonly string[];
  readonly seed: number;
  readonly group: GroupPlan;
  readonly factory: MessageFactory;
  readonly logger: Logger;
  /** In the quiet phase listeners neither dawdle nor fail, but for messages that always do. */
  calm: boolean;
  /** Ids consumed with success so far, or given up for good. */
  readonly consumed: Set<string>;
  /** Queue and offset → how often the message there had been retried when it was first delivered. */
  readonly delivered: Map<string, number>;
  /** Ends the listeners that hang. */
  readonly hanging: Set<() => void>;
}

export class ConsumerNode extends SimNode {
  readonly #plan: ConsumePlan;
  #consumer: PushConsumer | undefined;
  /** The process, in the history. */
  #by: string | undefined;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: ConsumePlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { retries, inOrder, consumeTimeoutMs } = this.#plan.group;
    const by = `${this.name} p${host.id}`;
    this.#by = by;
    const consumer = new PushConsumer(host, {
      group: GROUP,
      maxReconsumeTimes: retries,
      consumeTimeoutMs,
      suspendCurrentQueueTimeMs: 300,
      namesrv: this.#plan.namesrv,
      waitForever: true,
      from: "first",
      reconsumeDelayMs: 1_000,
      onSentBack: (message) => this.#sentBack(message),
      logger: this.#plan.logger,
    });
    this.#consumer = consumer;
    for (const topic of this.#plan.topics) {
      if (inOrder) {
        consumer.listenOrderly(topic, async (message, { signal }) =>
          (await this.#listen(host, by, message, signal)) ? "SUCCESS" : "SUSPEND_CURRENT_QUEUE_A_MOMENT",
        );
      } else {
        consumer.listen(topic, async (message, { signal }) =>
          (await this.#listen(host, by, message, signal)) ? "CONSUME_SUCCESS" : "RECONSUME_LATER",
        );
      }
    }
    await consumer.start();
  }

  protected async finish(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.shutdown({ deadlineMs: 5_000 });
  }

  protected forget(): void {
    this.#consumer = undefined;
    if (this.#by !== undefined) this.context.recorder.add({ kind: "member-ended", by: this.#by });
    this.#by = undefined;
  }

  #sentBack({
    queue: { topic, brokerName, queueId },
    queueOffset: offset,
    body,
    reconsumeTimes,
  }: ReceivedMessage) {
    const { factory, group, consumed } = this.#plan;
    const queue = queueKey(topic, brokerName, queueId);
    const id = factory.idOf(body);
    // A message that could not be sent back is tried again where it is; the broker does not count that, but it believes
    // what comes as a message of its own.
    const stored = this.#plan.delivered.get(`${queue} ${offset}`) ?? reconsumeTimes;
    const times = group.inOrder ? reconsumeTimes : stored;
    const isUnsure = times !== reconsumeTimes && reconsumeTimes >= group.retries;
    this.context.recorder.add({ kind: "sent-back", group: GROUP, queue, offset, id, times, isUnsure });
    if (id !== undefined && reconsumeTimes >= group.retries) consumed.add(id);
  }

  /** Whether the message is consumed. */
  async #listen(
    host: SimHost,
    by: string,
    message: ReceivedMessage<unknown>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { random, recorder } = this.context;
    const { factory, calm, consumed, group } = this.#plan;
    const id = factory.idOf(message.body);
    const queue = queueKey(message.queue.topic, message.queue.brokerName, message.queue.queueId);
    const offset = message.queueOffset;
    const { delivered } = this.#plan;
    const place = `${queue} ${offset}`;
    delivered.set(place, Math.min(delivered.get(place) ?? message.reconsumeTimes, message.reconsumeTimes));
    const intact =
      id !== undefined &&
      factory.isIntact(id, {
        topic: message.topic,
        body: message.body,
        tag: message.tag,
        keys: message.keys.join(" "),
        properties: (name) => message.properties[name],
      });
    const copy = String(message.physicalOffset);
    const { msgId } = message;
    const survives = this.context.survives(message.queue.brokerName, message.physicalOffset);
    recorder.add({ kind: "seen", by: this.name, queue, offset, id, copy, msgId, intact, survives });
    recorder.add({ kind: "listening", group: GROUP, by, queue, offset, id });
    const hangs = !calm && group.hangShare > 0 && random.chance(group.hangShare);
    if (hangs) await this.#hang(host, signal);
    else if (!calm) {
      const choice = random.float();
      if (choice < 0.4) await sleep(host, random.between(1, 20));
      else if (choice < 0.45) await sleep(host, random.between(20, 2_500));
    }
    const success = !this.#isPoison(id) && (calm || !random.chance(hangs ? 0.7 : 0.02));
    recorder.add({ kind: "listened", group: GROUP, by, queue, offset, id, success });
    if (success && id !== undefined) consumed.add(id);
    if (!success && random.chance(0.5)) throw new Error("the listener failed on purpose");
    return success;
  }

  #isPoison(id: string | undefined): boolean {
    const { seed, group } = this.#plan;
    return id !== undefined && group.poisonShare > 0 && new SeededRandom(seed, id).chance(group.poisonShare);
  }

  /** Until somebody asks for an end. */
  #hang(host: SimHost, signal: AbortSignal): Promise<void> {
    const { hanging } = this.#plan;
    return new Promise((resolve) => {
      const end = () => {
        // In an event of its process, which may be dead by now.
        if (hanging.delete(end)) host.callLater(resolve);
      };
      hanging.add(end);
      signal.addEventListener("abort", end, { once: true });
    });
  }
}
