/** Skeleton of the RPC client; the behaviour behind these signatures follows. */
import type { Host } from "@orbitmq/host";
import type { WireError } from "../wire-error.ts";
import type { OutgoingRequest, Peer, RequestHandler, ResponseCallback } from "./peer.ts";
import type { RpcClientOptions } from "./rpc-options.ts";

/**
 * Requests by address (`host:port`): connects on first use, one connection per address, reconnects by itself.
 * `done` is called exactly once, never synchronously, and always in the end. A GO_AWAY response reconnects
 * and resends once.
 */
export class RpcClient {
  constructor(_host: Host, _options: RpcClientOptions = {}) {}

  /** `timeoutMs` covers connecting, too. Errors as in `Peer.request`, and CONNECT_FAILED, ADDRESS_INVALID. */
  request(_address: string, _request: OutgoingRequest, _timeoutMs: number, _done: ResponseCallback): void {
    throw new Error("not there yet");
  }

  /** Sent if the connection is or gets up in time; failures are dropped. `sent` tells when it left, or why not. */
  oneway(_address: string, _request: OutgoingRequest, _sent?: (error: WireError | undefined) => void): void {
    throw new Error("not there yet");
  }

  /** Requests that arrive from the server side (40, 39, 220, …). */
  handle(_code: number, _handler: RequestHandler): void {}

  /** Told about every connection that opened or closed, for heartbeats and routes. */
  onConnection(_listener: (address: string, peer: Peer, open: boolean) => void): void {}

  /** Closes the connection to an address nobody needs any more; what is in flight fails CONNECTION_CLOSED. */
  disconnect(_address: string): void {}

  /** Fails what is in flight with RPC_STOPPED and closes every connection; idempotent. */
  stop(_done?: () => void): void {}
}
