/**
 * Every limit and default of the RPC layer, server and client, with what happens beyond it. The client's are
 * RocketMQ's NettyClientConfig, the server's NettyServerConfig, where those have one.
 */
import { type Logger, silentLogger } from "@orbitmq/host";
import { FRAME_BYTES_MAX } from "../frame/frame.ts";
import { LanguageCode } from "../tables/language-code.ts";
import { MQ_VERSION_CURRENT } from "../tables/mq-version.ts";
import type { RpcLatency } from "./rpc-latency.ts";

/** What both ends have in common. */
export interface RpcOptions {
  /** A longer frame closes the connection (FRAME_TOO_LARGE). Default 16 MiB. */
  readonly frameBytesMax?: number;
  /** A connection without traffic in either direction for this long is closed. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** A frame begun and not completed within this time closes the connection. Default 60,000. */
  readonly frameTimeoutMs?: number;
  /**
   * At this many unsent bytes a connection takes no request of ours (PEER_NOT_READING); a server closes it.
   * Default 64 MiB.
   */
  readonly unsentBytesMax?: number;
  /** LanguageCode put into every header of ours. Default OTHER: 4.x brokers do not know NODE_JS. */
  readonly language?: number;
  /** What requests carry instead once their peer has said that it is 5.0 or newer. Default NODE_JS. */
  readonly languageToV5?: number;
  /** MQVersion put into every header of ours. Default: the current one. */
  readonly version?: number;
  /** Default silent. */
  readonly logger?: Logger;
}

export interface RpcServerOptions extends RpcOptions {
  /** A further connection is closed at once and counted. Default 50,000. */
  readonly connectionsMax?: number;
  /** Unanswered requests of one connection; the next is answered 2 SYSTEM_BUSY `[OVERLOAD]`. Default 65,535. */
  readonly requestsInFlightPerConnectionMax?: number;
  /** Unanswered requests of all connections; the next is answered 2 SYSTEM_BUSY `[OVERLOAD]`. Default 262,144. */
  readonly requestsInFlightMax?: number;
  /** Above this many unsent bytes a connection is not read any more until half of them left. Default 4 MiB. */
  readonly unsentBytesPause?: number;
  /**
   * Unsent bytes of all connections. Beyond, one that has more than an eighth of `unsentBytesPause` waiting is
   * closed (PEER_NOT_READING) when it is to get more. Default 512 MiB.
   */
  readonly unsentBytesOfAllMax?: number;
  /** Counts how long answers take; default: nothing is counted. */
  readonly latency?: RpcLatency | undefined;
}

export interface RpcClientOptions extends RpcOptions {
  /** Default 3000. */
  readonly connectTimeoutMs?: number;
  /** Requests in flight over all connections; default 65,535. Beyond: TOO_MANY_REQUESTS. */
  readonly requestsInFlightMax?: number;
  /** Header encoding of requests; default ROCKETMQ. JSON is used for codes beyond 32,767 in any case. */
  readonly encoding?: "JSON" | "ROCKETMQ";
  /** Maps an advertised address to the one to dial (containers, tunnels). */
  readonly mapAddress?: ((address: string) => string) | undefined;
}

const MIB = 1024 * 1024;

export const rpcDefaults: Required<RpcOptions> = {
  frameBytesMax: FRAME_BYTES_MAX,
  idleTimeoutMs: 120_000,
  frameTimeoutMs: 60_000,
  unsentBytesMax: 64 * MIB,
  language: LanguageCode.OTHER,
  languageToV5: LanguageCode.NODE_JS,
  version: MQ_VERSION_CURRENT,
  logger: silentLogger,
};

export const rpcServerDefaults: Required<Omit<RpcServerOptions, "latency">> &
  Pick<RpcServerOptions, "latency"> = {
  ...rpcDefaults,
  connectionsMax: 50_000,
  requestsInFlightPerConnectionMax: 65_535,
  requestsInFlightMax: 262_144,
  unsentBytesPause: 4 * MIB,
  unsentBytesOfAllMax: 512 * MIB,
};

export const rpcClientDefaults: Required<RpcClientOptions> = {
  ...rpcDefaults,
  connectTimeoutMs: 3000,
  requestsInFlightMax: 65_535,
  encoding: "ROCKETMQ",
  mapAddress: undefined,
};
