/** A member of the consumer group: sees, works for a while, sometimes fails, sometimes dies in the middle. */
import type { ReceivedMessage } from "@orbitmq/client";
import { PushConsumer } from "@orbitmq/client/internal";
import type { Logger } from "@orbitmq/host";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { queueKey } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";
import { sleep } from "./producer-node.ts";

export const GROUP = "workers";

export interface ConsumePlan {
  readonly topics: readonly string[];
  readonly namesrv: readonly string[];
  readonly factory: MessageFactory;
  readonly logger: Logger;
  /** In the quiet phase listeners neither dawdle nor fail. */
  calm: boolean;
  /** Ids consumed with success so far. */
  readonly consumed: Set<string>;
}

export class ConsumerNode extends SimNode {
  readonly #plan: ConsumePlan;
  #consumer: PushConsumer | undefined;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: ConsumePlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const consumer = new PushConsumer(host, {
      group: GROUP,
      namesrv: this.#plan.namesrv,
      waitForever: true,
      from: "first",
      reconsumeDelayMs: 1_000,
      onSentBack: ({ queue: { topic, brokerName, queueId }, queueOffset: offset }) => {
        const queue = queueKey(topic, brokerName, queueId);
        this.context.recorder.add({ kind: "sent-back", group: GROUP, queue, offset });
      },
      logger: this.#plan.logger,
    });
    this.#consumer = consumer;
    for (const topic of this.#plan.topics) consumer.listen(topic, (message) => this.#listen(host, message));
    await consumer.start();
  }

  protected async finish(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.shutdown({ deadlineMs: 5_000 });
  }

  protected forget(): void {
    this.#consumer = undefined;
  }

  async #listen(
    host: SimHost,
    message: ReceivedMessage<unknown>,
  ): Promise<"CONSUME_SUCCESS" | "RECONSUME_LATER"> {
    const { random, recorder } = this.context;
    const { factory, calm, consumed } = this.#plan;
    const id = factory.idOf(message.body);
    const queue = queueKey(message.queue.topic, message.queue.brokerName, message.queue.queueId);
    const offset = message.queueOffset;
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
    const survives = this.context.survives(message.queue.brokerName, message.physicalOffset);
    recorder.add({ kind: "seen", by: this.name, queue, offset, id, copy, intact, survives });
    if (!calm) {
      const choice = random.float();
      if (choice < 0.4) await sleep(host, random.between(1, 20));
      else if (choice < 0.45) await sleep(host, random.between(20, 2_500));
    }
    const success = calm || !random.chance(0.02);
    recorder.add({ kind: "listened", group: GROUP, queue, offset, id, success });
    if (success && id !== undefined) consumed.add(id);
    if (!success && random.chance(0.5)) throw new Error("the listener failed on purpose");
    return success ? "CONSUME_SUCCESS" : "RECONSUME_LATER";
  }
}
