/** A room with real records, one topic of two queues, and what pops, acknowledges and changes as a client does. */
import {
  formatReceiptHandle,
  getProperty,
  MessageConst,
  newTopicConfig,
  parseMsgOffsetInfo,
  parseReceiptHandle,
  parseStartOffsetInfo,
  type ReceiptHandle,
  RequestCode,
  type RequestHandler,
  readRecords,
} from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { popRequestHandlers } from "../pop-request-handlers.ts";
import { answerTo, type BrokerRoom, brokerRoom, type RoomOptions } from "./broker-room.ts";
import { type Answer, call, type FakeExchange } from "./fake-exchange.ts";
import { FakePeer } from "./fake-peer.ts";

export const TOPIC = "orders";
export const GROUP = "billing";
export const RETRY_TOPIC = "%RETRY%billing_orders";

export interface Popped {
  readonly body: string;
  readonly handle: string;
  readonly queueId: number;
  readonly offset: number;
  readonly reconsumeTimes: number;
}

const POP = {
  consumerGroup: GROUP,
  topic: TOPIC,
  queueId: -1,
  maxMsgNums: 32,
  invisibleTime: 60_000,
  pollTime: 0,
  bornTime: 0,
  initMode: 0,
  expType: undefined as string | undefined,
  exp: undefined as string | undefined,
  order: undefined as boolean | undefined,
  attemptId: undefined as string | undefined,
};

export class PopRoom {
  readonly room: BrokerRoom;
  readonly #handlers: ReadonlyMap<number, RequestHandler>;

  constructor(tuning: Partial<BrokerTuning> = {}, options: RoomOptions = {}) {
    this.room = brokerRoom({ ...options, tuning: { popFromRetryProbability: 0, ...tuning } });
    const { store, topics, clock } = this.room;
    store.realRecords = true;
    store.nowMs = () => clock.wallMs();
    topics.put(newTopicConfig(TOPIC, { readQueueNums: 2, writeQueueNums: 2 }));
    this.#handlers = new Map(popRequestHandlers(this.room));
  }

  handler(code: number): RequestHandler {
    return this.#handlers.get(code)!;
  }

  ask(code: number, ext: Record<string, string | number | boolean | undefined>, body?: Uint8Array): Answer {
    return answerTo(this.room, this.handler(code), { code, ext, ...(body === undefined ? {} : { body }) });
  }

  start(fields: Partial<typeof POP> = {}, peer = new FakePeer()): FakeExchange {
    return call(this.handler(RequestCode.POP_MESSAGE), {
      code: RequestCode.POP_MESSAGE,
      ext: { ...POP, ...fields },
      peer,
    });
  }

  answer(fields: Partial<typeof POP> = {}): Answer {
    return this.ask(RequestCode.POP_MESSAGE, { ...POP, ...fields });
  }

  pop(fields: Partial<typeof POP> = {}): Popped[] {
    const answer = this.answer(fields);
    return answer.code === 0 ? poppedOf(answer) : [];
  }

  bodies(fields: Partial<typeof POP> = {}): string[] {
    return this.pop(fields).map(({ body }) => body);
  }

  ack(popped: Popped, fields: Record<string, string | number> = {}): Answer {
    return this.ask(RequestCode.ACK_MESSAGE, { ...named(popped), ...fields });
  }

  change(popped: Popped, invisibleTime: number, fields: Record<string, string | number> = {}): Answer {
    const ext = { ...named(popped), invisibleTime, ...fields };
    return this.ask(RequestCode.CHANGE_MESSAGE_INVISIBLETIME, ext);
  }

  send(bodies: readonly string[], queueId = 0, properties = "", topic = TOPIC): void {
    const host = new Uint8Array(8);
    for (const body of bodies) {
      const message = {
        ...{
          topic,
          queueId,
          properties,
          flag: 0,
          sysFlag: 0,
          bornTimestamp: 0,
          bornHost: host,
          storeHost: host,
        },
        ...{ reconsumeTimes: 0, preparedTransactionOffset: 0, body: Buffer.from(body) },
      };
      this.room.store.append(message, "flushed", { appendSettled: () => undefined });
    }
    this.room.host.endTurn();
  }

  advance(ms: number): void {
    this.room.host.advance(ms);
  }

  committed(topic = TOPIC, queueId = 0, group = GROUP): number | undefined {
    return this.room.offsets.get(group, topic, queueId);
  }
}

/** How a message is named where it lies. */
export function named({ handle, queueId, offset }: Popped): Record<string, string | number> {
  const { topicType } = parseReceiptHandle(handle);
  const topic = topicType === 0 ? TOPIC : RETRY_TOPIC;
  return { consumerGroup: GROUP, topic, queueId, extraInfo: handle, offset };
}

/** The messages of an answer with their handles, built as a client builds them. */
export function poppedOf(answer: Answer): Popped[] {
  const starts = parseStartOffsetInfo(answer.ext.get("startOffsetInfo"));
  const offsets = parseMsgOffsetInfo(answer.ext.get("msgOffsetInfo"));
  return readRecords(answer.body).map((record) => {
    const known = getProperty(record.properties, MessageConst.POP_CK);
    const { queueId, queueOffset: offset, reconsumeTimes } = record;
    const body = Buffer.from(record.body).toString();
    if (known !== undefined) return { body, handle: known, queueId, offset, reconsumeTimes };
    const startOffset = starts.find(
      (start) => start.topicType === 0 && start.queueId === queueId,
    )!.startOffset;
    if (!offsets.some((list) => list.queueId === queueId && list.offsets.includes(offset))) {
      throw new Error(`offset ${offset} is in no list`);
    }
    const handle: ReceiptHandle = {
      startOffset,
      popTime: Number(answer.ext.get("popTime")),
      invisibleTime: Number(answer.ext.get("invisibleTime")),
      reviveQueueId: Number(answer.ext.get("reviveQid")),
      topicType: 0,
      brokerName: "broker-a",
      queueId,
      offset,
    };
    return { body, handle: formatReceiptHandle(handle), queueId, offset, reconsumeTimes };
  });
}
