/**
 * A network that can say whether anything is on its way: between two watched ends in one process every byte written
 * and not yet received, every connection asked for and not yet there, every close the other end has not seen. The
 * kernel needs a moment for each of them, and a manual clock must not jump over it.
 */
import type { Connection, ConnectionHandlers, Listener, Network, SocketAddress } from "@orbitmq/host";

const nameOf = (from: SocketAddress, to: SocketAddress): string =>
  `${from.host}|${from.port} ${to.host}|${to.port}`;

/** One end of a connection. */
class End implements Connection {
  receivedBytes = 0;
  writtenBytes = 0;
  /** Reads nothing at the moment, or nothing any more. */
  isDeaf = false;
  /** From here to there, and from there to here. */
  readonly name: string;
  readonly otherName: string;
  readonly #inner: Connection;
  readonly #traffic: Traffic;

  constructor(inner: Connection, traffic: Traffic) {
    this.name = nameOf(inner.local, inner.remote);
    this.otherName = nameOf(inner.remote, inner.local);
    this.#inner = inner;
    this.#traffic = traffic;
  }

  get remote(): SocketAddress {
    return this.#inner.remote;
  }

  get local(): SocketAddress {
    return this.#inner.local;
  }

  get unsentBytes(): number {
    return this.#inner.unsentBytes;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#inner.handle({
      onData: (chunk) => {
        this.receivedBytes += chunk.length;
        this.#traffic.activity++;
        handlers.onData(chunk);
      },
      onDrained: () => handlers.onDrained?.(),
      onClosed: (error) => {
        this.#traffic.remove(this);
        handlers.onClosed(error);
      },
    });
  }

  write(slices: readonly Uint8Array[], written?: () => void): void {
    for (const slice of slices) this.writtenBytes += slice.length;
    this.#traffic.activity++;
    this.#inner.write(slices, written);
  }

  pause(): void {
    this.isDeaf = true;
    this.#inner.pause();
  }

  resume(): void {
    this.isDeaf = false;
    this.#inner.resume();
  }

  end(): void {
    this.isDeaf = true;
    this.#traffic.closing(this);
    this.#inner.end();
  }

  destroy(): void {
    this.isDeaf = true;
    this.#traffic.closing(this);
    this.#inner.destroy();
  }
}

/** What all watched networks of one clock have on their way. */
export class Traffic {
  /** Grows with everything that happens. */
  activity = 0;
  /** Ends by their own and the other's address. */
  readonly #ends = new Map<string, End>();
  /** Ends whose other end closes and that have not heard of it. */
  readonly #toHear = new Set<End>();
  readonly #listeningPorts = new Set<number>();
  /** Ends that somebody connected to here and no listener has handed over yet. */
  readonly #toAccept = new Set<string>();
  #connecting = 0;

  /** Something is on its way between two watched ends. */
  get busy(): boolean {
    if (this.#connecting > 0 || this.#toHear.size > 0 || this.#toAccept.size > 0) return true;
    for (const end of this.#ends.values()) {
      const other = this.#otherOf(end);
      // What nobody reads, because its reader has too much, does not count: it may need time to pass.
      if (other !== undefined && !other.isDeaf && end.writtenBytes > other.receivedBytes) return true;
    }
    return false;
  }

  watch(inner: Network): Network {
    return {
      listen: (local, onConnection, done) =>
        inner.listen(
          local,
          (connection) => onConnection(this.#add(connection)),
          (error, listener) => {
            if (listener === undefined) return done(error, listener);
            this.#listeningPorts.add(listener.local.port);
            done(error, { local: listener.local, close: (closed) => this.#close(listener, closed) });
          },
        ),
      connect: (remote, timeoutMs, done) => {
        this.#connecting++;
        inner.connect(remote, timeoutMs, (error, connection) => {
          this.#connecting--;
          this.activity++;
          if (connection === undefined) return done(error, connection);
          const end = this.#add(connection);
          if (this.#listeningPorts.has(end.remote.port) && this.#otherOf(end) === undefined)
            this.#toAccept.add(end.otherName);
          done(error, end);
        });
      },
      resolve: (name, done) => inner.resolve(name, done),
      localAddresses: () => inner.localAddresses(),
    };
  }

  /** What it has not handed over by now it never will. */
  #close(listener: Listener, closed: (() => void) | undefined): void {
    this.#listeningPorts.delete(listener.local.port);
    for (const name of this.#toAccept)
      if (name.split(" ")[0]?.endsWith(`|${listener.local.port}`)) this.#toAccept.delete(name);
    listener.close(closed);
  }

  remove(end: End): void {
    this.activity++;
    this.#toHear.delete(end);
    this.#toAccept.delete(end.otherName);
    this.#ends.delete(end.name);
  }

  closing(end: End): void {
    this.activity++;
    const other = this.#otherOf(end);
    if (other !== undefined) this.#toHear.add(other);
  }

  #add(connection: Connection): End {
    this.activity++;
    const end = new End(connection, this);
    this.#ends.set(end.name, end);
    this.#toAccept.delete(end.name);
    return end;
  }

  #otherOf(end: End): End | undefined {
    return this.#ends.get(end.otherName);
  }
}
