/**
 * The routes of the topics a client uses (RocketMQ: topicRouteTable, brokerAddrTable). A route once known is
 * kept when a NameServer stops knowing it, because a restarted NameServer knows nothing for a while; it is
 * replaced as a whole when a NameServer tells another one. Every topic is asked for again every 30 s, and at
 * once when somebody has reason to doubt.
 */
import type { Logger, TimerHandle, Timers } from "@orbitmq/host";
import { MASTER_ID, type TopicRouteData } from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { NameServers } from "./name-servers.ts";
import { sameRoute } from "./topic-queues.ts";

export class RouteCache {
  readonly #nameServers: NameServers;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #routes = new Map<string, TopicRouteData>();
  readonly #inUse = new Set<string>();
  readonly #refreshing = new Map<string, Promise<TopicRouteData | undefined>>();
  readonly #listeners: ((topic: string, route: TopicRouteData) => void)[] = [];
  /** Broker name → broker id → address, over all routes. */
  #brokers = new Map<string, ReadonlyMap<number, string>>();
  #timer: TimerHandle | undefined;
  #passRunning = false;

  constructor(nameServers: NameServers, timers: Timers, logger: Logger) {
    this.#nameServers = nameServers;
    this.#timers = timers;
    this.#logger = logger;
  }

  start(refreshIntervalMs: number): void {
    this.#timer = this.#timers.every(refreshIntervalMs, () => this.#refreshAll());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Called when a route was learnt or has changed. */
  onChange(listener: (topic: string, route: TopicRouteData) => void): void {
    this.#listeners.push(listener);
  }

  get(topic: string): TopicRouteData | undefined {
    return this.#routes.get(topic);
  }

  /**
   * Asks now; concurrent calls share one question. The known route when the NameServers know none; `undefined`
   * when there is neither. Rejects as NameServers.route. The topic is refreshed from now on.
   */
  refresh(topic: string): Promise<TopicRouteData | undefined> {
    this.#inUse.add(topic);
    let running = this.#refreshing.get(topic);
    if (running === undefined) {
      running = this.#ask(topic).finally(() => this.#refreshing.delete(topic));
      this.#refreshing.set(topic, running);
    }
    return running;
  }

  /** As `refresh`, for callers who only want it to happen. */
  refreshInBackground(topic: string): void {
    this.refresh(topic).catch((error: unknown) => this.#note(topic, error));
  }

  /** `host:port` of the broker's master. */
  masterOf(brokerName: string): string | undefined {
    return this.#brokers.get(brokerName)?.get(MASTER_ID);
  }

  /** Any topic that a broker of this name has queues of. */
  topicAt(brokerName: string): string | undefined {
    for (const [topic, route] of this.#routes) {
      if (route.queueDatas.some((queues) => queues.brokerName === brokerName)) return topic;
    }
    return undefined;
  }

  /** The broker with this id, else the master, else any of the set. */
  addressOf(brokerName: string, brokerId: number): { address: string; brokerId: number } | undefined {
    const addresses = this.#brokers.get(brokerName);
    if (addresses === undefined) return undefined;
    for (const id of [brokerId, MASTER_ID, ...addresses.keys()]) {
      const address = addresses.get(id);
      if (address !== undefined) return { address, brokerId: id };
    }
    return undefined;
  }

  /** Every address of every broker, with the broker's name. */
  brokers(): { brokerName: string; brokerId: number; address: string }[] {
    return [...this.#brokers].flatMap(([brokerName, addresses]) =>
      [...addresses].map(([brokerId, address]) => ({ brokerName, brokerId, address })),
    );
  }

  async #ask(topic: string): Promise<TopicRouteData | undefined> {
    const known = this.#routes.get(topic);
    const route = await this.#nameServers.route(topic);
    if (route === undefined) return known;
    if (known !== undefined && sameRoute(known, route)) return known;
    // Last learnt is last in the map: its addresses win over those of older routes.
    this.#routes.delete(topic);
    this.#routes.set(topic, route);
    this.#collectBrokers();
    for (const listener of this.#listeners) listener(topic, route);
    return route;
  }

  #collectBrokers(): void {
    this.#brokers = new Map();
    for (const route of this.#routes.values()) {
      for (const { brokerName, brokerAddrs } of route.brokerDatas) this.#brokers.set(brokerName, brokerAddrs);
    }
  }

  #refreshAll(): void {
    if (this.#passRunning) return;
    this.#passRunning = true;
    this.#refreshEach([...this.#inUse]).finally(() => {
      this.#passRunning = false;
    });
  }

  /** One topic after the other; never rejects. Ends early when no NameServer answers. */
  async #refreshEach(topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      try {
        await this.refresh(topic);
      } catch (error) {
        this.#note(topic, error);
        if (error instanceof OrbitError && error.code === "NAME_SERVER_UNREACHABLE") return;
      }
    }
  }

  #note(topic: string, error: unknown): void {
    const { code, message } = fromUnknown(error);
    if (code !== "SHUT_DOWN") this.#logger.warn({ topic, code }, `route of ${topic}: ${message}`);
  }
}
