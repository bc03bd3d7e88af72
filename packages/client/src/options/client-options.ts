/**
 * Options, limits and defaults that producers, consumers, readers and admins have in common (RocketMQ:
 * ClientConfig).
 */
import type { Clock, Logger, Network, Timers } from "@orbitmq/host";

/**
 * Time that somebody else moves: what `start({ clock: "manual" })` of the package orbitmq gives its clients. `watch`
 * lets it know what they have on their way.
 */
export interface ClientClock {
  readonly clock: Clock;
  readonly timers: Timers;
  watch(network: Network): Network;
}

export interface ClientOptions {
  /** NameServer addresses, `host:port`, several joined by `;` or as a list. Default 127.0.0.1:9876. */
  readonly namesrv?: string | readonly string[] | undefined;
  /** Unique among the clients of a broker. Default `ip@pid#…`, unique to this object. */
  readonly clientId?: string | undefined;
  /** Time for a request that is not a send or a pull, one attempt. Default 3000 (mqClientApiTimeout). */
  readonly requestTimeoutMs?: number | undefined;
  /** Time for making a connection. Default 3000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long `start()` tries to reach a NameServer before it rejects. Default 10,000. */
  readonly startTimeoutMs?: number | undefined;
  /** Let `start()` try for ever to reach a NameServer. Default false. */
  readonly waitForever?: boolean | undefined;
  /** How often routes of topics in use are asked for again. Default 30,000 (pollNameServerInterval). */
  readonly routeRefreshIntervalMs?: number | undefined;
  /** How often every known broker gets a heartbeat. Default 30,000 (heartbeatBrokerInterval). */
  readonly heartbeatIntervalMs?: number | undefined;
  /**
   * Stands before the names of topics and groups on the servers, as `namespace%name`; the application writes and sees
   * them without it; an Admin names them as servers do. Default none.
   */
  readonly namespace?: string | undefined;
  /**
   * Sends, and questions that are not pulls, go to the broker's VIP port, which is 2 below its own. Default false
   * (vipChannelEnabled).
   */
  readonly vipChannelEnabled?: boolean | undefined;
  /** Turns an address a server advertises (`host:port`) into the one to dial. Default: as it is. */
  readonly mapAddress?: ((address: string) => string) | undefined;
  /** Anything of pino's shape; default silent. */
  readonly logger?: Logger | undefined;
  /** For tests: the clock of a server started with `clock: "manual"`. Default: the machine's. */
  readonly clock?: ClientClock | undefined;
}

export const clientDefaults = {
  namesrv: "127.0.0.1:9876",
  requestTimeoutMs: 3_000,
  connectTimeoutMs: 3_000,
  startTimeoutMs: 10_000,
  routeRefreshIntervalMs: 30_000,
  heartbeatIntervalMs: 30_000,
} as const;

/** What `shutdown` takes, for every kind of client. */
export interface ShutdownOptions {
  /** What is not over by then is left. Default 10,000. */
  readonly deadlineMs?: number | undefined;
}

export const SHUTDOWN_DEADLINE_MS = 10_000;

export interface ShutdownResult {
  /** Sends (producer) or messages with a running listener (consumer) that came to their end during shutdown. */
  readonly settled: number;
  /** Those that did not: sends failed with SHUT_DOWN, listeners still running. */
  readonly left: number;
}

/** Where a client is in its life. `starting` and `stopping` end by themselves. */
export type ClientState = "new" | "starting" | "running" | "stopping" | "stopped";
