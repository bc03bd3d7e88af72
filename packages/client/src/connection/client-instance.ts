/**
 * What every kind of client is made of (RocketMQ: MQClientInstance): connections, NameServers, routes,
 * heartbeats, and the life cycle
 *
 *   new → starting → running → stopping → stopped
 *            ╰──────────────────╯ (start failed, or shutdown during start)
 *
 * Each producer, consumer, reader and admin has one of its own, so that shutting one down ends exactly its own
 * connections and timers.
 */
import { assert, type Host, type Logger, type TimerHandle } from "@orbitmq/host";
import {
  type ConsumerData,
  type OutgoingRequest,
  type RemotingCommand,
  RpcClient,
  type TopicRouteData,
} from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import { guardedLogger } from "../guarded-logger.ts";
import { Namespace } from "../names/namespace.ts";
import { type ClientOptions, type ClientState, clientDefaults } from "../options/client-options.ts";
import { checkDuration } from "../options/option-checks.ts";
import { askServer, callServer } from "./call-server.ts";
import { newClientId } from "./client-id.ts";
import { Heartbeats } from "./heartbeats.ts";
import { NameServers, parseNameServers } from "./name-servers.ts";
import { RouteCache } from "./route-cache.ts";
import { DEFAULT_TOPIC } from "./topic-queues.ts";

/** Pauses between tries to reach a NameServer at start: the first, doubling up to the second. */
const START_RETRY_MIN_MS = 100;
const START_RETRY_MAX_MS = 1_000;

/** How far a broker's VIP port lies below its own. */
const VIP_PORT_BELOW = 2;

/** The least time connections get to end. */
const CLOSE_MIN_MS = 200;

/** Who is told of in heartbeats. */
export interface ClientGroups {
  readonly producerGroups?: readonly string[];
  readonly consumers?: () => readonly ConsumerData[];
}

export class ClientInstance {
  readonly host: Host;
  readonly logger: Logger;
  readonly clientId: string;
  readonly rpc: RpcClient;
  readonly nameServers: NameServers;
  readonly routes: RouteCache;
  readonly heartbeats: Heartbeats;
  readonly requestTimeoutMs: number;
  readonly namespace: Namespace;
  readonly #vipChannel: boolean;
  readonly #options: ClientOptions;
  /** Readers and admins belong to no group: nobody needs to hear of them. */
  readonly #hasGroups: boolean;
  readonly startTimeoutMs: number;
  #state: ClientState = "new";
  #started: Promise<void> | undefined;
  #waiting: { timer: TimerHandle; wake: () => void } | undefined;
  #closed: Promise<void> | undefined;

  constructor(host: Host, options: ClientOptions, groups: ClientGroups = {}) {
    this.host = host;
    this.#options = options;
    this.#hasGroups = groups.producerGroups !== undefined || groups.consumers !== undefined;
    this.logger = guardedLogger(options.logger);
    this.clientId = options.clientId ?? newClientId(host);
    this.namespace = new Namespace(options.namespace);
    this.#vipChannel = options.vipChannelEnabled ?? false;
    this.requestTimeoutMs = checkDuration(options, "requestTimeoutMs", clientDefaults.requestTimeoutMs);
    this.startTimeoutMs = checkDuration(options, "startTimeoutMs", clientDefaults.startTimeoutMs);
    const addresses = parseNameServers(options.namesrv ?? clientDefaults.namesrv);
    this.rpc = new RpcClient(host, {
      connectTimeoutMs: checkDuration(options, "connectTimeoutMs", clientDefaults.connectTimeoutMs),
      logger: this.logger,
      mapAddress: options.mapAddress,
    });
    this.nameServers = new NameServers(host, this.rpc, addresses, this.requestTimeoutMs);
    this.routes = new RouteCache(this.nameServers, host.timers, this.logger);
    this.heartbeats = new Heartbeats(
      this.rpc,
      this.routes,
      host.timers,
      this.logger,
      {
        clientId: this.clientId,
        producerGroups: groups.producerGroups ?? [],
        consumers: groups.consumers ?? (() => []),
      },
      this.requestTimeoutMs,
    );
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Throws NOT_RUNNING or SHUT_DOWN unless the client runs. */
  checkRunning(): void {
    if (this.#state === "running") return;
    throw this.#state === "new" || this.#state === "starting"
      ? new OrbitError("NOT_RUNNING", "start() has not succeeded yet")
      : new OrbitError("SHUT_DOWN", "the client was shut down");
  }

  /**
   * Reaches a NameServer, then runs `whenReached` (the rest of the start, which must be bounded). Rejects with
   * NAME_SERVER_UNREACHABLE after `startTimeoutMs` unless `waitForever`; the client is then over.
   */
  start(whenReached: () => Promise<void> = async () => {}): Promise<void> {
    if (this.#started !== undefined) return this.#started;
    if (this.#state !== "new") return Promise.reject(new OrbitError("SHUT_DOWN", "the client was shut down"));
    this.#state = "starting";
    this.#started = this.#start(whenReached);
    return this.#started;
  }

  async #start(whenReached: () => Promise<void>): Promise<void> {
    try {
      await this.#reachNameServer();
      this.#checkStarting();
      const { routeRefreshIntervalMs, heartbeatIntervalMs } = clientDefaults;
      this.routes.start(checkDuration(this.#options, "routeRefreshIntervalMs", routeRefreshIntervalMs));
      if (this.#hasGroups) {
        this.heartbeats.start(checkDuration(this.#options, "heartbeatIntervalMs", heartbeatIntervalMs));
      }
      await whenReached();
      this.#checkStarting();
      this.#state = "running";
    } catch (error) {
      await this.close(0);
      throw fromUnknown(error);
    }
  }

  #checkStarting(): void {
    if (this.#state !== "starting") throw new OrbitError("SHUT_DOWN", "shut down while starting");
  }

  async #reachNameServer(): Promise<void> {
    const { clock } = this.host;
    const deadlineMs = clock.monotonicMs() + this.startTimeoutMs;
    let pauseMs = START_RETRY_MIN_MS;
    for (;;) {
      try {
        await this.routes.refresh(DEFAULT_TOPIC);
        return;
      } catch (error) {
        this.#checkStarting();
        const remainingMs = deadlineMs - clock.monotonicMs();
        const failure = fromUnknown(error);
        if (!failure.retriable || (this.#options.waitForever !== true && remainingMs <= 0)) throw failure;
        this.logger.warn({ code: failure.code }, `start: ${failure.message}`);
        await this.#pause(this.#options.waitForever === true ? pauseMs : Math.min(pauseMs, remainingMs));
        this.#checkStarting();
        pauseMs = Math.min(pauseMs * 2, START_RETRY_MAX_MS);
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    assert(this.#waiting === undefined, "one pause at a time");
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting?.timer.cancel();
        this.#waiting = undefined;
        resolve();
      };
      this.#waiting = { timer: this.host.timers.after(delayMs, wake), wake };
    });
  }

  /** From now on the client is not running; what is in flight goes on until {@link close}. */
  beginStop(): void {
    if (this.#state === "stopped" || this.#state === "stopping") return;
    this.#state = "stopping";
    this.#waiting?.wake();
  }

  /** Unregisters within `timeoutMs` (0: not at all) and ends every connection. Idempotent, never rejects. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.beginStop();
    this.routes.stop();
    await this.heartbeats.stop(timeoutMs);
    await this.#stopRpc(Math.max(timeoutMs, CLOSE_MIN_MS));
    this.#state = "stopped";
  }

  /** A connection that is just being made is waited for, but not longer than this. */
  #stopRpc(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.host.timers.after(timeoutMs, resolve);
      this.rpc.stop(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Where requests go that must not wait behind pulls (RocketMQ: MixAll.brokerVIPChannel). */
  vipAddress(address: string): string {
    if (!this.#vipChannel) return address;
    const colon = address.lastIndexOf(":");
    return `${address.slice(0, colon)}:${Number(address.slice(colon + 1)) - VIP_PORT_BELOW}`;
  }

  /** A request whose every response code is an answer; `read` runs while the response is valid. */
  call<T>(
    address: string,
    request: OutgoingRequest,
    read: (response: RemotingCommand) => T,
    timeoutMs: number = this.requestTimeoutMs,
  ): Promise<T> {
    return callServer(this.rpc, this.vipAddress(address), request, timeoutMs, read);
  }

  /** A request that is answered with SUCCESS or rejects. */
  ask<T>(
    address: string,
    request: OutgoingRequest,
    read: (response: RemotingCommand) => T,
    timeoutMs: number = this.requestTimeoutMs,
  ): Promise<T> {
    return askServer(this.rpc, this.vipAddress(address), request, timeoutMs, read);
  }

  /** The topic's route, cached or asked for. */
  async route(topic: string): Promise<TopicRouteData | undefined> {
    return this.routes.get(topic) ?? (await this.routes.refresh(topic));
  }

  /** Runs what nobody waits for; a failure is logged. */
  background(what: string, work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      const { code, message } = fromUnknown(error);
      if (code !== "SHUT_DOWN") this.logger.warn({ code }, `${what}: ${message}`);
    });
  }
}
