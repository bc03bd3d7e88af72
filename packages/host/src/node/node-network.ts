/** TCP of the real machine: listening, connecting, names. No socket here ever lacks an 'error' listener. */
import { lookup } from "node:dns";
import {
  createServer,
  isIP,
  type OnReadOpts,
  type Server,
  Socket,
  type SocketConstructorOpts,
} from "node:net";
import { networkInterfaces } from "node:os";
import { assert } from "../assert.ts";
import { HostError } from "../host-error.ts";
import type { Logger } from "../log.ts";
import type { Connection, Listener, Network, SocketAddress } from "../network.ts";
import { NodeConnection } from "./node-connection.ts";
import { ReadTurns } from "./read-turns.ts";
import { toHostError } from "./to-host-error.ts";

const READ_BUFFER_BYTES = 64 * 1024;
const LISTEN_BACKLOG = 1024;

/** Calls Node makes on every read; documented for `new Socket` but not yet in its types. */
type SocketOptions = SocketConstructorOpts & { handle?: unknown; onread: OnReadOpts };

/** What Node keeps inside an accepted socket; undocumented, so its absence is coped with. */
interface AcceptedSocket {
  _handle?: { useUserBuffer?: unknown } | null;
}

export class NodeNetwork implements Network {
  readonly #logger: Logger;
  readonly #readBuffer = new Uint8Array(READ_BUFFER_BYTES);
  readonly #turns = new ReadTurns();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  listen(
    local: SocketAddress,
    onConnection: (connection: Connection) => void,
    done: (error: HostError | undefined, listener: Listener | undefined) => void,
  ): void {
    const what = `listen on ${local.host}:${local.port}`;
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (accepted) =>
      this.#accept(accepted, onConnection),
    );
    let settled = false;
    server.on("error", (error) => {
      if (settled) {
        this.#logger.warn({ err: error }, `${what}: a connection could not be accepted`);
        return;
      }
      settled = true;
      done(toHostError(error, what), undefined);
    });
    const { host, port } = local;
    try {
      server.listen({ host, port, backlog: LISTEN_BACKLOG, exclusive: true }, () => {
        settled = true;
        done(undefined, new NodeListener(server));
      });
    } catch (error) {
      // A port out of range.
      settled = true;
      process.nextTick(done, toHostError(error, what), undefined);
    }
  }

  #accept(accepted: Socket, onConnection: (connection: Connection) => void): void {
    const { socket, adopt } = this.#shareReadBuffer(accepted);
    if (socket.remoteAddress === undefined) {
      // The peer left while it waited to be accepted.
      socket.on("error", (error) => this.#logger.debug({ err: error }, "a peer left before it was accepted"));
      socket.destroy();
      return;
    }
    const connection = new NodeConnection(socket, this.#turns);
    adopt(connection);
    onConnection(connection);
    assert(connection.isHandled, "an accepted connection is handled in the callback that hands it over");
  }

  /**
   * Node offers `onread` for sockets one makes, not for those a server accepts. So the accepted handle is moved
   * to a socket of our own making; where Node's inside is not as expected, reads allocate as they always did.
   */
  #shareReadBuffer(accepted: Socket): { socket: Socket; adopt: (connection: NodeConnection) => void } {
    const inner = accepted as unknown as AcceptedSocket;
    const handle = inner._handle;
    if (typeof handle?.useUserBuffer !== "function") {
      return {
        socket: accepted,
        adopt: (connection) => {
          accepted.on("data", (chunk) => connection.receive(chunk));
          accepted.resume();
        },
      };
    }
    inner._handle = null;
    const reader = this.#reader();
    const socket = new Socket({ handle, onread: reader.onread } as SocketOptions);
    return { socket, adopt: reader.adopt };
  }

  #reader(): {
    onread: OnReadOpts;
    adopt: (connection: NodeConnection) => void;
  } {
    const buffer = this.#readBuffer;
    let connection: NodeConnection | undefined;
    return {
      onread: {
        buffer,
        callback(byteCount) {
          connection?.receive(buffer.subarray(0, byteCount));
          return true;
        },
      },
      adopt: (made) => {
        connection = made;
      },
    };
  }

  connect(
    remote: SocketAddress,
    timeoutMs: number,
    done: (error: HostError | undefined, connection: Connection | undefined) => void,
  ): void {
    const what = `connect to ${remote.host}:${remote.port}`;
    const reader = this.#reader();
    const socket = new Socket({ onread: reader.onread } as SocketOptions);
    const fail = (error: unknown): void => {
      clearTimeout(timeout);
      socket.removeAllListeners();
      socket.on("error", (late) => this.#logger.debug({ err: late }, `${what}: a late error`));
      socket.destroy();
      done(toHostError(error, what), undefined);
    };
    const timeout = setTimeout(
      () => fail(new HostError("ETIMEDOUT", `no answer within ${timeoutMs} ms`)),
      Math.max(timeoutMs, 1),
    );
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timeout);
      socket.removeListener("error", fail);
      // As an option of `connect`, Node takes no notice of it: a second small write would wait 40 ms for an ack.
      socket.setNoDelay(true);
      const connection = new NodeConnection(socket, this.#turns);
      reader.adopt(connection);
      done(undefined, connection);
      assert(connection.isHandled, "a connection is handled in the callback that hands it over");
    });
    try {
      socket.connect({ host: remote.host, port: remote.port });
    } catch (error) {
      // A port out of range.
      process.nextTick(fail, error);
    }
  }

  resolve(name: string, done: (error: HostError | undefined, address: string | undefined) => void): void {
    if (isIP(name) !== 0) {
      process.nextTick(done, undefined, name);
      return;
    }
    lookup(name, { verbatim: false }, (error, address) => {
      if (error === null) done(undefined, address);
      else done(toHostError(error, `resolve ${name}`), undefined);
    });
  }

  localAddresses(): string[] {
    const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    /** Loopback last, link-local before it; IPv4 before IPv6 in each. */
    const rank = (entry: (typeof addresses)[number]): number =>
      (entry.internal ? 4 : /^(fe80:|169\.254\.)/i.test(entry.address) ? 2 : 0) +
      (entry.family === "IPv4" ? 0 : 1);
    return addresses.sort((a, b) => rank(a) - rank(b)).map((entry) => entry.address);
  }
}

class NodeListener implements Listener {
  readonly local: SocketAddress;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const bound = server.address();
    assert(bound !== null && typeof bound === "object", "a listening TCP server has an address");
    this.local = { host: bound.address, port: bound.port };
  }

  /** The kernel frees the port at once; Node's own callback would wait for the connections. */
  close(done?: () => void): void {
    this.#server.close();
    if (done !== undefined) setImmediate(done);
  }
}
