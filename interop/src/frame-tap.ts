/**
 * A TCP relay that hands every remoting frame passing through it, raw, to a listener. It splits the streams by the length
 * prefix alone and changes nothing. It dials with the loopback address so that a server sees what it would see without it.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface TapAddress {
  readonly host: string;
  readonly port: number;
}

export interface TappedConnection {
  /** Whatever the listener wants to remember about it. */
  readonly label: string;
}

export type FrameListener = (connection: TappedConnection, fromServer: boolean, frame: Buffer) => void;

export class FrameTap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Relays `listen` to `target`; `label` is asked once per connection. */
  static async open(
    listen: TapAddress,
    target: TapAddress,
    label: () => string,
    listener: FrameListener,
  ): Promise<FrameTap> {
    const tap = new FrameTap(createServer({ allowHalfOpen: true }));
    tap.#server.on("connection", (client) => {
      const connection = { label: label() };
      const server = connect({ ...target, localAddress: "127.0.0.1", allowHalfOpen: true });
      tap.#relay(client, server, (frame) => listener(connection, false, frame));
      tap.#relay(server, client, (frame) => listener(connection, true, frame));
    });
    tap.#server.listen(listen);
    await once(tap.#server, "listening");
    return tap;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #relay(from: Socket, to: Socket, onFrame: (frame: Buffer) => void): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    let pending = Buffer.alloc(0);
    from.on("data", (chunk) => {
      to.write(chunk);
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const end = 4 + pending.readUInt32BE(0);
        onFrame(Buffer.from(pending.subarray(0, end)));
        pending = pending.subarray(end);
      }
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
