/**
 * A Network in which `listen` and `connect` meet within this process, without sockets: the same RpcServer and
 * RpcClient run on it (`{ ...host, network: inProcessNetwork(host.timers) }`).
 *
 * The rules are those of TCP: nothing arrives in the turn it was written in, bytes arrive in order, a chunk is
 * valid until `onData` returns, `written` is called once, a paused end leaves its peer's bytes unsent, an end
 * lets what was written before arrive. Slices are handed over as they are, without a copy.
 */
import {
  assert,
  type Connection,
  type ConnectionHandlers,
  HostError,
  type Listener,
  type Network,
  type SocketAddress,
  type Timers,
} from "@orbitmq/host";
import { formatAddress } from "../message/host-address.ts";

interface QueuedWrite {
  readonly slices: readonly Uint8Array[];
  readonly byteCount: number;
  readonly written: (() => void) | undefined;
}

const EPHEMERAL_PORT_FIRST = 49_152;

class InProcessConnection implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  unsentBytes = 0;
  peer!: InProcessConnection;
  readonly #timers: Timers;
  #handlers: ConnectionHandlers | undefined;
  #queue: QueuedWrite[] = [];
  #state: "open" | "ending" | "closed" = "open";
  #paused = false;
  #scheduled = false;
  readonly #onTurn = () => {
    this.#scheduled = false;
    this.#deliver();
  };

  constructor(timers: Timers, local: SocketAddress, remote: SocketAddress) {
    this.#timers = timers;
    this.local = local;
    this.remote = remote;
  }

  handle(handlers: ConnectionHandlers): void {
    assert(this.#handlers === undefined, "a connection is handled once");
    this.#handlers = handlers;
  }

  write(slices: readonly Uint8Array[], written?: () => void): void {
    if (this.#state !== "open") {
      if (written !== undefined) this.#timers.afterTurn(written);
      return;
    }
    let byteCount = 0;
    for (const slice of slices) byteCount += slice.length;
    this.unsentBytes += byteCount;
    this.#queue.push({ slices, byteCount, written });
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.peer.#schedule();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    // As with sockets, the peer's own end is only seen by reading.
    this.resume();
    this.#schedule();
  }

  destroy(): void {
    this.#close();
    this.peer.#close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#state === "closed") return;
    this.#scheduled = true;
    this.#timers.afterTurn(this.#onTurn);
  }

  /** Hands what was queued to the peer, as far as it reads. */
  #deliver(): void {
    const { peer } = this;
    while (this.#queue.length > 0 && !peer.#paused && peer.#state !== "closed") {
      const write = this.#queue.shift()!;
      for (const slice of write.slices) {
        if (slice.length > 0 && peer.#state === "open") peer.#handlers?.onData(slice);
      }
      this.#settle(write);
    }
    if (this.#state === "ending" && this.#queue.length === 0) this.destroy();
  }

  #settle(write: QueuedWrite): void {
    this.unsentBytes -= write.byteCount;
    write.written?.();
    if (this.unsentBytes === 0 && write.byteCount > 0) this.#handlers?.onDrained?.();
  }

  /** Tells writers and handlers in a turn of its own. */
  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#timers.afterTurn(() => {
      const queue = this.#queue;
      this.#queue = [];
      for (const write of queue) this.#settle(write);
      this.#handlers?.onClosed(undefined);
    });
  }
}

class InProcessNetwork implements Network {
  readonly #timers: Timers;
  readonly #outer: Network | undefined;
  readonly #accepting = new Map<string, (connection: Connection) => void>();
  #nextPort = EPHEMERAL_PORT_FIRST;

  constructor(timers: Timers, outer: Network | undefined) {
    this.#timers = timers;
    this.#outer = outer;
  }

  listen(
    local: SocketAddress,
    onConnection: (connection: Connection) => void,
    done: (error: HostError | undefined, listener: Listener | undefined) => void,
  ): void {
    if (this.#outer !== undefined) {
      this.#outer.listen(local, onConnection, (error, listener) =>
        done(
          error,
          listener === undefined ? undefined : this.#listener(listener.local, onConnection, listener),
        ),
      );
      return;
    }
    const bound = { host: local.host, port: local.port === 0 ? this.#freePort(local.host) : local.port };
    this.#timers.afterTurn(() => {
      if (this.#accepting.has(formatAddress(bound))) {
        done(new HostError("EADDRINUSE", `${formatAddress(bound)} is taken in this process`), undefined);
      } else done(undefined, this.#listener(bound, onConnection, undefined));
    });
  }

  #freePort(host: string): number {
    while (this.#accepting.has(formatAddress({ host, port: this.#nextPort }))) this.#nextPort++;
    return this.#nextPort++;
  }

  #listener(
    local: SocketAddress,
    onConnection: (connection: Connection) => void,
    outer: Listener | undefined,
  ): Listener {
    const key = formatAddress(local);
    this.#accepting.set(key, onConnection);
    return {
      local,
      close: (done) => {
        if (this.#accepting.get(key) === onConnection) this.#accepting.delete(key);
        if (outer !== undefined) outer.close(done);
        else if (done !== undefined) this.#timers.afterTurn(done);
      },
    };
  }

  connect(
    remote: SocketAddress,
    timeoutMs: number,
    done: (error: HostError | undefined, connection: Connection | undefined) => void,
  ): void {
    const key = formatAddress(remote);
    if (!this.#accepting.has(key) && this.#outer !== undefined) {
      this.#outer.connect(remote, timeoutMs, done);
      return;
    }
    this.#timers.afterTurn(() => {
      const onConnection = this.#accepting.get(key);
      if (onConnection === undefined) {
        done(new HostError("ECONNREFUSED", `nobody listens on ${key} in this process`), undefined);
        return;
      }
      const local = { host: remote.host, port: this.#freePort(remote.host) };
      const client = new InProcessConnection(this.#timers, local, remote);
      const server = new InProcessConnection(this.#timers, remote, local);
      client.peer = server;
      server.peer = client;
      onConnection(server);
      done(undefined, client);
    });
  }

  resolve(name: string, done: (error: HostError | undefined, address: string | undefined) => void): void {
    if (this.#outer !== undefined) this.#outer.resolve(name, done);
    else this.#timers.afterTurn(() => done(undefined, name === "localhost" ? "127.0.0.1" : name));
  }

  localAddresses(): string[] {
    return this.#outer?.localAddresses() ?? ["127.0.0.1"];
  }
}

/**
 * Several hosts may share one value. With `outer`, listeners are opened there, too, and addresses nobody
 * listens on in this process are dialled there.
 */
export function inProcessNetwork(timers: Timers, outer?: Network): Network {
  return new InProcessNetwork(timers, outer);
}
