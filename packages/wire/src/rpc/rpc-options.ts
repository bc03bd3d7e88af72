/**
 * Every limit and default of the RPC layer, server and client, with what happens beyond it. The client's are
 * RocketMQ's NettyClientConfig, the server's NettyServerConfig, where those have one.
 */
import type { Logger } from "@orbitmq/host";

/** What both ends have in common. */
export interface RpcOptions {
  /** A longer frame closes the connection (FRAME_TOO_LARGE). Default 16 MiB. */
  readonly frameBytesMax?: number;
  /** A connection without traffic in either direction for this long is closed. Default 120,000. */
  readonly idleTimeoutMs?: number;
  /** LanguageCode and MQVersion put into every header of ours. Defaults: see `rpcDefaults`. */
  readonly language?: number;
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
  /** A frame begun and not completed within this time closes the connection. Default 60,000. */
  readonly frameTimeoutMs?: number;
  /** Above this many unsent bytes a connection is not read any more until half of them left. Default 8 MiB. */
  readonly unsentBytesPause?: number;
  /** At this many unsent bytes the connection is closed (PEER_NOT_READING). Default 64 MiB. */
  readonly unsentBytesMax?: number;
}

export interface RpcClientOptions extends RpcOptions {
  /** Default 3000. */
  readonly connectTimeoutMs?: number;
  /** Requests in flight over all connections; default 65,535. Beyond: TOO_MANY_REQUESTS. */
  readonly requestsInFlightMax?: number;
  /** At this many unsent bytes a connection takes no further request: PEER_NOT_READING. Default 64 MiB. */
  readonly unsentBytesMax?: number;
  /** Header encoding of requests; default ROCKETMQ. JSON is used for codes beyond 32,767 in any case. */
  readonly encoding?: "JSON" | "ROCKETMQ";
  /** Maps an advertised address to the one to dial (containers, tunnels). */
  readonly mapAddress?: ((address: string) => string) | undefined;
}
