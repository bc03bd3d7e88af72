/**
 * TCP as an RPC layer needs it: plain callbacks, batched writes, back-pressure by `unsentBytes`.
 */
import type { HostError } from "./host-error.ts";

export interface SocketAddress {
  /** A numeric IPv4 or IPv6 address (no brackets), or a name where a name is allowed. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectionHandlers {
  /** `chunk` is valid until this returns; keep a copy of what is needed later. */
  onData(chunk: Uint8Array): void;
  /** `unsentBytes` fell back to zero after having been above it. */
  onDrained?(): void;
  /** Called exactly once, when nothing more will arrive or leave. No error after an orderly close. */
  onClosed(error: HostError | undefined): void;
}

export interface Connection {
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  /** Must be called synchronously in the callback that handed the connection over. */
  handle(handlers: ConnectionHandlers): void;
  /**
   * Queues `slices` as one write. They must not change until `written` is called: that happens once, when the
   * kernel has taken them or the connection is gone. Writing to a closed connection only calls `written`.
   */
  write(slices: readonly Uint8Array[], written?: () => void): void;
  /** Bytes queued by `write` and not yet taken by the kernel. */
  readonly unsentBytes: number;
  /** Stops and resumes `onData`. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once; queued bytes may be lost. */
  destroy(): void;
}

export interface Listener {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly local: SocketAddress;
  /** Stops accepting; existing connections stay. `done` when the port is free again. */
  close(done?: () => void): void;
}

export interface Network {
  listen(
    local: SocketAddress,
    onConnection: (connection: Connection) => void,
    done: (error: HostError | undefined, listener: Listener | undefined) => void,
  ): void;
  /** Connects within `timeoutMs`, else ETIMEDOUT. `remote.host` may be a name. */
  connect(
    remote: SocketAddress,
    timeoutMs: number,
    done: (error: HostError | undefined, connection: Connection | undefined) => void,
  ): void;
  /** The first IP address of `name`; a numeric address resolves to itself. */
  resolve(name: string, done: (error: HostError | undefined, address: string | undefined) => void): void;
  /** This machine's addresses, non-loopback first. */
  localAddresses(): string[];
}
