/**
 * An operator: looks at what brokers have parked, and has checked again (RESUME_CHECK_HALF_MESSAGE) what somebody can
 * tell about by then; some of the rest is decided by hand.
 */
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import {
  decompressBody,
  type ExtSink,
  encodeOffsetMessageId,
  type MessageRecord,
  RequestCode,
  ResponseCode,
  RpcClient,
  resumeCheckHalfMessageRequestHeader,
  WireError,
} from "@orbitmq/wire";
import { type NodeContext, SimNode } from "../../cluster/sim-node.ts";
import { sleep } from "../producer-node.ts";
import { PullRefused, QueueReader } from "../queue-reader.ts";
import type { TransactionPlan } from "./transaction-plan.ts";

export const PARKED_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";
const TIMEOUT_MS = 3_000;
const BATCH_MAX = 16;

interface Parked {
  readonly id: string;
  readonly broker: string;
  readonly address: string;
  readonly record: MessageRecord;
}

export class ParkedNode extends SimNode {
  readonly #plan: TransactionPlan;
  /** Broker → next offset. */
  readonly #cursors = new Map<string, number>();
  /** Not looked at by the operator yet, or not to be told about: by broker and position. */
  readonly #found = new Map<string, Parked>();
  readonly #known = new Set<string>();

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: TransactionPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const plan = this.#plan;
    const rpc = new RpcClient(host);
    const reader = new QueueReader(this.context, host, this.name, plan.factory);
    for (;;) {
      await sleep(host, plan.isCalm ? 300 : random.between(500, 5_000));
      if (plan.halves.size === 0) continue;
      for (const { name, address } of plan.isCalm ? plan.brokers : [random.pick(plan.brokers)]) {
        try {
          await this.#look(reader, name, address);
        } catch (error) {
          // The broker is away, or has parked nothing yet; another time.
          if (!(error instanceof WireError || error instanceof PullRefused)) throw error;
        }
      }
      if (!plan.isCalm) continue;
      for (const [copy, parked] of this.#found) await this.#resume(rpc, copy, parked);
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {}

  async #look(reader: QueueReader, broker: string, address: string): Promise<void> {
    const place = { topic: PARKED_TOPIC, queueId: 0, brokerName: broker, address };
    const cursor = this.#cursors.get(broker) ?? 0;
    const { records, minOffset, maxOffset } = await reader.records(place, cursor, BATCH_MAX);
    this.#cursors.set(broker, Math.min(Math.max(cursor, minOffset), maxOffset));
    for (const record of records) {
      this.#cursors.set(broker, record.queueOffset + 1);
      const id = this.#plan.factory.idOf(decompressBody(record.body, record.sysFlag));
      const copy = `${broker} ${record.physicalOffset}`;
      if (id === undefined || this.#known.has(copy)) continue;
      this.#known.add(copy);
      this.#found.set(copy, { id, broker, address, record });
      this.context.recorder.add({ kind: "parked", id, broker, copy: String(record.physicalOffset) });
    }
  }

  /** When somebody can tell about it; who is still at it may come to an end yet. */
  async #resume(rpc: RpcClient, copy: string, { id, broker, address, record }: Parked): Promise<void> {
    const { database } = this.#plan;
    if (database.isOpen(id)) {
      if (this.context.random.chance(0.5)) database.decide(id, "commit");
      else {
        this.#found.delete(copy);
        this.#plan.leftParked.add(id);
      }
    }
    // What nobody is at any more is rolled back, as a producer that is asked would say.
    if (database.answer(id) === undefined) return;
    this.#found.delete(copy);
    const msgId = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
    const header = (sink: ExtSink) => resumeCheckHalfMessageRequestHeader.encode({ msgId }, sink);
    const request = { code: RequestCode.RESUME_CHECK_HALF_MESSAGE, header };
    this.context.recorder.add({ kind: "resumed", id, broker });
    const code = await new Promise<number | undefined>((resolve) =>
      rpc.request(address, request, TIMEOUT_MS, (_error, response) => resolve(response?.code)),
    );
    // Whoever has no answer asks again, though it may be a second transaction.
    if (code === ResponseCode.SUCCESS || code === ResponseCode.SYSTEM_ERROR) return;
    this.#found.set(copy, { id, broker, address, record });
  }
}
