/**
 * A producer process: sends until the run's quota is used up, in one of three ways: waiting for each answer,
 * in bursts without waiting, in batches. Sends that its death leaves without an outcome stay unknown.
 */
import { type Message, OrbitError } from "@orbitmq/client";
import { Producer } from "@orbitmq/client/internal";
import type { Logger } from "@orbitmq/host";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { decodeOffsetMessageId } from "@orbitmq/wire";
import { queueKey } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";

/** What all producers of a run have in common. */
export interface SendPlan {
  /** Sends that are still to be begun. */
  left: number;
  readonly topics: readonly string[];
  readonly namesrv: readonly string[];
  readonly factory: MessageFactory;
  readonly logger: Logger;
  /** How long the average pause between two sends is; shrinks to nothing in the quiet phase. */
  pauseMs: number;
}

export type ProducerStyle = "waits" | "bursts" | "batches";

const SEND_TIMEOUT_MS = 3_000;
/** A send may take this much longer than its timeout before it counts as stuck. */
const SETTLE_SLACK_MS = 1_000;

export class ProducerNode extends SimNode {
  readonly style: ProducerStyle;
  readonly #plan: SendPlan;
  readonly #inFlight = new Map<string, number>();
  #producer: Producer | undefined;
  #sequence = 0;

  constructor(context: NodeContext, machine: SimMachine, name: string, style: ProducerStyle, plan: SendPlan) {
    super(context, machine, name);
    this.style = style;
    this.#plan = plan;
  }

  get sendsInFlight(): number {
    return this.#inFlight.size;
  }

  /** Reports sends that are overdue; asked regularly. */
  checkSettled(): void {
    const nowMs = this.context.world.nowMs;
    for (const [id, sentMs] of this.#inFlight) {
      const sinceMs = nowMs - Math.max(sentMs, this.pausedUntilMs);
      if (sinceMs <= SEND_TIMEOUT_MS + SETTLE_SLACK_MS) continue;
      this.#inFlight.delete(id);
      this.context.recorder.failure(
        "settles",
        `${this.name}: ${id} has no outcome after ${Math.round(sinceMs)} ms`,
      );
    }
  }

  protected async begin(host: SimHost): Promise<void> {
    const producer = new Producer(host, {
      namesrv: this.#plan.namesrv,
      waitForever: true,
      sendTimeoutMs: SEND_TIMEOUT_MS,
      group: "producers",
      logger: this.#plan.logger,
    });
    this.#producer = producer;
    await producer.start();
    for (;;) {
      await this.#pause(host);
      if (this.#plan.left <= 0) {
        await sleep(host, 500);
        continue;
      }
      await this.#sendSome(producer);
    }
  }

  protected async finish(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.shutdown({ deadlineMs: 4_000 });
  }

  protected forget(): void {
    this.#producer = undefined;
    this.#inFlight.clear();
  }

  async #pause(host: SimHost): Promise<void> {
    const { random } = this.context;
    const averageMs = this.#plan.pauseMs;
    // Mostly close together, sometimes apart.
    const pauseMs = random.chance(0.7) ? 0 : random.int(Math.max(1, Math.round(averageMs * 6)));
    if (pauseMs > 0) await sleep(host, pauseMs);
  }

  async #sendSome(producer: Producer): Promise<void> {
    const { random } = this.context;
    const topic = random.pick(this.#plan.topics);
    if (this.style === "waits") {
      const message = this.#create(topic, true);
      await this.#settled([message], producer.send(message));
      return;
    }
    const count = Math.min(this.#plan.left, random.between(1, 8));
    const messages = Array.from({ length: count }, () => this.#create(topic, false));
    if (this.style === "batches") {
      await this.#settled(messages, producer.send(messages));
      return;
    }
    await Promise.all(messages.map((message) => this.#settled([message], producer.send(message))));
  }

  #create(topic: string, waits: boolean): Message {
    this.#plan.left--;
    const id = `${this.name}-${String(this.#sequence++).padStart(4, "0")}`;
    const message = this.#plan.factory.create(id, topic);
    this.context.recorder.add({ kind: "send", id, producer: this.name, waits });
    this.#inFlight.set(id, this.context.world.nowMs);
    return message;
  }

  /** Records how a send ended, for every message of it. */
  async #settled(messages: readonly Message[], sending: ReturnType<Producer["send"]>): Promise<void> {
    const { recorder } = this.context;
    const ids = messages.map((message) => message.properties?.["id"] as string);
    try {
      const { queue, queueOffset, offsetMsgId } = await sending;
      const key = queueKey(queue.topic, queue.brokerName, queue.queueId);
      const offsetMsgIds = offsetMsgId.split(",");
      ids.forEach((id, index) => {
        const { physicalOffset } = decodeOffsetMessageId(offsetMsgIds[index] as string);
        const survives = this.context.survives(queue.brokerName, physicalOffset);
        recorder.add({ kind: "acknowledged", id, queue: key, offset: queueOffset + index, survives });
      });
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
      for (const id of ids) recorder.add({ kind: error.outcome, id, code: `${error.code} ${error.message}` });
    }
    for (const id of ids) this.#inFlight.delete(id);
  }
}

export function sleep(host: SimHost, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    host.timers.after(delayMs, resolve);
  });
}
