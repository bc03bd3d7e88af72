/**
 * One address of an RpcClient. States: no connection → connecting (requests wait) → connected → no connection.
 * Nothing connects by itself: the next request does.
 */
import type { Connection, HostError, SocketAddress } from "@orbitmq/host";
import { parseAddress } from "../message/host-address.ts";
import { WireError } from "../wire-error.ts";
import type { RpcConnection } from "./rpc-connection.ts";

/** What waits for a connection. */
export interface Waiting {
  /** Frames itself into the connection, or fails, later. */
  sendOn(connection: RpcConnection): void;
  failed(error: WireError): void;
}

/** What a channel needs of its client. */
export interface ChannelOwner {
  dial(
    target: SocketAddress,
    done: (error: HostError | undefined, connection: Connection | undefined) => void,
  ): void;
  /** `undefined` when the client was stopped meanwhile. */
  adopt(address: string, connection: Connection): RpcConnection | undefined;
  mapAddress(address: string): string;
  /** Runs `fn` in a turn of its own. */
  later(fn: () => void): void;
}

export class AddressChannel {
  readonly address: string;
  connection: RpcConnection | undefined;
  readonly #owner: ChannelOwner;
  readonly #waiting = new Set<Waiting>();
  #connecting = false;

  constructor(owner: ChannelOwner, address: string) {
    this.#owner = owner;
    this.address = address;
  }

  get isIdle(): boolean {
    return this.connection === undefined && !this.#connecting;
  }

  submit(item: Waiting): void {
    const { connection } = this;
    if (connection !== undefined && !connection.closed) {
      item.sendOn(connection);
      return;
    }
    this.#waiting.add(item);
    if (!this.#connecting) this.#connect();
  }

  /** The item does not wait any more. */
  remove(item: Waiting): void {
    this.#waiting.delete(item);
  }

  /** The server wants no more requests on `connection`; the next one opens another. */
  retire(connection: RpcConnection): void {
    if (this.connection === connection) this.connection = undefined;
    connection.retire();
  }

  failWaiting(error: WireError): void {
    const items = [...this.#waiting];
    this.#waiting.clear();
    for (const item of items) item.failed(error);
  }

  #connect(): void {
    this.#connecting = true;
    let target: SocketAddress;
    try {
      target = parseAddress(this.#owner.mapAddress(this.address));
    } catch (cause) {
      const error =
        cause instanceof WireError
          ? cause
          : new WireError("ADDRESS_INVALID", `mapAddress threw for ${this.address}`, { cause });
      this.#owner.later(() => this.#failed(error));
      return;
    }
    this.#owner.dial(target, (cause, connection) => {
      if (connection !== undefined) this.#connected(connection);
      else this.#failed(new WireError("CONNECT_FAILED", `${this.address}: ${cause?.message}`, { cause }));
    });
  }

  #failed(error: WireError): void {
    this.#connecting = false;
    this.failWaiting(error);
  }

  #connected(accepted: Connection): void {
    this.#connecting = false;
    const connection = this.#owner.adopt(this.address, accepted);
    if (connection === undefined) return;
    this.connection = connection;
    const items = [...this.#waiting];
    this.#waiting.clear();
    for (const item of items) item.sendOn(connection);
  }
}
