/**
 * A group whose listener never succeeds: messages are sent back until they have had all their attempts and lie
 * in the dead-letter topic. It speaks as the simplest of consumers would: raw pulls and CONSUMER_SEND_MSG_BACK,
 * with offsets that are its own.
 *
 * A message goes: returned → retried (times 1 … max, each sent back again) → dead (times max + 1).
 */
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import {
  consumerSendMsgBackRequestHeader,
  decompressBody,
  type ExtSink,
  type MessageRecord,
  RequestCode,
  ResponseCode,
  RpcClient,
  WireError,
} from "@orbitmq/wire";
import { brokerOf } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";
import { sleep } from "./producer-node.ts";
import { messageIdOf, PullRefused, QueueReader } from "./queue-reader.ts";
import type { IsLost, Workload } from "./workload.ts";

const GROUP = "returners";
/** Attempts after the first. */
export const RETRIES = 2;
const TIMEOUT_MS = 3_000;
/** One second. */
const DELAY_LEVEL = 1;
const BATCH_MAX = 8;

export interface DeadLetterPlan {
  readonly brokers: readonly { readonly name: string; readonly address: string }[];
  readonly factory: MessageFactory;
  /** Messages that are still to be returned. */
  left: number;
  isCalm: boolean;
  /** Acknowledged returns that did not end yet, `id broker`. */
  readonly awaited: Map<string, { readonly id: string; readonly broker: string; readonly sinceMs: number }>;
  readonly dead: Set<string>;
  /** Topic and broker → next offset. */
  readonly cursors: Map<string, number>;
}

export class DeadLetters implements Workload {
  readonly nodes: readonly SimNode[];
  readonly #plan: DeadLetterPlan;

  constructor(
    context: NodeContext,
    machine: SimMachine,
    plan: Pick<DeadLetterPlan, "brokers" | "factory" | "left">,
  ) {
    this.#plan = { ...plan, isCalm: false, awaited: new Map(), dead: new Set(), cursors: new Map() };
    this.nodes = [new ReturnerNode(context, machine, "returner", this.#plan)];
  }

  calm(): void {
    this.#plan.left = 0;
    this.#plan.isCalm = true;
  }

  missing(isLost: IsLost): string | undefined {
    for (const { id, broker, sinceMs } of this.#plan.awaited.values()) {
      if (!isLost(broker, sinceMs)) return `${id} was sent back to ${broker} and is no dead letter`;
    }
    return undefined;
  }
}

class ReturnerNode extends SimNode {
  readonly #plan: DeadLetterPlan;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: DeadLetterPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const plan = this.#plan;
    const rpc = new RpcClient(host);
    const reader = new QueueReader(this.context, host, this.name, plan.factory);
    for (;;) {
      await sleep(host, plan.isCalm ? 300 : random.between(300, 2_500));
      try {
        if (plan.left > 0) await this.#returnOne(rpc);
        if (plan.awaited.size === 0) continue;
        const { name, address } = random.pick(plan.brokers);
        const place = { queueId: 0, brokerName: name, address };
        await this.#follow(reader, { ...place, topic: `%RETRY%${GROUP}` }, async (record, id) => {
          const times = record.reconsumeTimes;
          this.context.recorder.add({ kind: "returned", step: "retried", id, broker: name, times });
          return this.#sendBack(rpc, address, record.physicalOffset, messageIdOf(record));
        });
        await this.#follow(reader, { ...place, topic: `%DLQ%${GROUP}` }, async (record, id) => {
          const times = record.reconsumeTimes;
          this.context.recorder.add({ kind: "returned", step: "dead", id, broker: name, times });
          plan.awaited.delete(`${id} ${name}`);
          plan.dead.add(`${id} ${name}`);
          return true;
        });
      } catch (error) {
        // The broker is away, or has no such topic yet; another time.
        if (!(error instanceof WireError || error instanceof PullRefused)) throw error;
      }
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {}

  async #returnOne(rpc: RpcClient): Promise<void> {
    const { random, recorder } = this.context;
    const { brokers, awaited, dead } = this.#plan;
    const seen = recorder.seen.length > 0 ? random.pick(recorder.seen) : undefined;
    const broker = brokers.find(({ name }) => seen !== undefined && name === brokerOf(seen.queue));
    // One that another group sent back counts as tried already.
    if (seen?.id === undefined || broker === undefined || seen.queue.startsWith("%RETRY%")) return;
    const { id } = seen;
    this.#plan.left--;
    recorder.add({ kind: "returned", step: "asked", id, broker: broker.name, times: 0 });
    if (!(await this.#sendBack(rpc, broker.address, Number(seen.copy), seen.msgId))) return;
    recorder.add({ kind: "returned", step: "acknowledged", id, broker: broker.name, times: 0 });
    if (!dead.has(`${id} ${broker.name}`)) {
      awaited.set(`${id} ${broker.name}`, { id, broker: broker.name, sinceMs: this.context.world.nowMs });
    }
  }

  /** Whether the broker says that it has taken the message back. */
  #sendBack(
    rpc: RpcClient,
    address: string,
    offset: number,
    originMsgId: string | undefined,
  ): Promise<boolean> {
    const header = (sink: ExtSink) =>
      consumerSendMsgBackRequestHeader.encode(
        { offset, group: GROUP, delayLevel: DELAY_LEVEL, originMsgId, maxReconsumeTimes: RETRIES },
        sink,
      );
    const request = { code: RequestCode.CONSUMER_SEND_MSG_BACK, header };
    return new Promise((resolve) =>
      rpc.request(address, request, TIMEOUT_MS, (_error, response) =>
        resolve(response?.code === ResponseCode.SUCCESS),
      ),
    );
  }

  /** Reads on in a queue; a message that `done` does not take is met again the next time. */
  async #follow(
    reader: QueueReader,
    place: Parameters<QueueReader["records"]>[0],
    done: (record: MessageRecord, id: string) => Promise<boolean>,
  ): Promise<void> {
    const { cursors, factory } = this.#plan;
    const key = `${place.topic} ${place.brokerName}`;
    const cursor = cursors.get(key) ?? 0;
    const { records, minOffset } = await reader.records(place, cursor, BATCH_MAX);
    // What was there has been removed for its age.
    if (cursor < minOffset) cursors.set(key, minOffset);
    for (const record of records) {
      const id = factory.idOf(decompressBody(record.body, record.sysFlag));
      if (id !== undefined && !(await done(record, id))) return;
      cursors.set(key, record.queueOffset + 1);
    }
  }
}
