/**
 * A broker that keeps messages in arrays. Sends append, pulls read and park, heartbeats register, offsets are
 * kept; `script` may answer any request otherwise.
 */
import type { Host } from "@orbitmq/host";
import {
  type ConsumerSendMsgBackRequestHeader,
  consumerSendMsgBackRequestHeader,
  decodeBatchBody,
  decodeSendMessageRequestHeader,
  type Exchange,
  encodeConsumerList,
  encodeHostBytes,
  encodeLockBatchResponse,
  encodeOffsetMessageId,
  encodeTopicStatsTable,
  getConsumerListByGroupRequestHeader,
  getMaxOffsetRequestHeader,
  getTopicStatsInfoRequestHeader,
  type HeartbeatData,
  type OutgoingResponse,
  type Peer,
  PullSysFlag,
  parseHeartbeatData,
  parseLockBatchBody,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  queryConsumerOffsetRequestHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  RpcServer,
  recordSize,
  searchOffsetByTimestampRequestHeader,
  sendMessageResponseHeader,
  unregisterClientRequestHeader,
  updateAndCreateTopicRequestHeader,
  updateConsumerOffsetRequestHeader,
  writeRecord,
} from "@orbitmq/wire";

/** Answers a request itself (true, or the response to give), or leaves it to the usual behaviour (false). */
export type Script = (request: RemotingCommand, exchange: Exchange) => boolean | OutgoingResponse;

export interface StoredMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly sysFlag: number;
  readonly flag: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
}

interface Parked {
  readonly exchange: Exchange;
  readonly key: string;
  readonly offset: number;
  readonly max: number;
}

export class FakeBroker {
  readonly host: Host;
  readonly name: string;
  address: string;
  readonly server: RpcServer;
  script: Script | undefined;
  /** Codes of all requests, in order of arrival. */
  readonly codes: number[] = [];
  readonly queues = new Map<string, StoredMessage[]>();
  readonly offsets = new Map<string, number>();
  readonly heartbeats: HeartbeatData[] = [];
  readonly clients = new Map<string, { peer: Peer; groups: string[] }>();
  readonly unregistered: string[] = [];
  /** Queue → client id. They do not expire. */
  readonly locks = new Map<string, string>();
  /** False: no message is taken back. */
  takesBack = true;
  /** What was taken back, and when (virtual ms). It does not come again. */
  readonly sentBack: (ConsumerSendMsgBackRequestHeader & { readonly atMs: number })[] = [];
  readonly createdTopics: { topic: string; queues: number; perm: number }[] = [];
  #parked: Parked[] = [];
  #position = 0;

  constructor(host: Host, machine: string, name: string, port: number) {
    this.host = host;
    this.name = name;
    this.address = `${machine}:${port}`;
    this.server = new RpcServer(host);
    const on = (code: number, handle: (request: RemotingCommand, exchange: Exchange) => void) =>
      this.server.handle(code, (request, exchange) => {
        this.codes.push(code);
        const scripted = this.script?.(request, exchange) ?? false;
        if (typeof scripted === "object") exchange.reply(scripted);
        if (scripted === false) handle(request, exchange);
      });
    on(RequestCode.SEND_MESSAGE_V2, (request, exchange) => this.#send(request, exchange));
    on(RequestCode.SEND_BATCH_MESSAGE, (request, exchange) => this.#send(request, exchange));
    on(RequestCode.PULL_MESSAGE, (request, exchange) => this.#pull(request, exchange));
    on(RequestCode.HEART_BEAT, (request, exchange) => {
      const data = parseHeartbeatData(request.body);
      this.heartbeats.push(data);
      const groups = data.consumerDataSet.map(({ groupName }) => groupName);
      const known = this.clients.has(data.clientID);
      this.clients.set(data.clientID, { peer: exchange.peer, groups });
      exchange.reply({ code: 0 });
      if (!known) for (const group of groups) this.notifyGroup(group);
    });
    on(RequestCode.UNREGISTER_CLIENT, (request, exchange) => {
      const { clientID, consumerGroup, producerGroup } = unregisterClientRequestHeader.decode(request.ext);
      this.unregistered.push(consumerGroup ?? producerGroup ?? "");
      this.clients.delete(clientID);
      exchange.reply({ code: 0 });
      if (consumerGroup !== undefined) this.notifyGroup(consumerGroup);
    });
    on(RequestCode.GET_CONSUMER_LIST_BY_GROUP, (request, exchange) => {
      const { consumerGroup } = getConsumerListByGroupRequestHeader.decode(request.ext);
      const ids = [...this.clients]
        .filter(([, { groups }]) => groups.includes(consumerGroup))
        .map(([id]) => id);
      if (ids.length === 0) exchange.reply({ code: 1, remark: "no consumer for this group" });
      else exchange.reply({ code: 0, body: [encodeConsumerList(ids)] });
    });
    on(RequestCode.QUERY_CONSUMER_OFFSET, (request, exchange) => {
      const header = queryConsumerOffsetRequestHeader.decode(request.ext);
      const offset = this.offsets.get(`${header.consumerGroup}@${header.topic}@${header.queueId}`);
      if (offset === undefined) exchange.reply({ code: ResponseCode.QUERY_NOT_FOUND });
      else exchange.reply({ code: 0, header: (sink) => sink.put("offset", String(offset)) });
    });
    on(RequestCode.UPDATE_CONSUMER_OFFSET, (request, exchange) => {
      const header = updateConsumerOffsetRequestHeader.decode(request.ext);
      this.offsets.set(`${header.consumerGroup}@${header.topic}@${header.queueId}`, header.commitOffset);
      exchange.reply({ code: 0 });
    });
    on(RequestCode.CONSUMER_SEND_MSG_BACK, (request, exchange) => {
      const header = consumerSendMsgBackRequestHeader.decode(request.ext);
      this.sentBack.push({ ...header, atMs: this.host.clock.wallMs() });
      exchange.reply(this.takesBack ? { code: 0 } : { code: 1, remark: "not today" });
    });
    for (const code of [RequestCode.LOCK_BATCH_MQ, RequestCode.UNLOCK_BATCH_MQ]) {
      on(code, (request, exchange) => {
        const { clientId, queues } = parseLockBatchBody(request.body);
        const mine = queues.filter(({ topic, queueId }) => {
          const key = `${topic}@${queueId}`;
          if ((this.locks.get(key) ?? clientId) !== clientId) return false;
          if (code === RequestCode.LOCK_BATCH_MQ) this.locks.set(key, clientId);
          else this.locks.delete(key);
          return true;
        });
        exchange.reply({
          code: 0,
          body: code === RequestCode.LOCK_BATCH_MQ ? [encodeLockBatchResponse(mine)] : [],
        });
      });
    }
    on(RequestCode.GET_MAX_OFFSET, (request, exchange) => {
      const { topic, queueId } = getMaxOffsetRequestHeader.decode(request.ext);
      this.#replyOffset(exchange, this.queue(topic, queueId).length);
    });
    on(RequestCode.GET_MIN_OFFSET, (_request, exchange) => this.#replyOffset(exchange, 0));
    on(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, (request, exchange) => {
      const { topic, queueId, timestamp } = searchOffsetByTimestampRequestHeader.decode(request.ext);
      const messages = this.queue(topic, queueId);
      const found = messages.findIndex(({ storeTimestamp }) => storeTimestamp >= timestamp);
      this.#replyOffset(exchange, found < 0 ? messages.length : found);
    });
    for (const code of [RequestCode.QUERY_MESSAGE, RequestCode.VIEW_MESSAGE_BY_ID]) {
      on(code, (_request, exchange) =>
        exchange.reply({ code: ResponseCode.QUERY_NOT_FOUND, remark: "none" }),
      );
    }
    on(RequestCode.UPDATE_AND_CREATE_TOPIC, (request, exchange) => {
      const { topic, readQueueNums, perm } = updateAndCreateTopicRequestHeader.decode(request.ext);
      this.createdTopics.push({ topic, queues: readQueueNums, perm });
      exchange.reply({ code: 0 });
    });
    on(RequestCode.GET_TOPIC_STATS_INFO, (request, exchange) => {
      const { topic } = getTopicStatsInfoRequestHeader.decode(request.ext);
      const offsets = [...this.queues.values()]
        .filter((messages) => messages[0]?.topic === topic)
        .map((messages) => ({
          queue: { topic, brokerName: this.name, queueId: messages[0]!.queueId },
          minOffset: 0,
          maxOffset: messages.length,
          lastUpdateTimestamp: messages.at(-1)!.storeTimestamp,
        }));
      exchange.reply({ code: 0, body: [encodeTopicStatsTable({ offsets })] });
    });
    this.server.onPeer((peer, open) => {
      if (open) return;
      for (const [id, client] of this.clients) {
        if (client.peer === peer) this.clients.delete(id);
      }
    });
  }

  /** Port 0 takes a free one; `address` is then right once this resolves. */
  listen(): Promise<void> {
    const [machine, port] = this.address.split(":");
    return new Promise((resolve, reject) => {
      this.server.listen({ host: "0.0.0.0", port: Number(port) }, (error, listener) => {
        if (listener === undefined) reject(error);
        else {
          this.address = `${machine}:${listener.local.port}`;
          resolve();
        }
      });
    });
  }

  queue(topic: string, queueId: number): StoredMessage[] {
    const key = `${topic}@${queueId}`;
    const messages = this.queues.get(key) ?? [];
    this.queues.set(key, messages);
    return messages;
  }

  /** Every message of a topic, queue by queue. */
  messages(topic: string): StoredMessage[] {
    return [...this.queues]
      .filter(([key]) => key.startsWith(`${topic}@`))
      .flatMap(([, messages]) => messages);
  }

  store(
    topic: string,
    queueId: number,
    body: string | Uint8Array,
    properties = "",
    sysFlag = 0,
  ): StoredMessage {
    const messages = this.queue(topic, queueId);
    const message: StoredMessage = {
      topic,
      queueId,
      queueOffset: messages.length,
      body: typeof body === "string" ? Buffer.from(body) : Uint8Array.from(body),
      properties,
      sysFlag,
      flag: 0,
      bornTimestamp: this.host.clock.wallMs(),
      storeTimestamp: this.host.clock.wallMs(),
    };
    messages.push(message);
    const parked = this.#parked;
    this.#parked = parked.filter(({ key }) => key !== `${topic}@${queueId}`);
    for (const { exchange, key, offset, max } of parked) {
      if (key === `${topic}@${queueId}`) this.#reply(exchange, topic, queueId, offset, max);
    }
    return message;
  }

  /** Sends 40 to every client of a group. */
  notifyGroup(group: string): void {
    for (const { peer, groups } of this.clients.values()) {
      if (!groups.includes(group)) continue;
      peer.oneway({
        code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
        header: (sink) => sink.put("consumerGroup", group),
      });
    }
  }

  count(code: number): number {
    return this.codes.filter((seen) => seen === code).length;
  }

  #send(request: RemotingCommand, exchange: Exchange): void {
    const header = decodeSendMessageRequestHeader(request.code, request.ext);
    const entries =
      header.batch === true
        ? decodeBatchBody(request.body).map((entry) => ({ body: entry.body, properties: entry.properties }))
        : [{ body: request.body, properties: header.properties ?? "" }];
    const stored = entries.map((entry) =>
      this.store(header.topic, header.queueId, entry.body, entry.properties, header.sysFlag),
    );
    const msgId = stored.map(() => encodeOffsetMessageId(this.#hostBytes(), this.#position++)).join(",");
    exchange.reply({
      code: 0,
      header: (sink) =>
        sendMessageResponseHeader.encode(
          {
            msgId,
            queueId: header.queueId,
            queueOffset: stored[0]!.queueOffset,
            MSG_REGION: "DefaultRegion",
            durability: "disk",
          },
          sink,
        ),
    });
  }

  #pull(request: RemotingCommand, exchange: Exchange): void {
    const header = pullMessageRequestHeader.decode(request.ext);
    const { topic, queueId, queueOffset, maxMsgNums, consumerGroup } = header;
    if ((header.sysFlag & PullSysFlag.COMMIT_OFFSET) !== 0) {
      this.offsets.set(`${consumerGroup}@${topic}@${queueId}`, header.commitOffset);
    }
    const registered = [...this.clients.values()].some(({ groups }) => groups.includes(consumerGroup));
    if (!registered && (header.sysFlag & PullSysFlag.SUBSCRIPTION) === 0) {
      exchange.reply({ code: ResponseCode.SUBSCRIPTION_NOT_EXIST, remark: "who are you" });
    } else if (queueOffset < this.queue(topic, queueId).length) {
      this.#reply(exchange, topic, queueId, queueOffset, maxMsgNums);
    } else {
      const parked = { exchange, key: `${topic}@${queueId}`, offset: queueOffset, max: maxMsgNums };
      this.#parked.push(parked);
      this.host.timers.after(header.suspendTimeoutMillis, () => {
        if (!this.#parked.includes(parked)) return;
        this.#parked = this.#parked.filter((other) => other !== parked);
        this.#reply(exchange, topic, queueId, queueOffset, maxMsgNums);
      });
    }
  }

  #reply(exchange: Exchange, topic: string, queueId: number, offset: number, max: number): void {
    const all = this.queue(topic, queueId);
    const found = all.slice(offset, offset + max);
    exchange.reply({
      code: found.length > 0 ? 0 : ResponseCode.PULL_NOT_FOUND,
      header: pullHeader(offset + found.length, all.length),
      body: found.map((message) => this.record(message)),
    });
  }

  record(message: StoredMessage, reconsumeTimes = 0): Buffer {
    const input = {
      ...message,
      bornHost: this.#hostBytes(),
      storeHost: this.#hostBytes(),
      reconsumeTimes,
      preparedTransactionOffset: 0,
    };
    const bytes = Buffer.alloc(recordSize(input));
    writeRecord(input, bytes, 0, { ...message, physicalOffset: message.queueOffset * 1000 });
    return bytes;
  }

  #hostBytes(): Uint8Array {
    return encodeHostBytes({ host: "10.1.1.1", port: 10911 });
  }

  #replyOffset(exchange: Exchange, offset: number): void {
    exchange.reply({ code: 0, header: (sink) => sink.put("offset", String(offset)) });
  }
}

export function pullHeader(nextBeginOffset: number, maxOffset: number, minOffset = 0) {
  return (sink: Parameters<typeof pullMessageResponseHeader.encode>[1]) =>
    pullMessageResponseHeader.encode(
      { suggestWhichBrokerId: 0, nextBeginOffset, minOffset, maxOffset },
      sink,
    );
}
