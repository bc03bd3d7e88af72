/**
 * Gives a fake broker POP: one invisible time for each message, counted from the last pop or change; what comes again
 * comes as from a retry topic. `mode` and `queues` are what it assigns.
 */
import {
  ackMessageRequestHeader,
  changeInvisibleTimeRequestHeader,
  changeInvisibleTimeResponseHeader,
  type Exchange,
  encodeAssignments,
  formatReceiptHandle,
  type MessageRequestMode,
  type PopMessageRequestHeader,
  parseQueryAssignmentBody,
  popMessageRequestHeader,
  popMessageResponseHeader,
  popNormalTopicOf,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import type { FakeBroker, StoredMessage } from "./fake-broker.ts";

interface PopState {
  visibleFromMs: number;
  pops: number;
  acked: boolean;
}

const LOOK_AGAIN_MS = 5;

export class FakePop {
  mode: MessageRequestMode = "POP";
  readonly acks: { topic: string; queueId: number; offset: number }[] = [];
  readonly changes: { offset: number; ms: number; atMs: number }[] = [];
  readonly asked: PopMessageRequestHeader[] = [];
  /** Answers to acks are this code as long as it is set. */
  ackCode = 0;
  readonly #broker: FakeBroker;
  readonly #states = new Map<StoredMessage, PopState>();

  constructor(broker: FakeBroker) {
    this.#broker = broker;
    const on = (code: number, handle: (request: RemotingCommand, exchange: Exchange) => void) =>
      broker.server.handle(code, (request, exchange) => {
        broker.codes.push(code);
        const scripted = broker.script?.(request, exchange) ?? false;
        if (typeof scripted === "object") exchange.reply(scripted);
        if (scripted === false) handle(request, exchange);
      });
    on(RequestCode.QUERY_ASSIGNMENT, (request, exchange) => {
      const { topic } = parseQueryAssignmentBody(request.body);
      const isRetry = topic.startsWith("%RETRY%");
      const mode = isRetry ? "PULL" : this.mode;
      const messageQueue = { topic, brokerName: broker.name, queueId: mode === "POP" ? -1 : 0 };
      exchange.reply({ code: 0, body: [encodeAssignments([{ messageQueue, mode }])] });
    });
    on(RequestCode.POP_MESSAGE, (request, exchange) => {
      const header = popMessageRequestHeader.decode(request.ext);
      this.asked.push(header);
      this.#pop(header, exchange, broker.host.clock.monotonicMs() + header.pollTime);
    });
    on(RequestCode.ACK_MESSAGE, (request, exchange) => {
      const { topic, queueId, offset, consumerGroup } = ackMessageRequestHeader.decode(request.ext);
      if (this.ackCode !== 0) {
        exchange.reply({ code: this.ackCode });
        return;
      }
      this.acks.push({ topic, queueId, offset });
      this.#stateAt(popNormalTopicOf(topic, consumerGroup), queueId, offset).acked = true;
      exchange.reply({ code: 0 });
    });
    on(RequestCode.CHANGE_MESSAGE_INVISIBLETIME, (request, exchange) => {
      const header = changeInvisibleTimeRequestHeader.decode(request.ext);
      const { topic, queueId, offset, invisibleTime, consumerGroup } = header;
      const nowMs = this.#nowMs();
      this.changes.push({ offset, ms: invisibleTime, atMs: nowMs });
      this.#stateAt(popNormalTopicOf(topic, consumerGroup), queueId, offset).visibleFromMs =
        nowMs + invisibleTime;
      exchange.reply({
        code: 0,
        header: (sink) =>
          changeInvisibleTimeResponseHeader.encode({ popTime: nowMs, invisibleTime, reviveQid: 0 }, sink),
      });
    });
  }

  #nowMs(): number {
    return this.#broker.host.clock.wallMs();
  }

  #stateOf(message: StoredMessage): PopState {
    const state = this.#states.get(message) ?? { visibleFromMs: 0, pops: 0, acked: false };
    this.#states.set(message, state);
    return state;
  }

  #stateAt(topic: string, queueId: number, offset: number): PopState {
    return this.#stateOf(this.#broker.queue(topic, queueId)[offset]!);
  }

  #pop(header: PopMessageRequestHeader, exchange: Exchange, untilMs: number): void {
    const nowMs = this.#nowMs();
    const found = this.#broker
      .messages(header.topic)
      .filter((message) => {
        const { acked, visibleFromMs } = this.#stateOf(message);
        return !acked && visibleFromMs <= nowMs && (header.queueId < 0 || header.queueId === message.queueId);
      })
      .slice(0, header.maxMsgNums);
    const { timers, clock } = this.#broker.host;
    if (found.length === 0 && clock.monotonicMs() < untilMs) {
      timers.after(LOOK_AGAIN_MS, () => this.#pop(header, exchange, untilMs));
      return;
    }
    const code = found.length === 0 ? ResponseCode.POLLING_TIMEOUT : ResponseCode.SUCCESS;
    const fresh = found.filter((message) => this.#stateOf(message).pops === 0);
    const queueIds = [...new Set(fresh.map(({ queueId }) => queueId))];
    const offsetsOf = (queueId: number) =>
      fresh.filter((message) => message.queueId === queueId).map(({ queueOffset }) => queueOffset);
    exchange.reply({
      code,
      header: (sink) =>
        popMessageResponseHeader.encode(
          {
            popTime: nowMs,
            invisibleTime: header.invisibleTime,
            reviveQid: 1,
            restNum: 0,
            startOffsetInfo: queueIds.map((id) => `0 ${id} ${offsetsOf(id)[0]}`).join(";"),
            msgOffsetInfo: queueIds.map((id) => `0 ${id} ${offsetsOf(id).join(",")}`).join(";"),
          },
          sink,
        ),
      body: found.map((message) => this.#taken(message, header, nowMs)),
    });
  }

  #taken(message: StoredMessage, header: PopMessageRequestHeader, popTime: number): Buffer {
    const state = this.#stateOf(message);
    const { invisibleTime } = header;
    state.visibleFromMs = popTime + invisibleTime;
    const reconsumeTimes = state.pops++;
    if (reconsumeTimes === 0) return this.#broker.record(message);
    const { queueId, queueOffset } = message;
    const handle = formatReceiptHandle({
      startOffset: queueOffset,
      popTime,
      invisibleTime,
      reviveQueueId: 1,
      topicType: 1,
      brokerName: this.#broker.name,
      queueId,
      offset: queueOffset,
    });
    const properties = `${message.properties}POP_CK\u0001${handle}\u0002`;
    return this.#broker.record({ ...message, properties }, reconsumeTimes);
  }
}
