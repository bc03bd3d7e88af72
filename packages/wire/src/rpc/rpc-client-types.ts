/** What the broker (towards NameServers) and the client (towards both) need from an RPC client. */
import type { OutgoingRequest, Peer, RequestHandler, ResponseCallback } from "./peer.ts";

export interface RpcClientOptions {
  /** Default 3000. */
  readonly connectTimeoutMs?: number;
  /** Requests in flight over all connections; default 65,535. Beyond: TOO_MANY_REQUESTS. */
  readonly requestsInFlightMax?: number;
  /** A connection without traffic for this long is closed; default 120,000. */
  readonly idleTimeoutMs?: number;
  /** Default 16 MiB. */
  readonly frameBytesMax?: number;
  /** Header encoding of requests; default ROCKETMQ. JSON is used for codes beyond 32,767 in any case. */
  readonly encoding?: "JSON" | "ROCKETMQ";
  /** LanguageCode and MQVersion sent in every request. */
  readonly language?: number;
  readonly version?: number;
  /** Maps an advertised address to the one to dial (containers, tunnels). */
  readonly mapAddress?: ((address: string) => string) | undefined;
}

/**
 * Requests by address (`host:port`): connects on first use, one connection per address, reconnects by itself.
 * `done` is called exactly once, never synchronously, and always in the end. A GO_AWAY response reconnects
 * and resends once.
 */
export interface RpcClient {
  request(address: string, request: OutgoingRequest, timeoutMs: number, done: ResponseCallback): void;
  /** Sent if the connection is or gets up in time; failures are dropped. `sent` tells when it left, or why not. */
  oneway(address: string, request: OutgoingRequest, sent?: (error: Error | undefined) => void): void;
  /** Requests that arrive from the server side (40, 39, 220, …). */
  handle(code: number, handler: RequestHandler): void;
  /** Told about every connection that opened or closed, for heartbeats and routes. */
  onConnection(listener: (address: string, peer: Peer, open: boolean) => void): void;
  /** Fails what is in flight with RPC_STOPPED and closes every connection; idempotent. */
  stop(done?: () => void): void;
}
