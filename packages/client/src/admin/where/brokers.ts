/**
 * The requests `where` is made of, each with what it means when it fails: who could not be asked, and what an answer left
 * out, is kept, because a message that was not found in a search with holes may be in one of them.
 */
import {
  type ConsumerConnection,
  type ConsumerRunningInfo,
  encodeOffsetMessageId,
  getConsumerConnectionListRequestHeader,
  getConsumerRunningInfoRequestHeader,
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  getMessageWhereaboutsRequestHeader,
  getMinOffsetRequestHeader,
  getMinOffsetResponseHeader,
  getSubscriptionGroupConfigRequestHeader,
  type MessageWhereabouts,
  parseConsumerConnection,
  parseConsumerRunningInfo,
  parseGroupList,
  parseJsonFile,
  parseKvTable,
  parseWhereabouts,
  queryConsumerOffsetRequestHeader,
  queryConsumerOffsetResponseHeader,
  queryMessageRequestHeader,
  queryMessageResponseHeader,
  queryTopicConsumeByWhoRequestHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  UNIQUE_KEY_QUERY,
  viewMessageByIdRequestHeader,
  WHEREABOUTS_POSITIONS_MAX,
  type WhereaboutsBody,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { copyRecords } from "../../consumer/queue/pulled-record.ts";
import { fromResponse, fromUnknown } from "../../errors/error-from.ts";
import { type Copy, copyOf, keyOf } from "./copies.ts";
import type { SearchedBroker } from "./where-types.ts";

/** Of one answer; brokers give no more. */
const MESSAGES_MAX = 64;
/** Pages of a message with very many copies. */
const PAGES_MAX = 16;
/** Requests of one broker at a time. */
const REQUESTS_MAX = 8;

export class AskedBroker {
  readonly brokerName: string;
  readonly address: string;
  /** `false`: it is no OrbitMQ; `undefined`: not asked yet, or not reached. */
  tells: boolean | undefined;
  /** Its clock against ours; ms. */
  nowMs: number;
  readonly whereabouts = new Map<number, MessageWhereabouts>();
  readonly #instance: ClientInstance;
  readonly #problems = new Set<string>();
  readonly #topicsOfGroups = new Map<string, Promise<string[]>>();
  readonly #offsets = new Map<string, Promise<number | undefined>>();
  readonly #groups = new Map<string, Promise<ConsumerConnection | undefined>>();
  readonly #held = new Map<string, Promise<HeldByMember[]>>();
  #log: { readonly minOffset: number; readonly maxOffset: number } | undefined;
  #fromMs: number | undefined;
  #isReached = true;

  constructor(instance: ClientInstance, brokerName: string, address: string) {
    this.#instance = instance;
    this.brokerName = brokerName;
    this.address = address;
    this.nowMs = instance.host.clock.wallMs();
  }

  get searched(): SearchedBroker {
    const { brokerName, address } = this;
    return {
      brokerName,
      address,
      complete: this.#problems.size === 0,
      problems: [...this.#problems],
      ...(this.#log === undefined
        ? {}
        : { logMinOffset: this.#log.minOffset, logMaxOffset: this.#log.maxOffset }),
      ...(this.#fromMs === undefined ? {} : { fromMs: this.#fromMs }),
    };
  }

  /** Where its log begins; `undefined` when it did not say. */
  get logMinOffset(): number | undefined {
    return this.#log?.minOffset;
  }

  /** What it says of its log and index, which the search is judged by. */
  async introduce(): Promise<void> {
    await this.locate([]);
    if (this.tells !== false) return;
    await this.#try(async () => {
      const request = { code: RequestCode.GET_BROKER_RUNTIME_INFO };
      const table = await this.#ask(request, ({ body }) => parseKvTable(body));
      const number = (name: string): number => Number(table.get(name) ?? Number.NaN);
      const [minOffset, maxOffset] = [number("commitLogMinOffset"), number("commitLogMaxOffset")];
      if (Number.isSafeInteger(minOffset) && Number.isSafeInteger(maxOffset))
        this.#log = { minOffset, maxOffset };
      const fromMs = number("earliestMessageTimeStamp");
      if (Number.isSafeInteger(fromMs) && fromMs > 0) this.#fromMs = fromMs;
    });
  }

  /** What only the broker knows of places in its log (700001), kept in `whereabouts`; a Java broker does not tell. */
  async locate(positions: readonly number[]): Promise<void> {
    const unknown = [...new Set(positions)].filter((each) => !this.whereabouts.has(each));
    if (this.tells === false || (this.tells === true && unknown.length === 0)) return;
    for (let at = 0; at === 0 || at < unknown.length; at += WHEREABOUTS_POSITIONS_MAX) {
      const part = unknown.slice(at, at + WHEREABOUTS_POSITIONS_MAX);
      await this.#try(async () => {
        const body = await this.#instance.call(
          this.address,
          {
            code: RequestCode.GET_MESSAGE_WHEREABOUTS,
            header: (sink) => getMessageWhereaboutsRequestHeader.encode({ positions: part.join(",") }, sink),
          },
          (response) => {
            if (response.code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) return undefined;
            return answered(this.address, response, () => parseWhereabouts(response.body));
          },
        );
        this.tells = body !== undefined;
        if (body !== undefined) this.#learn(body);
      });
      if (this.tells !== true) return;
    }
  }

  #learn({ nowMs, log, keyIndex, messages }: WhereaboutsBody): void {
    this.nowMs = nowMs;
    this.#log = { minOffset: log.minOffset, maxOffset: log.writtenOffset };
    if (keyIndex.fromMs > 0) this.#fromMs = keyIndex.fromMs;
    if (!keyIndex.enabled) this.#problems.add("it keeps no index of keys (messageIndexEnable)");
    if (keyIndex.behindBytes > 0)
      this.#problems.add(`its index of keys is ${keyIndex.behindBytes} bytes of the log behind`);
    for (const message of messages) this.whereabouts.set(message.position, message);
  }

  /** Every message of the topic with this key or unique id (12), oldest first. */
  async byKey(topic: string, key: string, isUnique: boolean): Promise<Copy[]> {
    const found = new Map<string, Copy>();
    let endTimestamp = Number.MAX_SAFE_INTEGER;
    for (let page = 0; ; page++) {
      const records = await this.#queryPage(topic, key, endTimestamp);
      const before = found.size;
      for (const record of records) {
        const copy = copyOf(this.brokerName, record);
        const isMeant = record.topic === topic && (!isUnique || copy.uniqKey === key);
        if (isMeant) found.set(keyOf(copy), copy);
      }
      if (records.length < MESSAGES_MAX || found.size === before) break;
      if (page === PAGES_MAX) {
        this.#problems.add(`it has more than ${found.size} copies of one message`);
        break;
      }
      endTimestamp = Math.min(...records.map(({ storeTimestamp }) => storeTimestamp));
    }
    return [...found.values()].sort((a, b) => a.record.physicalOffset - b.record.physicalOffset);
  }

  async #queryPage(
    topic: string,
    key: string,
    endTimestamp: number,
  ): Promise<ReturnType<typeof copyRecords>> {
    const header = {
      topic,
      key,
      maxNum: MESSAGES_MAX,
      beginTimestamp: 0,
      endTimestamp,
      indexType: "K",
      lastKey: undefined,
    };
    const records = await this.#try(() =>
      this.#instance.call(
        this.address,
        {
          code: RequestCode.QUERY_MESSAGE,
          header: (sink) => {
            queryMessageRequestHeader.encode(header, sink);
            sink.put(UNIQUE_KEY_QUERY, "false");
          },
        },
        (response) => {
          if (response.code === ResponseCode.QUERY_NOT_FOUND) return [];
          // A topic that is not here has no messages here.
          if (response.code === ResponseCode.TOPIC_NOT_EXIST) return [];
          return answered(this.address, response, () => {
            // Ours says so when the index or a message cannot be read.
            if ((response.remark ?? "") !== "") this.#problems.add(response.remark!);
            const { indexLastUpdateTimestamp } = queryMessageResponseHeader.decode(response.ext);
            if (
              indexLastUpdateTimestamp === 0 &&
              (this.#log?.maxOffset ?? 0) > 0 &&
              response.body.length === 0
            )
              this.#problems.add("its index of keys holds nothing");
            return copyRecords(response.body);
          });
        },
      ),
    );
    return records ?? [];
  }

  /** The message at a place (33), when it is the one that the id names. */
  async byPlace(position: number, offsetMsgId: string): Promise<Copy | undefined> {
    const record = await this.#try(() =>
      this.#instance.call(
        this.address,
        {
          code: RequestCode.VIEW_MESSAGE_BY_ID,
          header: (sink) => viewMessageByIdRequestHeader.encode({ topic: "", offset: position }, sink),
        },
        (response) => {
          // 1: no message begins there.
          if (response.code !== ResponseCode.SUCCESS) return undefined;
          return copyRecords(response.body)[0];
        },
      ),
    );
    if (record === undefined) return undefined;
    const id = encodeOffsetMessageId(record.storeHost, record.physicalOffset);
    return id === offsetMsgId.toUpperCase() ? copyOf(this.brokerName, record) : undefined;
  }

  /** Groups that subscribe to the topic, or have offsets of it (300). */
  groupsOf(topic: string): Promise<string[]> {
    return remembered(this.#topicsOfGroups, topic, async () => {
      const groups = await this.#optional("which groups consume the topic", () =>
        this.#ask(
          {
            code: RequestCode.QUERY_TOPIC_CONSUME_BY_WHO,
            header: (sink) => queryTopicConsumeByWhoRequestHeader.encode({ topic }, sink),
          },
          ({ body }) => parseGroupList(body),
        ),
      );
      return groups ?? [];
    });
  }

  /** Where a group goes on (14); `undefined`: it has no offset there. */
  committedOffset(consumerGroup: string, topic: string, queueId: number): Promise<number | undefined> {
    return remembered(this.#offsets, `${consumerGroup}@${topic}@${queueId}`, () =>
      this.#optional("how far groups are", () =>
        this.#instance.call(
          this.address,
          {
            code: RequestCode.QUERY_CONSUMER_OFFSET,
            header: (sink) =>
              queryConsumerOffsetRequestHeader.encode(
                { consumerGroup, topic, queueId, setZeroIfNotFound: false },
                sink,
              ),
          },
          (response) => {
            if (response.code === ResponseCode.QUERY_NOT_FOUND) return undefined;
            return answered(
              this.address,
              response,
              () => queryConsumerOffsetResponseHeader.decode(response.ext).offset,
            );
          },
        ),
      ),
    );
  }

  /** First and last offset of a queue (31, 30). */
  async queueSpan(topic: string, queueId: number): Promise<{ min: number; max: number } | undefined> {
    return this.#optional("what the queue holds", async () => {
      const min = await this.#ask(
        {
          code: RequestCode.GET_MIN_OFFSET,
          header: (sink) => getMinOffsetRequestHeader.encode({ topic, queueId }, sink),
        },
        ({ ext }) => getMinOffsetResponseHeader.decode(ext).offset,
      );
      const max = await this.#ask(
        {
          code: RequestCode.GET_MAX_OFFSET,
          header: (sink) => getMaxOffsetRequestHeader.encode({ topic, queueId, committed: undefined }, sink),
        },
        ({ ext }) => getMaxOffsetResponseHeader.decode(ext).offset,
      );
      return { min, max };
    });
  }

  /** Who is online in a group (203); `undefined`: nobody. */
  online(consumerGroup: string): Promise<ConsumerConnection | undefined> {
    return remembered(this.#groups, consumerGroup, () =>
      this.#optional("who is online", () =>
        this.#instance.call(
          this.address,
          {
            code: RequestCode.GET_CONSUMER_CONNECTION_LIST,
            header: (sink) => getConsumerConnectionListRequestHeader.encode({ consumerGroup }, sink),
          },
          (response) => {
            if (response.code === ResponseCode.CONSUMER_NOT_ONLINE) return undefined;
            return answered(this.address, response, () => parseConsumerConnection(response.body));
          },
        ),
      ),
    );
  }

  /** What members say that they hold (307); those that do not answer are left out. */
  held(consumerGroup: string): Promise<HeldByMember[]> {
    return remembered(this.#held, consumerGroup, async () => {
      const online = await this.online(consumerGroup);
      const members = online?.connections ?? [];
      const found = await inParallel(members, async ({ clientId }) => {
        try {
          const info = await this.#ask(
            {
              code: RequestCode.GET_CONSUMER_RUNNING_INFO,
              header: (sink) =>
                getConsumerRunningInfoRequestHeader.encode(
                  { consumerGroup, clientId, jstackEnable: false },
                  sink,
                ),
            },
            ({ body }) => parseConsumerRunningInfo(body),
          );
          return [{ clientId, queues: info.queues }];
        } catch (error) {
          this.#instance.logger.debug({ err: error, clientId }, "a member does not say what it holds");
          return [];
        }
      });
      return found.flat();
    });
  }

  /** After how many retries a message of the group is a dead letter (352); asked only of groups that have retried. */
  retriesMax(group: string): Promise<number | undefined> {
    return this.#optional("how often groups retry", () =>
      this.#ask(
        {
          code: RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG,
          header: (sink) => getSubscriptionGroupConfigRequestHeader.encode({ group }, sink),
        },
        ({ body }) => parseJsonFile(body, "SubscriptionGroupConfig").optionalInteger("retryMaxTimes"),
      ),
    );
  }

  /** What it could not be asked, beyond the search: told in the result. */
  readonly untold = new Set<string>();

  #ask<T>(request: Parameters<ClientInstance["ask"]>[1], read: (response: RemotingCommand) => T): Promise<T> {
    return this.#instance.ask(this.address, request, read);
  }

  /** What the search itself needs: a failure is a hole in it. Once a broker is not reached it is not asked again. */
  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (!this.#isReached) return undefined;
    try {
      return await work();
    } catch (error) {
      const failure = fromUnknown(error);
      if (failure.code === "SHUT_DOWN") throw failure;
      this.#isReached = failure.responseCode !== undefined || failure.code === "PROTOCOL_ERROR";
      this.#problems.add(`${failure.message} (${failure.code})`);
      return undefined;
    }
  }

  async #optional<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    if (!this.#isReached) return undefined;
    try {
      return await work();
    } catch (error) {
      const failure = fromUnknown(error);
      if (failure.code === "SHUT_DOWN") throw failure;
      this.untold.add(`${what}: ${failure.message} (${failure.code})`);
      return undefined;
    }
  }
}

export interface HeldByMember {
  readonly clientId: string;
  readonly queues: ConsumerRunningInfo["queues"];
}

function answered<T>(address: string, { code, remark }: RemotingCommand, read: () => T): T {
  if (code === ResponseCode.SUCCESS) return read();
  throw fromResponse(code, remark, address);
}

function remembered<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}

/** Some at a time, results in order. */
export async function inParallel<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await each(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(REQUESTS_MAX, items.length) }, worker));
  return results;
}
