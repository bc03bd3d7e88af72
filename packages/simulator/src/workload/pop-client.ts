/** Raw POP_MESSAGE, ACK_MESSAGE and CHANGE_MESSAGE_INVISIBLETIME of one group, as a client sends them. */
import type { SimHost } from "@orbitmq/host/sim";
import {
  ackMessageRequestHeader,
  changeInvisibleTimeRequestHeader,
  decompressBody,
  type ExtSink,
  encodeBatchAckBody,
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
  resetOffsetRequestHeader,
} from "@orbitmq/wire";
import type { MessageFactory } from "./message-factory.ts";
import { batchAcks } from "./pop-batch.ts";

const TIMEOUT_MS = 3_000;

/** Answers, or none, to an acknowledgement that the broker may have taken. */
export const MAYBE: ReadonlySet<number | undefined> = new Set([
  undefined,
  ResponseCode.SUCCESS,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.FLUSH_DISK_TIMEOUT,
]);

export interface BrokerAt {
  readonly name: string;
  readonly address: string;
}

export interface PopAsk {
  /** -1: any. */
  readonly queueId: number;
  readonly maxMsgNums: number;
  readonly invisibleTime: number;
  readonly pollTime: number;
  /** In order, as this attempt. */
  readonly attemptId?: string;
}

export interface Popped {
  readonly id: string;
  readonly broker: BrokerAt;
  /** Where it lies. */
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly handle: string;
}

export class PopClient {
  readonly #rpc: RpcClient;
  readonly #factory: MessageFactory;
  readonly #group: string;
  readonly #topic: string;

  constructor(host: SimHost, factory: MessageFactory, group: string, topic: string) {
    this.#rpc = new RpcClient(host);
    this.#factory = factory;
    this.#group = group;
    this.#topic = topic;
  }

  /** The code of the answer, undefined without one, and its messages in their order. */
  async pop(
    broker: BrokerAt,
    ask: PopAsk,
  ): Promise<{ readonly code: number | undefined; readonly messages: readonly Popped[] }> {
    const { attemptId, ...fields } = ask;
    const header = (sink: ExtSink) =>
      popMessageRequestHeader.encode(
        {
          ...fields,
          consumerGroup: this.#group,
          topic: this.#topic,
          bornTime: 0,
          initMode: 0,
          expType: undefined,
          exp: undefined,
          order: attemptId !== undefined,
          attemptId,
          brokerName: undefined,
        },
        sink,
      );
    const messages: Popped[] = [];
    const code = await this.#ask(broker, RequestCode.POP_MESSAGE, header, (response) => {
      for (const record of readRecords(Buffer.from(response.body), { checkCrc: true }))
        messages.push(this.#read(response, record, broker));
    });
    return { code, messages };
  }

  acknowledge({ broker, topic, queueId, offset, handle }: Popped): Promise<number | undefined> {
    const header = (sink: ExtSink) =>
      ackMessageRequestHeader.encode(
        { consumerGroup: this.#group, topic, queueId, offset, extraInfo: handle, brokerName: undefined },
        sink,
      );
    return this.#ask(broker, RequestCode.ACK_MESSAGE, header);
  }

  /** Messages of one broker, by BATCH_ACK_MESSAGE. */
  acknowledgeAll(broker: BrokerAt, messages: readonly Popped[]): Promise<number | undefined> {
    const acks = batchAcks(this.#group, this.#topic, messages);
    const body = [encodeBatchAckBody({ brokerName: broker.name, acks })];
    return this.#ask(broker, RequestCode.BATCH_ACK_MESSAGE, () => {}, undefined, body);
  }

  change(
    { broker, topic, queueId, offset, handle }: Popped,
    invisibleTime: number,
  ): Promise<number | undefined> {
    const header = (sink: ExtSink) =>
      changeInvisibleTimeRequestHeader.encode(
        {
          consumerGroup: this.#group,
          topic,
          queueId,
          offset,
          extraInfo: handle,
          invisibleTime,
          brokerName: undefined,
        },
        sink,
      );
    return this.#ask(broker, RequestCode.CHANGE_MESSAGE_INVISIBLETIME, header);
  }

  /** Sets the group back to the first message of each queue, as an administrator. */
  reset(broker: BrokerAt): Promise<number | undefined> {
    const fields = { topic: this.#topic, group: this.#group, timestamp: 0, isForce: true };
    const header = (sink: ExtSink) =>
      resetOffsetRequestHeader.encode({ ...fields, queueId: undefined, offset: undefined }, sink);
    return this.#ask(broker, RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, header);
  }

  /** A message with its handle, built as a client builds it. */
  #read({ ext }: RemotingCommand, record: MessageRecord, broker: BrokerAt): Popped {
    const { queueId, queueOffset: offset } = record;
    const id = this.#factory.idOf(decompressBody(record.body, record.sysFlag)) ?? "a message without an id";
    const known = getProperty(record.properties, PROPERTY_POP_CK);
    if (known !== undefined) {
      const isRetry = parseReceiptHandle(known).topicType !== 0;
      const topic = isRetry ? popRetryTopicV1(this.#topic, this.#group) : this.#topic;
      return { id, broker, topic, queueId, offset, handle: known };
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
      brokerName: broker.name,
      queueId,
      offset,
    });
    return { id, broker, topic: this.#topic, queueId, offset, handle };
  }

  /** The code of the answer, `undefined` when there is none or it leaves the outcome open; `read` gets a success. */
  #ask(
    { address }: BrokerAt,
    code: number,
    header: (sink: ExtSink) => void,
    read?: (response: RemotingCommand) => void,
    body: readonly Uint8Array[] = [],
  ): Promise<number | undefined> {
    return new Promise((resolve) =>
      this.#rpc.request(address, { code, header, body }, TIMEOUT_MS, (_error, response) => {
        if (response?.code === ResponseCode.SUCCESS) read?.(response);
        resolve(response?.ext.get("outcome") === "unknown" ? undefined : response?.code);
      }),
    );
  }
}
