/**
 * Serves requests by code over any number of listeners (RocketMQ: NettyRemotingServer).
 *
 * States: serving → stopAccepting: no new connections → drain: new requests are turned away, those in flight are
 * answered → close: every connection sends its rest and ends. `stop` takes all steps.
 */
import {
  assert,
  type Connection,
  type Host,
  type HostError,
  type Listener,
  type SocketAddress,
} from "@orbitmq/host";
import { type RemotingCommand, SERIALIZE_ROCKETMQ } from "../frame/remoting-command.ts";
import { MQVersion } from "../tables/mq-version.ts";
import { ResponseCode } from "../tables/response-code.ts";
import { ConnectionSweep } from "./connection-sweep.ts";
import { type Peer, Refusal, type RequestHandler } from "./peer.ts";
import { RequestDispatcher } from "./request-dispatcher.ts";
import { RpcConnection } from "./rpc-connection.ts";
import { RpcContext } from "./rpc-context.ts";
import { type RpcServerOptions, rpcServerDefaults } from "./rpc-options.ts";

export interface RpcServerStatus {
  readonly connections: number;
  readonly connectionsRefused: number;
  readonly requestsInFlight: number;
  readonly unsentBytes: number;
  /** Answers to requests of ours that came after their timeout. */
  readonly lateResponses: number;
}

type ListenCallback = (error: HostError | undefined, listener: Listener | undefined) => void;

export class RpcServer {
  readonly #host: Host;
  readonly #options: typeof rpcServerDefaults;
  readonly #context: RpcContext;
  readonly #dispatcher: RequestDispatcher;
  readonly #connections: ConnectionSweep;
  readonly #listeners = new Set<Listener>();
  readonly #peerListeners: ((peer: Peer, open: boolean) => void)[] = [];
  #connectionsRefused = 0;
  #accepting = true;
  #draining = false;
  #whenEmpty: (() => void)[] = [];
  #stopped: { left: number } | undefined;
  #whenStopped: ((left: number) => void)[] | undefined;

  constructor(host: Host, options: RpcServerOptions = {}) {
    this.#host = host;
    this.#options = { ...rpcServerDefaults, ...options };
    this.#context = new RpcContext(
      host,
      { ...this.#options, closesSlowReaders: true },
      {
        requestArrived: (connection, command) => {
          // What we ask a client is framed as it speaks: some read JSON only.
          connection.serializeType = command.serializeType;
          this.#dispatcher.dispatch(connection, command);
        },
        connectionGone: (connection) => this.#connectionGone(connection),
      },
    );
    this.#dispatcher = new RequestDispatcher(this.#context, (connection, command) =>
      this.#admit(connection, command),
    );
    this.#connections = new ConnectionSweep(this.#context);
  }

  /** One handler per code; a second one for the same code is an assertion failure. */
  handle(code: number, handler: RequestHandler): void {
    this.#dispatcher.handle(code, handler);
  }

  /** For codes without a handler; default: 3 REQUEST_CODE_NOT_SUPPORTED. */
  handleUnknown(handler: RequestHandler): void {
    this.#dispatcher.handleUnknown(handler);
  }

  /** May be called several times (main and VIP listener). */
  listen(local: SocketAddress, done: ListenCallback): void {
    assert(this.#accepting, "a stopped server does not listen");
    this.#host.network.listen(
      local,
      (connection) => this.#accept(connection),
      (error, listener) => {
        if (listener !== undefined && !this.#accepting) listener.close();
        else if (listener !== undefined) this.#listeners.add(listener);
        done(error, listener);
      },
    );
  }

  /** Told about every connection that opened (before its first request) and closed (after its last reply). */
  onPeer(listener: (peer: Peer, open: boolean) => void): void {
    this.#peerListeners.push(listener);
  }

  get status(): RpcServerStatus {
    return {
      connections: this.#connections.size,
      connectionsRefused: this.#connectionsRefused,
      requestsInFlight: this.#dispatcher.inFlight,
      unsentBytes: this.#context.unsentBytes,
      lateResponses: this.#context.lateResponses,
    };
  }

  #accept(connection: Connection): void {
    if (!this.#accepting || this.#connections.size >= this.#options.connectionsMax) {
      this.#connectionsRefused++;
      this.#context.logger.warn(
        { peer: connection.remote, connections: this.#connections.size },
        "a connection was refused",
      );
      connection.handle({ onData: () => {}, onClosed: () => {} });
      connection.destroy();
      return;
    }
    const peer = new RpcConnection(this.#context, connection, SERIALIZE_ROCKETMQ);
    this.#connections.add(peer);
    this.#tellPeer(peer, true);
  }

  #tellPeer(peer: Peer, open: boolean): void {
    for (const listener of this.#peerListeners) {
      this.#context.guard("a peer listener", () => listener(peer, open));
    }
  }

  #admit(connection: RpcConnection, command: RemotingCommand): Refusal | undefined {
    if (this.#draining) {
      return command.version > MQVersion.V5_3_1
        ? new Refusal(ResponseCode.GO_AWAY, "the server is stopping")
        : new Refusal(ResponseCode.SYSTEM_BUSY, "[STOPPING] the server is stopping");
    }
    const { requestsInFlightMax, requestsInFlightPerConnectionMax } = this.#options;
    if (connection.requestsInFlight >= requestsInFlightPerConnectionMax) {
      return overload(`this connection has ${requestsInFlightPerConnectionMax} requests in flight`);
    }
    if (this.#dispatcher.inFlight >= requestsInFlightMax) {
      return overload(`the server has ${requestsInFlightMax} requests in flight`);
    }
    return undefined;
  }

  #connectionGone(connection: RpcConnection): void {
    this.#connections.remove(connection);
    this.#dispatcher.connectionGone(connection);
    this.#tellPeer(connection, false);
    if (this.#connections.size > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const callback of waiting) callback();
  }

  /** Step 1 of stopping: no new connections. `done` when every port is free. */
  stopAccepting(done?: () => void): void {
    this.#accepting = false;
    let open = this.#listeners.size + 1;
    const closed = (): void => {
      if (--open === 0) done?.();
    };
    for (const listener of this.#listeners) listener.close(closed);
    this.#listeners.clear();
    this.#host.timers.afterTurn(closed);
  }

  /**
   * Step 2: answers new requests with 1500 GO_AWAY where the client tolerates it (version above V5_3_1), else
   * with 2 SYSTEM_BUSY `[STOPPING]`; oneways are still handled. `done` once every request taken before is
   * answered, or `timeoutMs` passed; `left` is how many are not.
   */
  drain(timeoutMs: number, done: (left: number) => void): void {
    this.#draining = true;
    let finished = false;
    const finish = (): void => {
      if (finished) return;
      finished = true;
      timer.cancel();
      this.#dispatcher.whenIdle(undefined);
      done(this.#dispatcher.inFlight);
    };
    const timer = this.#host.timers.after(timeoutMs, finish);
    this.#dispatcher.whenIdle(finish);
  }

  /** Step 3: lets every connection send its rest and end; destroys after `timeoutMs` those that have not. */
  close(timeoutMs: number, done: () => void): void {
    const finish = (): void => {
      timer.cancel();
      this.#context.deadlines.stop();
      done();
    };
    const timer = this.#host.timers.after(timeoutMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    if (this.#connections.size === 0) this.#host.timers.afterTurn(finish);
    else this.#whenEmpty.push(finish);
    for (const connection of this.#connections) connection.close();
  }

  /** The three steps in order within `timeoutMs`; `left` as in `drain`. Idempotent. */
  stop(timeoutMs: number, done: (left: number) => void = () => {}): void {
    const already = this.#stopped;
    if (already !== undefined) {
      this.#host.timers.afterTurn(() => done(already.left));
      return;
    }
    if (this.#whenStopped !== undefined) {
      this.#whenStopped.push(done);
      return;
    }
    this.#whenStopped = [done];
    const { clock } = this.#host;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    this.stopAccepting(() =>
      this.drain(Math.max(0, deadlineMs - clock.monotonicMs()), (left) =>
        this.close(Math.max(0, deadlineMs - clock.monotonicMs()), () => {
          this.#stopped = { left };
          for (const callback of this.#whenStopped!) callback(left);
        }),
      ),
    );
  }
}

function overload(why: string): Refusal {
  return new Refusal(ResponseCode.SYSTEM_BUSY, `[OVERLOAD] ${why}`);
}
