/**
 * Members of a group that pops: raw POP_MESSAGE, ACK_MESSAGE and CHANGE_MESSAGE_INVISIBLETIME, as a client sends
 * them. Some messages are acknowledged, some are given another time, some are left to come again by themselves.
 */
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import {
  ackMessageRequestHeader,
  changeInvisibleTimeRequestHeader,
  decompressBody,
  type ExtSink,
  formatReceiptHandle,
  getProperty,
  type MessageRecord,
  PROPERTY_POP_CK,
  parseReceiptHandle,
  parseStartOffsetInfo,
  popMessageRequestHeader,
  popMessageResponseHeader,
  popRetryTopicV1,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcClient,
  readRecords,
} from "@orbitmq/wire";
import { brokerOf, topicOf } from "../checker/history.ts";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";
import { sleep } from "./producer-node.ts";
import type { Workload } from "./workload.ts";

const GROUP = "poppers";
const TIMEOUT_MS = 3_000;
const MEMBERS = 2;
/** Answers, or none, to an acknowledgement that the broker may have taken. */
const MAYBE: ReadonlySet<number | undefined> = new Set([
  undefined,
  ResponseCode.SUCCESS,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.FLUSH_DISK_TIMEOUT,
]);

export interface PopPlan {
  readonly brokers: readonly { readonly name: string; readonly address: string }[];
  readonly factory: MessageFactory;
  readonly topic: string;
  isCalm: boolean;
  /** Acknowledged by this group, or perhaps: `id broker`. */
  readonly done: Set<string>;
}

interface Popped {
  readonly id: string;
  readonly broker: string;
  readonly address: string;
  /** Where it lies. */
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly handle: string;
}

export class Poppers implements Workload {
  readonly nodes: readonly SimNode[];
  readonly #plan: PopPlan;
  readonly #context: NodeContext;
  readonly #awaited = new Map<
    string,
    { readonly id: string; readonly broker: string; readonly atMs: number }
  >();
  #read = 0;

  constructor(
    context: NodeContext,
    machine: SimMachine,
    plan: Pick<PopPlan, "brokers" | "factory" | "topic">,
  ) {
    this.#context = context;
    this.#plan = { ...plan, isCalm: false, done: new Set() };
    this.nodes = Array.from(
      { length: MEMBERS },
      (_, index) => new PopNode(context, machine, `popper-${index}`, this.#plan),
    );
  }

  calm(): void {
    this.#plan.isCalm = true;
  }

  missing(isLost: (broker: string, sinceMs: number) => boolean): string | undefined {
    const { acknowledged } = this.#context.recorder;
    for (; this.#read < acknowledged.length; this.#read++) {
      const { id, queue, atMs } = acknowledged[this.#read] as (typeof acknowledged)[number];
      const broker = brokerOf(queue);
      if (topicOf(queue) === this.#plan.topic) this.#awaited.set(`${id} ${broker}`, { id, broker, atMs });
    }
    for (const [key, { id, broker, atMs }] of this.#awaited) {
      if (this.#plan.done.has(key) || isLost(broker, atMs)) this.#awaited.delete(key);
      else return `${id} on ${broker} is not popped and acknowledged`;
    }
    return undefined;
  }
}

class PopNode extends SimNode {
  readonly #plan: PopPlan;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: PopPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { random } = this.context;
    const rpc = new RpcClient(host);
    for (;;) {
      await sleep(host, this.#plan.isCalm ? 100 : random.between(50, 1_000));
      const { name, address } = random.pick(this.#plan.brokers);
      const popped = await this.#pop(rpc, name, address);
      for (const message of popped) await this.#treat(host, rpc, message);
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {}

  async #pop(rpc: RpcClient, broker: string, address: string): Promise<readonly Popped[]> {
    const { random, world, recorder } = this.context;
    const { topic, isCalm } = this.#plan;
    const invisibleTime = isCalm ? 10_000 : random.between(1_000, 5_000);
    const askedMs = world.nowMs;
    const header = (sink: ExtSink) =>
      popMessageRequestHeader.encode(
        {
          consumerGroup: GROUP,
          topic,
          queueId: -1,
          maxMsgNums: isCalm ? 32 : random.between(1, 8),
          invisibleTime,
          pollTime: isCalm || random.chance(0.5) ? 0 : 1_000,
          bornTime: 0,
          initMode: 0,
          expType: undefined,
          exp: undefined,
          order: undefined,
          attemptId: undefined,
          brokerName: undefined,
        },
        sink,
      );
    const popped: Popped[] = [];
    await this.#ask(rpc, address, RequestCode.POP_MESSAGE, header, (response) => {
      for (const record of readRecords(Buffer.from(response.body), { checkCrc: true }))
        popped.push(this.#read(response, record, broker, address));
    });
    for (const { id } of popped)
      recorder.add({ kind: "popped", group: GROUP, broker, id, askedMs, invisibleMs: invisibleTime });
    return popped;
  }

  /** A message with its handle, built as a client builds it. */
  #read({ ext }: RemotingCommand, record: MessageRecord, broker: string, address: string): Popped {
    const { queueId, queueOffset: offset } = record;
    const { factory, topic } = this.#plan;
    const id = factory.idOf(decompressBody(record.body, record.sysFlag)) ?? "a message without an id";
    const known = getProperty(record.properties, PROPERTY_POP_CK);
    if (known !== undefined) {
      const isRetry = parseReceiptHandle(known).topicType !== 0;
      const liesIn = isRetry ? popRetryTopicV1(topic, GROUP) : topic;
      return { id, broker, address, topic: liesIn, queueId, offset, handle: known };
    }
    const { popTime, invisibleTime, reviveQid, startOffsetInfo } = popMessageResponseHeader.decode(ext);
    const start = parseStartOffsetInfo(startOffsetInfo).find(
      (entry) => entry.topicType === 0 && entry.queueId === queueId,
    );
    const handle = formatReceiptHandle({
      startOffset: start?.startOffset ?? offset,
      popTime,
      invisibleTime,
      reviveQueueId: reviveQid,
      topicType: 0,
      brokerName: broker,
      queueId,
      offset,
    });
    return { id, broker, address, topic, queueId, offset, handle };
  }

  async #treat(host: SimHost, rpc: RpcClient, message: Popped): Promise<void> {
    const { random } = this.context;
    const choice = this.#plan.isCalm ? 1 : random.float();
    if (choice < 0.12) return;
    if (choice < 0.3) await sleep(host, random.between(1, 1_500));
    if (choice < 0.2) {
      await this.#change(rpc, message, random.between(500, 4_000));
      return;
    }
    await this.#acknowledge(rpc, message);
  }

  async #acknowledge(rpc: RpcClient, message: Popped): Promise<void> {
    const { id, broker, address, topic, queueId, offset, handle } = message;
    const header = (sink: ExtSink) =>
      ackMessageRequestHeader.encode(
        { consumerGroup: GROUP, topic, queueId, offset, extraInfo: handle, brokerName: undefined },
        sink,
      );
    const code = await this.#ask(rpc, address, RequestCode.ACK_MESSAGE, header);
    if (MAYBE.has(code)) this.#plan.done.add(`${id} ${broker}`);
    if (code === ResponseCode.SUCCESS)
      this.context.recorder.add({ kind: "pop-acknowledged", group: GROUP, broker, id });
  }

  async #change(rpc: RpcClient, message: Popped, invisibleTime: number): Promise<void> {
    const { id, broker, address, topic, queueId, offset, handle } = message;
    const askedMs = this.context.world.nowMs;
    const header = (sink: ExtSink) =>
      changeInvisibleTimeRequestHeader.encode(
        {
          consumerGroup: GROUP,
          topic,
          queueId,
          offset,
          extraInfo: handle,
          invisibleTime,
          brokerName: undefined,
        },
        sink,
      );
    const code = await this.#ask(rpc, address, RequestCode.CHANGE_MESSAGE_INVISIBLETIME, header);
    const isTaken = code === ResponseCode.SUCCESS;
    // Without an answer nobody knows when it comes again.
    const invisibleMs = isTaken ? invisibleTime : 0;
    this.context.recorder.add({ kind: "pop-changed", group: GROUP, broker, id, askedMs, invisibleMs });
  }

  /** The code of the answer; `read` gets one that is a success. */
  #ask(
    rpc: RpcClient,
    address: string,
    code: number,
    header: (sink: ExtSink) => void,
    read?: (response: RemotingCommand) => void,
  ): Promise<number | undefined> {
    return new Promise((resolve) =>
      rpc.request(address, { code, header }, TIMEOUT_MS, (_error, response) => {
        if (response?.code === ResponseCode.SUCCESS) read?.(response);
        resolve(response?.code);
      }),
    );
  }
}
