/**
 * A member of a group that pops. Some messages are acknowledged, some are given another time, some are left to come
 * again by themselves.
 */
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { ResponseCode } from "@orbitmq/wire";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import { acknowledgeSome, type PoppedTogether } from "./pop-batch-node.ts";
import { PopClient, type Popped } from "./pop-client.ts";
import { acknowledgePopped, type PopPlan } from "./poppers.ts";
import { sleep } from "./producer-node.ts";

/** It is done, or there is nothing to do. */
const RESET: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
]);

export class PopNode extends SimNode {
  readonly #plan: PopPlan;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: PopPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const { factory, group, topic } = this.#plan;
    const client = new PopClient(host, factory, group, topic);
    for (;;) {
      await sleep(host, this.#plan.isCalm ? 100 : random.between(50, 1_000));
      if (this.#plan.reset === "due") {
        this.#plan.reset = "asked";
        this.#plan.reset = (await this.#reset(client)) ? "done" : "due";
      }
      const popped = await this.#pop(client);
      if (this.#plan.batches && popped.messages.length > 1 && random.chance(0.6))
        await acknowledgeSome(this.context, this.#plan, host, client, popped);
      else for (const message of popped.messages) await this.#treat(host, client, message);
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {}

  /** Whether every broker has done it. */
  async #reset(client: PopClient): Promise<boolean> {
    const { brokers, group, done, asked } = this.#plan;
    // One broker has done it before the other is asked.
    this.context.recorder.add({ kind: "pop-reset", group });
    for (const broker of brokers) {
      // Others get its messages again, and acknowledge them, while the next broker is asked.
      for (const keys of [done, asked]) {
        for (const key of keys.keys()) if (key.endsWith(` ${broker.name}`)) keys.delete(key);
      }
      const code = await client.reset(broker);
      if (code === undefined || !RESET.has(code)) return false;
    }
    this.context.recorder.add({ kind: "pop-reset", group });
    return true;
  }

  async #pop(client: PopClient): Promise<PoppedTogether> {
    const { random, world, recorder } = this.context;
    const { isCalm, brokers, group } = this.#plan;
    const broker = random.pick(brokers);
    const invisibleMs = isCalm ? 10_000 : random.between(1_000, 5_000);
    const askedMs = world.nowMs;
    const { messages } = await client.pop(broker, {
      queueId: -1,
      maxMsgNums: isCalm ? 32 : random.between(1, 8),
      invisibleTime: invisibleMs,
      pollTime: isCalm || random.chance(0.5) ? 0 : 1_000,
    });
    for (const { id } of messages)
      recorder.add({ kind: "popped", group, broker: broker.name, id, askedMs, invisibleMs });
    return { broker, messages, untilMs: askedMs + invisibleMs };
  }

  async #treat(host: SimHost, client: PopClient, message: Popped): Promise<void> {
    const { random } = this.context;
    const choice = this.#plan.isCalm ? 1 : random.float();
    if (choice < 0.12) return;
    if (choice < 0.3) await sleep(host, random.between(1, 1_500));
    if (choice < 0.2) await this.#change(client, message, random.between(500, 4_000));
    else await this.#acknowledge(client, message);
  }

  async #acknowledge(client: PopClient, message: Popped): Promise<void> {
    const { group } = this.#plan;
    const { id, broker } = message;
    const code = await acknowledgePopped(this.#plan, client, message);
    if (code === ResponseCode.SUCCESS)
      this.context.recorder.add({ kind: "pop-acknowledged", group, broker: broker.name, id });
  }

  async #change(client: PopClient, message: Popped, invisibleTime: number): Promise<void> {
    const { id, broker } = message;
    const askedMs = this.context.world.nowMs;
    const code = await client.change(message, invisibleTime);
    // Without an answer nobody knows when it comes again.
    const invisibleMs = code === ResponseCode.SUCCESS ? invisibleTime : 0;
    const { group } = this.#plan;
    this.context.recorder.add({ kind: "pop-changed", group, broker: broker.name, id, askedMs, invisibleMs });
  }
}
