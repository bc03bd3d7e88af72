/**
 * A simple consumer: receives some messages, and acknowledges them, changes when they come again, or leaves them to
 * come again by themselves.
 */
import { OrbitError, type ReceivedMessage } from "@orbitmq/client";
import { SimpleConsumer } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { ClientSetup } from "./client-modes.ts";
import { seePopped } from "./pop-push-node.ts";
import type { PopPlan } from "./poppers.ts";
import { sleep } from "./producer-node.ts";

/** An acknowledgement that fails sooner was not tried a second time. */
const TRIED_AGAIN_MS = 1_000;

interface Received {
  readonly message: ReceivedMessage;
  readonly id: string;
  readonly broker: string;
  readonly queue: string;
  readonly offset: number;
}

export class SimpleNode extends SimNode {
  readonly #plan: PopPlan;
  readonly #setup: ClientSetup;
  #consumer: SimpleConsumer | undefined;
  #by: string | undefined;
  /** What is being acknowledged. */
  #asked: Received | undefined;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: PopPlan, setup: ClientSetup) {
    super(context, machine, name);
    this.#plan = plan;
    this.#setup = setup;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const { group, topic } = this.#plan;
    const { namesrv, logger } = this.#setup;
    this.#by = `${this.name} p${host.id}`;
    const consumer = new SimpleConsumer(host, {
      group,
      namesrv,
      waitForever: true,
      from: "first",
      logger: logger(this.name),
    });
    this.#consumer = consumer;
    consumer.subscribe(topic);
    await consumer.start();
    while (consumer.state === "running") {
      await sleep(host, this.#plan.isCalm ? 100 : random.between(50, 1_000));
      for (const received of await this.#receive(consumer)) await this.#treat(host, consumer, received);
    }
  }

  protected async finish(): Promise<void> {
    await this.#consumer?.shutdown({ deadlineMs: 5_000 });
  }

  protected forget(): void {
    // Nobody knows whether the broker has taken its last acknowledgement.
    if (this.#asked !== undefined) this.#settled(this.#asked, true);
    this.#asked = undefined;
    this.#consumer = undefined;
    this.#by = undefined;
  }

  async #receive(consumer: SimpleConsumer): Promise<readonly Received[]> {
    const { random, world, recorder } = this.context;
    const { isCalm, group } = this.#plan;
    const invisibleMs = isCalm ? 10_000 : random.between(2_000, 6_000);
    const askedMs = world.nowMs;
    let messages: readonly ReceivedMessage[];
    try {
      messages = await consumer.receive({
        messagesMax: isCalm ? 32 : random.between(1, 8),
        invisibleMs,
        awaitMs: isCalm ? 500 : random.between(0, 1_500),
      });
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      return [];
    }
    return messages.map((message) => {
      const broker = message.queue.brokerName;
      const { id, queue, offset } = seePopped(this.context, this.#plan, this.name, message);
      recorder.add({ kind: "popped", group, broker, id, askedMs, invisibleMs });
      return { message, id, broker, queue, offset };
    });
  }

  async #treat(host: SimHost, consumer: SimpleConsumer, received: Received): Promise<void> {
    const { random } = this.context;
    const choice = this.#plan.isCalm ? 1 : random.float();
    if (choice < 0.12) return;
    if (choice < 0.3) await sleep(host, random.between(1, 1_500));
    if (choice < 0.2) await this.#change(consumer, received, random.between(500, 4_000));
    else await this.#acknowledge(consumer, received);
  }

  async #acknowledge(consumer: SimpleConsumer, received: Received): Promise<void> {
    const { recorder, world } = this.context;
    const { group } = this.#plan;
    const { message, id, broker } = received;
    const askedMs = world.nowMs;
    this.#asked = received;
    let isTaken = true;
    try {
      await consumer.ack(message);
      recorder.add({ kind: "pop-acknowledged", group, broker, id });
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      // The broker does not know it so; one that is asked again may have taken it the first time.
      isTaken = error.code !== "MESSAGE_ILLEGAL" || world.nowMs - askedMs >= TRIED_AGAIN_MS;
    }
    this.#asked = undefined;
    this.#settled(received, isTaken);
  }

  #settled({ id, broker, queue, offset }: Received, success: boolean): void {
    const { group, done } = this.#plan;
    const by = this.#by ?? this.name;
    this.context.recorder.add({ kind: "listened", group, by, queue, offset, id, success });
    if (success) done.add(`${id} ${broker}`);
  }

  async #change(consumer: SimpleConsumer, received: Received, invisibleTime: number): Promise<void> {
    const { recorder, world } = this.context;
    const { group } = this.#plan;
    const { message, id, broker } = received;
    const askedMs = world.nowMs;
    let invisibleMs = invisibleTime;
    try {
      await consumer.changeInvisible(message, invisibleTime);
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      // Nobody knows when it comes again.
      invisibleMs = 0;
    }
    recorder.add({ kind: "pop-changed", group, broker, id, askedMs, invisibleMs });
  }
}
