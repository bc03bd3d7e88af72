/**
 * Sends requests to addresses (RocketMQ: NettyRemotingClient): connects on first use, one connection per
 * address, many requests in flight on it, each settled exactly once. Requests that arrive from the other side
 * are answered by handlers, as in a server.
 */
import type { Connection, Host } from "@orbitmq/host";
import { SERIALIZE_JSON, SERIALIZE_ROCKETMQ, type SerializeType } from "../frame/remoting-command.ts";
import { WireError } from "../wire-error.ts";
import { AddressChannel, type ChannelOwner } from "./address-channel.ts";
import { ClientOneway, ClientRequest, type InFlight } from "./client-request.ts";
import { ConnectionSweep } from "./connection-sweep.ts";
import type { OutgoingRequest, Peer, RequestHandler, ResponseCallback } from "./peer.ts";
import { RequestDispatcher } from "./request-dispatcher.ts";
import { RpcConnection } from "./rpc-connection.ts";
import { RpcContext } from "./rpc-context.ts";
import { type RpcClientOptions, rpcClientDefaults } from "./rpc-options.ts";

export interface RpcClientStatus {
  readonly connections: number;
  /** Requests and oneways under way, those that wait for a connection included. */
  readonly requestsInFlight: number;
  readonly unsentBytes: number;
  /** Responses that came after their request's timeout. */
  readonly lateResponses: number;
}

export class RpcClient {
  readonly #host: Host;
  readonly #options: Required<RpcClientOptions>;
  readonly #serializeType: SerializeType;
  readonly #context: RpcContext;
  readonly #dispatcher: RequestDispatcher;
  readonly #connections: ConnectionSweep;
  readonly #channels = new Map<string, AddressChannel>();
  readonly #channelOwner: ChannelOwner;
  /** Which address each connection was dialled for. */
  readonly #addresses = new Map<RpcConnection, string>();
  readonly #inFlight: InFlight = { count: 0 };
  readonly #connectionListeners: ((address: string, peer: Peer, open: boolean) => void)[] = [];
  #dialling = 0;
  #stopped = false;
  #whenStopped: (() => void)[] = [];

  constructor(host: Host, options: RpcClientOptions = {}) {
    this.#host = host;
    this.#options = { ...rpcClientDefaults, ...options };
    this.#serializeType = this.#options.encoding === "JSON" ? SERIALIZE_JSON : SERIALIZE_ROCKETMQ;
    const limits = {
      ...this.#options,
      unsentBytesPause: Number.POSITIVE_INFINITY,
      unsentBytesOfAllMax: Number.POSITIVE_INFINITY,
      closesSlowReaders: false,
    };
    this.#context = new RpcContext(host, limits, {
      requestArrived: (connection, command) => this.#dispatcher.dispatch(connection, command),
      connectionGone: (connection) => this.#connectionGone(connection),
    });
    this.#dispatcher = new RequestDispatcher(this.#context, () => undefined);
    this.#connections = new ConnectionSweep(this.#context);
    this.#channelOwner = {
      dial: (target, done) => {
        this.#dialling++;
        host.network.connect(target, this.#options.connectTimeoutMs, (error, connection) => {
          this.#dialling--;
          done(error, connection);
          this.#checkStopped();
        });
      },
      adopt: (address, connection) => this.#adopt(address, connection),
      mapAddress: (address) => this.#options.mapAddress?.(address) ?? address,
      later: (fn) => host.timers.afterTurn(fn),
    };
  }

  /**
   * `timeoutMs` covers connecting, too. `done` is called exactly once, never synchronously, always in the end.
   * Errors as in `Peer.request`, and CONNECT_FAILED, ADDRESS_INVALID. A GO_AWAY response reconnects and resends
   * once; a second one is handed on as the response it is.
   */
  request(address: string, request: OutgoingRequest, timeoutMs: number, done: ResponseCallback): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#host.timers.afterTurn(() =>
        this.#context.guard("a response callback", () => done(refusal, undefined)),
      );
      return;
    }
    const channel = this.#channel(address);
    const pending = new ClientRequest(this.#context, channel, this.#inFlight, request, done);
    this.#context.deadlines.add(pending, timeoutMs);
    channel.submit(pending);
  }

  /** Sent if the connection is or gets up in time; failures are dropped. `sent` tells when it left, or why not. */
  oneway(address: string, request: OutgoingRequest, sent?: (error: WireError | undefined) => void): void {
    const refusal = this.#refusal();
    if (refusal === undefined) {
      this.#channel(address).submit(new ClientOneway(this.#context, this.#inFlight, request, sent));
    } else if (sent !== undefined) {
      this.#host.timers.afterTurn(() => this.#context.guard("a oneway callback", () => sent(refusal)));
    }
  }

  #refusal(): WireError | undefined {
    if (this.#stopped) return new WireError("RPC_STOPPED", "the RPC client was stopped");
    const { requestsInFlightMax } = this.#options;
    if (this.#inFlight.count < requestsInFlightMax) return undefined;
    return new WireError("TOO_MANY_REQUESTS", `${requestsInFlightMax} requests are in flight`);
  }

  /** Requests that arrive from the server side (40, 39, 220, …). */
  handle(code: number, handler: RequestHandler): void {
    this.#dispatcher.handle(code, handler);
  }

  /** Told about every connection that opened or closed, for heartbeats and routes. */
  onConnection(listener: (address: string, peer: Peer, open: boolean) => void): void {
    this.#connectionListeners.push(listener);
  }

  /** Closes the connection to an address nobody needs any more; what is in flight fails CONNECTION_CLOSED. */
  disconnect(address: string): void {
    this.#channels.get(address)?.connection?.close();
  }

  get status(): RpcClientStatus {
    return {
      connections: this.#connections.size,
      requestsInFlight: this.#inFlight.count,
      unsentBytes: this.#context.unsentBytes,
      lateResponses: this.#context.lateResponses,
    };
  }

  #channel(address: string): AddressChannel {
    let channel = this.#channels.get(address);
    if (channel === undefined) {
      channel = new AddressChannel(this.#channelOwner, address);
      this.#channels.set(address, channel);
    }
    return channel;
  }

  #adopt(address: string, connection: Connection): RpcConnection | undefined {
    if (this.#stopped) {
      connection.handle({ onData: () => {}, onClosed: () => {} });
      connection.destroy();
      return undefined;
    }
    const adopted = new RpcConnection(this.#context, connection, this.#serializeType);
    this.#connections.add(adopted);
    this.#addresses.set(adopted, address);
    // Before anybody is told: a listener's own request goes over this connection, ahead of what waits for it.
    this.#channel(address).connection = adopted;
    this.#tell(address, adopted, true);
    return adopted;
  }

  #tell(address: string, peer: Peer, open: boolean): void {
    for (const listener of this.#connectionListeners) {
      this.#context.guard("a connection listener", () => listener(address, peer, open));
    }
  }

  #connectionGone(connection: RpcConnection): void {
    this.#connections.remove(connection);
    this.#dispatcher.connectionGone(connection);
    const address = this.#addresses.get(connection)!;
    this.#addresses.delete(connection);
    const channel = this.#channels.get(address);
    if (channel?.connection === connection) channel.connection = undefined;
    if (channel?.isIdle === true) this.#channels.delete(address);
    this.#tell(address, connection, false);
    this.#checkStopped();
  }

  /**
   * Fails what is in flight with RPC_STOPPED and closes every connection, sending first what was framed;
   * idempotent. `done` when no connection is left; an attempt to connect is waited for.
   */
  stop(done?: () => void): void {
    if (done !== undefined) this.#whenStopped.push(done);
    if (!this.#stopped) {
      this.#stopped = true;
      const error = new WireError("RPC_STOPPED", "the RPC client was stopped");
      for (const channel of this.#channels.values())
        this.#host.timers.afterTurn(() => channel.failWaiting(error));
      for (const connection of this.#connections) connection.close(error);
    }
    this.#host.timers.afterTurn(() => this.#checkStopped());
  }

  #checkStopped(): void {
    if (!this.#stopped || this.#connections.size > 0 || this.#dialling > 0) return;
    this.#context.deadlines.stop();
    const waiting = this.#whenStopped;
    this.#whenStopped = [];
    for (const callback of waiting) callback();
  }
}
