/**
 * The one member of a group that pops in order: each queue's messages one batch after the other, by attempts that it
 * repeats as long as it does not know how they ended, after its own death too. Now and then it asks twice at once, as
 * a client does whose answer is late, and loses the first answer.
 */
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { ResponseCode } from "@orbitmq/wire";
import { type QueueKey, queueKey } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import { type BrokerAt, MAYBE, PopClient, type Popped } from "./pop-client.ts";
import { acknowledgePopped, type PopPlan } from "./poppers.ts";
import { sleep } from "./producer-node.ts";
import type { Place } from "./queue-reader.ts";

/** Its group. */
export const POP_IN_ORDER = "poppers-in-order";
const INVISIBLE_MS = 20_000;
/** Answers to a pop that was run to its end. */
const ANSWERS: ReadonlySet<number | undefined> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.POLLING_TIMEOUT,
]);

export class PopInOrderNode extends SimNode {
  readonly #plan: PopPlan;
  readonly #places: () => readonly Place[];
  /** The process a broker is now. */
  /** What it has acknowledged without an answer yet. */
  #asked: { readonly queue: QueueKey; readonly offset: number; readonly id: string } | undefined;
  readonly #hostOf: (brokerName: string) => SimHost | undefined;
  /** Queue → the attempt whose end is not known. */
  readonly #attempts = new Map<string, string>();
  #attemptIds = 0;
  /** The process, in the history. */
  #by: string | undefined;

  constructor(
    context: NodeContext,
    machine: SimMachine,
    name: string,
    plan: PopPlan,
    places: () => readonly Place[],
    hostOf: (brokerName: string) => SimHost | undefined,
  ) {
    super(context, machine, name);
    this.#plan = plan;
    this.#places = places;
    this.#hostOf = hostOf;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const { factory, group, topic } = this.#plan;
    const client = new PopClient(host, factory, group, topic);
    this.#by = `${this.name} p${host.id}`;
    for (;;) {
      await sleep(host, this.#plan.isCalm ? 30 : random.between(30, 300));
      const places = this.#places().filter((place) => place.topic === topic);
      if (places.length > 0) await this.#visit(host, client, random.pick(places));
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {
    const { recorder } = this.context;
    const { group } = this.#plan;
    const by = this.#by;
    if (by === undefined) return;
    // Nobody knows whether the broker has taken its last acknowledgement.
    if (this.#asked !== undefined)
      recorder.add({ kind: "listened", group, by, ...this.#asked, success: true });
    recorder.add({ kind: "member-ended", by });
    this.#by = undefined;
    this.#asked = undefined;
  }

  async #visit(host: SimHost, client: PopClient, place: Place): Promise<void> {
    const { queueId, brokerName, address } = place;
    const queue = queueKey(place.topic, brokerName, queueId);
    let attemptId = this.#attempts.get(queue);
    if (attemptId === undefined) {
      attemptId = `attempt-${this.#attemptIds++}`;
      this.#attempts.set(queue, attemptId);
    }
    const messages = await this.#pop(client, { name: brokerName, address }, queueId, attemptId);
    for (const message of messages) {
      if (!(await this.#treat(host, client, message, queue))) return;
    }
    if (messages.length > 0) this.#attempts.delete(queue);
  }

  async #pop(
    client: PopClient,
    broker: BrokerAt,
    queueId: number,
    attemptId: string,
  ): Promise<readonly Popped[]> {
    const { random, recorder } = this.context;
    const maxMsgNums = this.#plan.isCalm ? 16 : random.between(1, 4);
    const ask = { queueId, maxMsgNums, invisibleTime: INVISIBLE_MS, pollTime: 500, attemptId };
    if (!random.chance(0.3)) return (await client.pop(broker, ask)).messages;
    const asked = this.#hostOf(broker.name);
    const failures = this.#readFailures;
    const [lost, second] = await Promise.all([client.pop(broker, ask), client.pop(broker, ask)]);
    let again = second;
    // Both waited, and what came went to the first alone.
    if (lost.messages.length > 0 && again.messages.length === 0) again = await client.pop(broker, ask);
    // One that has no answer may still be reading, and hold its messages from the next.
    const isAnswered = ANSWERS.has(second.code) && ANSWERS.has(again.code);
    const isSame =
      asked !== undefined && this.#hostOf(broker.name) === asked && failures === this.#readFailures;
    if (isAnswered && lost.messages.length > 0 && isSame) {
      const missing = lost.messages.find(({ id }) => again.messages.every((message) => message.id !== id));
      const { group } = this.#plan;
      recorder.add({ kind: "attempt-repeated", group, broker: broker.name, attemptId, missing: missing?.id });
    }
    return again.messages;
  }

  /** How often a disk has failed to give what it has. */
  get #readFailures(): number {
    const { faults } = this.context.world;
    return (faults.get("read-eio") ?? 0) + (faults.get("emfile") ?? 0);
  }

  /** False: its end is not known. */
  async #treat(host: SimHost, client: PopClient, message: Popped, queue: QueueKey): Promise<boolean> {
    const { random, recorder } = this.context;
    const { group, isCalm } = this.#plan;
    const { id, offset } = message;
    const by = `${this.name} p${host.id}`;
    recorder.add({ kind: "listening", group, by, queue, offset, id });
    if (!isCalm && random.chance(0.3)) await sleep(host, random.between(1, 800));
    this.#asked = { queue, offset, id };
    const code = await acknowledgePopped(this.#plan, client, message);
    this.#asked = undefined;
    const success = MAYBE.has(code);
    recorder.add({ kind: "listened", group, by, queue, offset, id, success });
    return code === ResponseCode.SUCCESS;
  }
}
