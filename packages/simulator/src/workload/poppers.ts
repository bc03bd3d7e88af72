/**
 * Groups that pop, beside the ordinary one: every message of one topic must in the end be popped and acknowledged by
 * each of them; after an administrator has set a group back to the beginning, once more.
 *
 *   reset:  never
 *           wanted ──everything is acknowledged──▶ due ──▶ asked, by one member ──▶ done ──▶ never
 *                                                  due ◀── no, or no answer
 */
import { brokerOf, type HistoryEvent, topicOf } from "../checker/history.ts";
import type { NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";
import { type BrokerAt, MAYBE, type PopClient, type Popped } from "./pop-client.ts";
import type { IsLost, Workload } from "./workload.ts";

type Awaited = Extract<HistoryEvent, { kind: "acknowledged" }>;

/** Acknowledges a message, and notes that it is done, or may be. Returns the code of the answer. */
export async function acknowledgePopped(
  { done, asked }: PopPlan,
  client: PopClient,
  message: Popped,
): Promise<number | undefined> {
  const key = `${message.id} ${message.broker.name}`;
  asked.set(key, (asked.get(key) ?? 0) + 1);
  const code = await client.acknowledge(message);
  const left = (asked.get(key) ?? 1) - 1;
  if (left > 0) asked.set(key, left);
  else asked.delete(key);
  if (MAYBE.has(code)) done.add(key);
  return code;
}

/** What the members of a group have in common. */
export interface PopPlan {
  readonly group: string;
  readonly brokers: readonly BrokerAt[];
  readonly factory: MessageFactory;
  readonly topic: string;
  isCalm: boolean;
  /** Acknowledged, or perhaps: `id broker`. */
  readonly done: Set<string>;
  /** Acknowledgements without an answer yet, `id broker`; of a member that died they stay, and may have taken effect. */
  readonly asked: Map<string, number>;
  /** Members acknowledge some messages together. */
  readonly batches: boolean;
  reset: "never" | "wanted" | "due" | "asked" | "done";
}

export class Poppers implements Workload {
  readonly nodes: readonly SimNode[];
  readonly #plan: PopPlan;
  readonly #context: NodeContext;
  readonly #awaited = new Map<string, Awaited>();
  #read = 0;

  constructor(
    context: NodeContext,
    plan: Omit<PopPlan, "isCalm" | "done" | "asked">,
    members: (plan: PopPlan) => readonly SimNode[],
  ) {
    this.#context = context;
    this.#plan = { ...plan, isCalm: false, done: new Set(), asked: new Map() };
    this.nodes = members(this.#plan);
  }

  calm(): void {
    this.#plan.isCalm = true;
  }

  missing(isLost: IsLost): string | undefined {
    const { acknowledged } = this.#context.recorder;
    const plan = this.#plan;
    if (plan.reset === "done") {
      this.#read = 0;
      plan.reset = "never";
    }
    for (; this.#read < acknowledged.length; this.#read++) {
      const one = acknowledged[this.#read] as (typeof acknowledged)[number];
      if (topicOf(one.queue) === plan.topic) this.#awaited.set(`${one.id} ${brokerOf(one.queue)}`, one);
    }
    for (const [key, one] of this.#awaited) {
      const { id, queue, atMs } = one;
      const broker = brokerOf(queue);
      if (plan.done.has(key) || isLost(broker, atMs, one)) this.#awaited.delete(key);
      else if (!plan.asked.has(key))
        return `${id} on ${broker} is not popped and acknowledged by ${this.#plan.group}`;
    }
    if (plan.reset === "wanted") plan.reset = "due";
    return plan.reset === "due" || plan.reset === "asked" ? `${plan.group} is not set back yet` : undefined;
  }
}
