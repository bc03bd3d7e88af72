/**
 * The queues of a topic on all brokers, as the NameServers know them (RocketMQ: TopicRouteInfoManager): asked for
 * when somebody wants to know, and kept for a while. Without a NameServer, or when none answers and none has
 * answered before, the broker's own queues are all there are.
 *
 *   unknown → asking → known → (after 10 s, at the next question) asking
 */
import type { Clock, Logger } from "@orbitmq/host";
import {
  getRouteInfoRequestHeader,
  isReadable,
  type MessageQueue,
  parseTopicRouteData,
  RequestCode,
  ResponseCode,
  type RpcClient,
  type TopicRouteData,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface TopicQueuesNeeds {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: Pick<RpcClient, "request">;
  readonly options: ResolvedBrokerOptions;
  readonly topics: Pick<TopicRegistry, "get">;
}

/** `undefined`: there is no such topic. */
type Queues = readonly MessageQueue[] | undefined;

interface Known {
  queues: Queues;
  askedMs: number;
  waiting: ((queues: Queues) => void)[];
  isAsking: boolean;
}

/** How long an answer counts. */
const KEPT_MS = 10_000;
const TOPICS_MAX = 10_000;

export class TopicQueues {
  readonly #needs: TopicQueuesNeeds;
  readonly #known = new Map<string, Known>();

  constructor(needs: TopicQueuesNeeds) {
    this.#needs = needs;
  }

  /** `done` may be called at once. */
  of(topic: string, done: (queues: Queues) => void): void {
    const { options, clock } = this.#needs;
    if (options.namesrvAddrs.length === 0) {
      done(this.#own(topic));
      return;
    }
    let known = this.#known.get(topic);
    if (known === undefined) {
      if (this.#known.size >= TOPICS_MAX) this.#known.clear();
      known = { queues: undefined, askedMs: Number.NEGATIVE_INFINITY, waiting: [], isAsking: false };
      this.#known.set(topic, known);
    }
    if (known.queues !== undefined && clock.monotonicMs() - known.askedMs < KEPT_MS) {
      done(known.queues);
      return;
    }
    known.waiting.push(done);
    if (!known.isAsking) this.#ask(topic, known, 0);
  }

  #ask(topic: string, known: Known, server: number): void {
    const { client, options, clock, logger } = this.#needs;
    const address = options.namesrvAddrs[server];
    if (address === undefined) {
      logger.warn(
        { topic },
        "no NameServer tells a topic's queues; those known before, or the own ones, count",
      );
      this.#settle(known, known.queues ?? this.#own(topic));
      return;
    }
    known.isAsking = true;
    const header = { topic, acceptStandardJsonOnly: true };
    client.request(
      address,
      {
        code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
        header: (sink) => getRouteInfoRequestHeader.encode(header, sink),
      },
      options.registerBrokerTimeoutMills,
      (_error, response) => {
        if (response?.code === ResponseCode.SUCCESS) {
          known.askedMs = clock.monotonicMs();
          this.#settle(known, queuesOf(topic, parseTopicRouteData(response.body)));
        } else if (response?.code === ResponseCode.TOPIC_NOT_EXIST) {
          this.#settle(known, this.#own(topic));
        } else this.#ask(topic, known, server + 1);
      },
    );
  }

  #settle(known: Known, queues: Queues): void {
    known.isAsking = false;
    known.queues = queues;
    for (const done of known.waiting.splice(0)) done(queues);
  }

  #own(topic: string): Queues {
    const config = this.#needs.topics.get(topic);
    if (config === undefined || !isReadable(config.perm)) return undefined;
    const { brokerName } = this.#needs.options;
    return Array.from({ length: config.readQueueNums }, (_, queueId) => ({ topic, brokerName, queueId }));
  }
}

function queuesOf(topic: string, route: TopicRouteData): readonly MessageQueue[] {
  const queues: MessageQueue[] = [];
  for (const { brokerName, readQueueNums, perm } of route.queueDatas) {
    if (!isReadable(perm)) continue;
    for (let queueId = 0; queueId < readQueueNums; queueId++) queues.push({ topic, brokerName, queueId });
  }
  return queues;
}
