/**
 * A push consumer that lets brokers divide the queues, which say that they are popped. Its listeners work for a while,
 * sometimes fail, and sometimes take longer than a popped message stays invisible by itself.
 */
import type { ReceivedMessage } from "@orbitmq/client";
import { PushConsumer } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { PROPERTY_POP_CK, parseReceiptHandle, popTopicOfType } from "@orbitmq/wire";
import { queueKey } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { ClientSetup } from "./client-modes.ts";
import type { PopPlan } from "./poppers.ts";
import { sleep } from "./producer-node.ts";

/** The least a consumer may ask for. */
const INVISIBLE_MS = 5_000;

export class PopPushNode extends SimNode {
  readonly #plan: PopPlan;
  readonly #setup: ClientSetup;
  #consumer: PushConsumer | undefined;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: PopPlan, setup: ClientSetup) {
    super(context, machine, name);
    this.#plan = plan;
    this.#setup = setup;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { group, topic } = this.#plan;
    const { namesrv, logger } = this.#setup;
    const by = `${this.name} p${host.id}`;
    const consumer = new PushConsumer(host, {
      group,
      namesrv,
      waitForever: true,
      from: "first",
      clientRebalance: false,
      popInvisibleTimeMs: INVISIBLE_MS,
      logger: logger(this.name),
    });
    this.#consumer = consumer;
    consumer.listen(topic, (message) => this.#listen(host, by, message));
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
    by: string,
    message: ReceivedMessage,
  ): Promise<"CONSUME_SUCCESS" | "RECONSUME_LATER"> {
    const { random, recorder } = this.context;
    const { group, isCalm, done } = this.#plan;
    const { id, queue, offset } = seePopped(this.context, this.#plan, this.name, message);
    recorder.add({ kind: "listening", group, by, queue, offset, id });
    if (!isCalm) {
      const choice = random.float();
      if (choice < 0.4) await sleep(host, random.between(1, 50));
      else if (choice < 0.45) await sleep(host, random.between(50, 2_500));
      else if (choice < 0.47) await sleep(host, random.between(INVISIBLE_MS, 2 * INVISIBLE_MS));
    }
    const success = isCalm || !random.chance(0.04);
    recorder.add({ kind: "listened", group, by, queue, offset, id, success });
    if (success) done.add(`${id} ${message.queue.brokerName}`);
    else if (random.chance(0.5)) throw new Error("the listener failed on purpose");
    return success ? "CONSUME_SUCCESS" : "RECONSUME_LATER";
  }
}

/** Records that a popped message was seen, and tells where it lies, which may be a retry topic. */
export function seePopped(
  { recorder, survives: survivesAt }: NodeContext,
  { factory, group }: PopPlan,
  by: string,
  message: ReceivedMessage,
): { readonly id: string; readonly queue: string; readonly offset: number } {
  const { brokerName } = message.queue;
  const { topicType, queueId } = parseReceiptHandle(message.properties[PROPERTY_POP_CK] ?? "");
  const offset = message.queueOffset;
  const queue = queueKey(popTopicOfType(topicType, message.queue.topic, group), brokerName, queueId);
  const id = factory.idOf(message.body);
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
  const survives = survivesAt(brokerName, message.physicalOffset);
  recorder.add({ kind: "seen", by, queue, offset, id, copy, msgId, intact, survives });
  return { id: id ?? "a message without an id", queue, offset };
}
