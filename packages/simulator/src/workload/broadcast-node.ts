/**
 * A broadcasting push consumer, whose offsets lie in a file on its own machine. Its listeners work for a while and
 * sometimes fail, which nobody hears of: a message whose listener has ended, however, does not come again.
 */
import type { ReceivedMessage } from "@orbitmq/client";
import { PushConsumer } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { queueKey } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { ClientSetup } from "./client-modes.ts";
import type { PopPlan } from "./poppers.ts";
import { sleep } from "./producer-node.ts";

/** Its group. */
export const BROADCAST = "watchers";
/** Often, so that there is something to go on from. */
const PERSIST_INTERVAL_MS = 1_000;

export class BroadcastNode extends SimNode {
  readonly #plan: PopPlan;
  readonly #setup: ClientSetup;
  #consumer: PushConsumer | undefined;

  /** The plan's group is what the member is called in the history. */
  constructor(context: NodeContext, machine: SimMachine, name: string, plan: PopPlan, setup: ClientSetup) {
    super(context, machine, name);
    this.#plan = plan;
    this.#setup = setup;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { namesrv, logger } = this.#setup;
    const by = `${this.name} p${host.id}`;
    const consumer = new PushConsumer(host, {
      group: BROADCAST,
      messageModel: "BROADCASTING",
      namesrv,
      waitForever: true,
      from: "first",
      offsetPersistIntervalMs: PERSIST_INTERVAL_MS,
      concurrency: 4,
      logger: logger(this.name),
    });
    this.#consumer = consumer;
    consumer.listen(this.#plan.topic, (message) => this.#listen(host, by, message));
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

  async #listen(host: SimHost, by: string, message: ReceivedMessage): Promise<void> {
    const { random, recorder } = this.context;
    const { group, isCalm, done, factory } = this.#plan;
    const { topic, brokerName, queueId } = message.queue;
    const queue = queueKey(topic, brokerName, queueId);
    const offset = message.queueOffset;
    const id = factory.idOf(message.body);
    recorder.add({ kind: "listening", group, by, queue, offset, id });
    if (!isCalm) {
      const choice = random.float();
      if (choice < 0.5) await sleep(host, random.between(1, 50));
      else if (choice < 0.6) await sleep(host, random.between(50, 2_500));
    }
    recorder.add({ kind: "listened", group, by, queue, offset, id, success: true });
    done.add(`${id} ${brokerName}`);
    if (!isCalm && random.chance(0.05)) throw new Error("the listener failed on purpose");
  }
}
