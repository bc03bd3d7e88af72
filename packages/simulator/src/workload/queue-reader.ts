/**
 * Reads queues by raw pull requests, without a group's offsets: peeks at random places while the cluster is
 * under fire, and reads every queue from end to end when it is over.
 */
import type { SimHost } from "@orbitmq/host/sim";
import {
  decompressBody,
  type ExtSink,
  encodeOffsetMessageId,
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  getProperty,
  MessageConst,
  type MessageRecord,
  PullSysFlag,
  parseProperties,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  queryConsumerOffsetRequestHeader,
  queryConsumerOffsetResponseHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcClient,
  readRecords,
  responseCodeName,
  WireError,
} from "@orbitmq/wire";
import { LAST_READER, queueKey } from "../checker/history.ts";
import type { NodeContext } from "../cluster/sim-node.ts";
import type { MessageFactory } from "./message-factory.ts";

/** A queue and the broker it lies on. */
export interface Place {
  readonly topic: string;
  readonly queueId: number;
  readonly brokerName: string;
  readonly address: string;
}

interface Pulled {
  readonly code: number;
  readonly nextOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

const TIMEOUT_MS = 3_000;

/** Responses to a pull that say where to go on. */
const PULL_ANSWERS: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.PULL_NOT_FOUND,
  ResponseCode.PULL_RETRY_IMMEDIATELY,
  ResponseCode.PULL_OFFSET_MOVED,
]);

/** A broker did not want to answer a pull. */
export class PullRefused extends Error {
  constructor(code: number, remark: string | undefined) {
    super(`${responseCodeName(code) ?? code}: ${remark ?? ""}`);
  }
}

export class QueueReader {
  readonly #context: NodeContext;
  readonly #factory: MessageFactory;
  readonly #rpc: RpcClient;
  readonly #name: string;
  readonly #isLast: boolean;

  constructor(context: NodeContext, host: SimHost, name: string, factory: MessageFactory) {
    // After the last crash everything is on disk.
    this.#isLast = name === LAST_READER;
    this.#context = context;
    this.#factory = factory;
    this.#name = name;
    this.#rpc = new RpcClient(host);
  }

  /** One pull; everything it returns is recorded. Rejects with WireError when there is no answer. */
  pull(place: Place, offset: number, messagesMax: number): Promise<Pulled> {
    return this.#pull(place, offset, messagesMax, (body) => this.#record(place, body));
  }

  /** One pull; nothing is recorded. */
  async records(
    place: Place,
    offset: number,
    messagesMax: number,
  ): Promise<Pulled & { readonly records: readonly MessageRecord[] }> {
    let records: readonly MessageRecord[] = [];
    const pulled = await this.#pull(place, offset, messagesMax, (body) => {
      records = readRecords(Buffer.from(body), { checkCrc: true });
    });
    return { ...pulled, records };
  }

  #pull(
    place: Place,
    offset: number,
    messagesMax: number,
    take: (body: Uint8Array) => void,
  ): Promise<Pulled> {
    const header = (sink: ExtSink) =>
      pullMessageRequestHeader.encode(
        {
          consumerGroup: "readers",
          topic: place.topic,
          queueId: place.queueId,
          queueOffset: offset,
          maxMsgNums: messagesMax,
          sysFlag: PullSysFlag.SUBSCRIPTION,
          commitOffset: 0,
          suspendTimeoutMillis: 0,
          subscription: "*",
          subVersion: 0,
        },
        sink,
      );
    return this.#request(place.address, RequestCode.PULL_MESSAGE, header, (response) => {
      if (!PULL_ANSWERS.has(response.code)) throw new PullRefused(response.code, response.remark);
      const { nextBeginOffset, minOffset, maxOffset } = pullMessageResponseHeader.decode(response.ext);
      if (response.code === ResponseCode.SUCCESS) take(response.body);
      return { code: response.code, nextOffset: nextBeginOffset, minOffset, maxOffset };
    });
  }

  /** One past the last readable message. */
  maxOffset(place: Place): Promise<number> {
    const header = (sink: ExtSink) =>
      getMaxOffsetRequestHeader.encode({ topic: place.topic, queueId: place.queueId }, sink);
    return this.#request(
      place.address,
      RequestCode.GET_MAX_OFFSET,
      header,
      (response) => getMaxOffsetResponseHeader.decode(response.ext).offset,
    );
  }

  /** What the group has committed there; recorded. */
  async groupOffset(place: Place, group: string): Promise<void> {
    const { topic, queueId, brokerName } = place;
    const offset = await this.#committed(place, group);
    const queue = queueKey(topic, brokerName, queueId);
    this.#context.recorder.add({ kind: "group-offset", group, queue, offset });
  }

  /** What the group has committed, and then the queue's end; `isSame` tells whether one process answered both. */
  async offsetAndEnd(place: Place, group: string, isSame: () => boolean): Promise<void> {
    const offset = await this.#committed(place, group);
    const end = await this.maxOffset(place);
    if (offset === undefined || !isSame()) return;
    const queue = queueKey(place.topic, place.brokerName, place.queueId);
    this.#context.recorder.add({ kind: "offset-and-end", group, queue, offset, end });
  }

  #committed(place: Place, group: string): Promise<number | undefined> {
    const { topic, queueId } = place;
    const header = (sink: ExtSink) =>
      queryConsumerOffsetRequestHeader.encode({ consumerGroup: group, topic, queueId }, sink);
    const code = RequestCode.QUERY_CONSUMER_OFFSET;
    return this.#request(place.address, code, header, (response) =>
      response.code === ResponseCode.SUCCESS
        ? queryConsumerOffsetResponseHeader.decode(response.ext).offset
        : undefined,
    );
  }

  /** Reads the whole queue and records that it was drained. */
  async drain(place: Place): Promise<void> {
    let offset = 0;
    let from: number | undefined;
    for (;;) {
      const pulled = await this.pull(place, offset, 32);
      from ??= pulled.minOffset;
      if (pulled.nextOffset <= offset && offset >= from) {
        const queue = queueKey(place.topic, place.brokerName, place.queueId);
        this.#context.recorder.add({ kind: "drained", queue, from, to: pulled.maxOffset });
        return;
      }
      offset = Math.max(pulled.nextOffset, from);
    }
  }

  #record(place: Place, body: Uint8Array): void {
    const queue = queueKey(place.topic, place.brokerName, place.queueId);
    const { recorder } = this.#context;
    let records: MessageRecord[];
    try {
      records = readRecords(Buffer.from(body), { checkCrc: true });
    } catch (error) {
      const copy = error instanceof WireError ? error.message : String(error);
      const damaged = { id: undefined, copy, intact: false, survives: true };
      recorder.add({ kind: "seen", by: this.#name, queue, offset: -1, ...damaged });
      return;
    }
    for (const record of records) {
      const { id, intact } = recognise(this.#factory, record);
      const copy = String(record.physicalOffset);
      const msgId = messageIdOf(record);
      const survives = this.#isLast || this.#context.survives(place.brokerName, record.physicalOffset);
      const { queueOffset: offset } = record;
      recorder.add({ kind: "seen", by: this.#name, queue, offset, id, copy, msgId, intact, survives });
    }
  }

  #request<T>(
    address: string,
    code: number,
    header: (sink: ExtSink) => void,
    read: (response: RemotingCommand) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#rpc.request(address, { code, header }, TIMEOUT_MS, (error: WireError | undefined, response) => {
        if (response === undefined) reject(error);
        else {
          try {
            resolve(read(response));
          } catch (failure) {
            reject(failure);
          }
        }
      });
    });
  }
}

/** Which message a record is, and whether it is whole. */
export function recognise(
  factory: MessageFactory,
  record: MessageRecord,
): { id: string | undefined; intact: boolean } {
  const body = decompressBody(record.body, record.sysFlag);
  const id = factory.idOf(body);
  if (id === undefined) return { id, intact: false };
  const properties = parseProperties(record.properties);
  const intact = factory.isIntact(id, {
    topic: record.topic,
    body,
    tag: properties.get(MessageConst.TAGS),
    keys: properties.get(MessageConst.KEYS),
    properties: (name) => properties.get(name),
  });
  return { id, intact };
}

/** As clients name it: its producer's id, else where it lies. */
export function messageIdOf({ properties, storeHost, physicalOffset }: MessageRecord): string {
  const id = getProperty(properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX);
  return id ?? encodeOffsetMessageId(storeHost, physicalOffset);
}
