/** Skeleton of the RPC server; the behaviour behind these signatures follows. */
import type { Host, HostError, Listener, SocketAddress } from "@orbitmq/host";
import type { Peer, RequestHandler } from "./peer.ts";
import type { RpcServerOptions } from "./rpc-options.ts";

export class RpcServer {
  constructor(_host: Host, _options: RpcServerOptions = {}) {}

  /** One handler per code; a second one for the same code is an assertion failure. */
  handle(_code: number, _handler: RequestHandler): void {}

  /** For codes without a handler; default: 3 REQUEST_CODE_NOT_SUPPORTED. */
  handleUnknown(_handler: RequestHandler): void {}

  /** May be called several times (main and VIP listener). */
  listen(
    _local: SocketAddress,
    _done: (error: HostError | undefined, listener: Listener | undefined) => void,
  ): void {}

  /** Told about every connection that opened (before its first request) and closed (after its last reply). */
  onPeer(_listener: (peer: Peer, open: boolean) => void): void {}

  /** Step 1 of stopping: no new connections. `done` when every port is free. */
  stopAccepting(_done?: () => void): void {}

  /**
   * Step 2: answers new requests with 1500 GO_AWAY where the client tolerates it (version above V5_3_1), else
   * with 2 SYSTEM_BUSY `[STOPPING]`; oneways are still handled. `done` once every request taken before is
   * answered and sent, or `timeoutMs` passed; `left` is how many are not.
   */
  drain(_timeoutMs: number, _done: (left: number) => void): void {}

  /** Step 3: ends every connection, destroys after `timeoutMs` those that do not end. */
  close(_timeoutMs: number, _done: () => void): void {}

  /** The three steps in order within `timeoutMs`; `left` as in `drain`. Idempotent. */
  stop(_timeoutMs: number, _done?: (left: number) => void): void {}
}
