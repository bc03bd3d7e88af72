/**
 * One TCP connection on a `node:net` socket.
 *
 * Reading goes through one buffer that all connections share: Node calls back synchronously after each read,
 * and `onData` may use a chunk only until it returns. (Node's default gives every read a fresh 64 KiB.)
 *
 * States: open → ending (`end` was called, or the peer ended; what is queued still leaves) → closed. An ended
 * connection is destroyed when the other side has not followed after a while.
 */
import type { Socket } from "node:net";
import { assert } from "../assert.ts";
import type { HostError } from "../host-error.ts";
import type { Connection, ConnectionHandlers, SocketAddress } from "../network.ts";
import type { Reader, ReadTurns } from "./read-turns.ts";
import { toHostError } from "./to-host-error.ts";

/** How long an ended connection waits for its peer to close, too. */
const LINGER_MS = 1000;
/** When so much was read and not yet handed over, no more is read. */
const PUT_OFF_BYTES_MAX = 256 * 1024;

interface QueuedWrite {
  readonly byteCount: number;
  readonly written: (() => void) | undefined;
}

const noBytes = new Uint8Array(0);

/** A peer over IPv4 on an IPv6 listener is an IPv4 peer. */
function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
}

export class NodeConnection implements Connection, Reader {
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  unsentBytes = 0;
  readonly #socket: Socket;
  readonly #turns: ReadTurns;
  /** Read, and not yet handed over. */
  readonly #putOff: Buffer[] = [];
  #putOffBytes = 0;
  #isWaiting = false;
  /** By `pause`. */
  #isPaused = false;
  /** Writes Node has not confirmed, oldest first: it confirms in order, one callback each. */
  readonly #writes: QueuedWrite[] = [];
  #handlers: ConnectionHandlers | undefined;
  #error: HostError | undefined;
  #ending = false;
  #closed = false;
  #linger: NodeJS.Timeout | undefined;
  readonly #onWritten = () => {
    if (!this.#closed) this.#settleOldest();
  };

  /** `socket` must be connected. */
  constructor(socket: Socket, turns: ReadTurns) {
    this.#socket = socket;
    this.#turns = turns;
    this.remote = { host: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 };
    this.local = { host: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
    socket.on("error", (error) => {
      this.#error ??= toHostError(error, `connection with ${this.remote.host}:${this.remote.port}`);
    });
    socket.on("end", () => {
      this.#handOverRest();
      this.#beginEnding();
    });
    socket.on("close", () => {
      this.#handOverRest();
      this.#becomeClosed();
    });
  }

  /** What was read: `chunk` is the shared buffer's front. */
  receive(chunk: Uint8Array): void {
    if (this.#ending) return;
    if (this.#putOff.length === 0 && !this.#isPaused && this.#turns.hasTime()) {
      this.#handlers?.onData(chunk);
      return;
    }
    this.#putOff.push(Buffer.from(chunk));
    this.#putOffBytes += chunk.length;
    if (this.#putOffBytes >= PUT_OFF_BYTES_MAX) this.#socket.pause();
    this.#waitForTurn();
  }

  #waitForTurn(): void {
    if (this.#isWaiting || this.#isPaused) return;
    this.#isWaiting = true;
    this.#turns.later(this);
  }

  handOverOne(): boolean {
    this.#isWaiting = false;
    if (this.#isPaused || this.#ending) return false;
    this.#handOver();
    if (this.#isPaused) return false;
    this.#isWaiting = this.#putOff.length > 0;
    if (!this.#isWaiting && this.#socket.isPaused()) this.#socket.resume();
    return this.#isWaiting;
  }

  #handOver(): void {
    const chunk = this.#putOff.shift()!;
    this.#putOffBytes -= chunk.length;
    this.#handlers?.onData(chunk);
  }

  /** Nothing more will be read: what was comes before the word of it. */
  #handOverRest(): void {
    while (this.#putOff.length > 0 && !this.#ending) this.#handOver();
  }

  handle(handlers: ConnectionHandlers): void {
    assert(this.#handlers === undefined, "a connection is handled once");
    this.#handlers = handlers;
  }

  get isHandled(): boolean {
    return this.#handlers !== undefined;
  }

  write(slices: readonly Uint8Array[], written?: () => void): void {
    if (this.#closed || this.#ending) {
      if (written !== undefined) process.nextTick(written);
      return;
    }
    let byteCount = 0;
    for (const slice of slices) byteCount += slice.length;
    this.unsentBytes += byteCount;
    this.#writes.push({ byteCount, written });
    const last = slices.length - 1;
    if (last <= 0) {
      this.#socket.write(slices[0] ?? noBytes, this.#onWritten);
      return;
    }
    this.#socket.cork();
    for (let index = 0; index < last; index++) this.#socket.write(slices[index]!);
    this.#socket.write(slices[last]!, this.#onWritten);
    this.#socket.uncork();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#putOff.length === 0) this.#socket.resume();
    else this.#waitForTurn();
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#ending = true;
    this.#socket.end(() => this.#beginEnding());
    // The peer's own end is only seen by reading.
    this.#socket.resume();
  }

  #beginEnding(): void {
    this.#ending = true;
    if (this.#closed || this.#linger !== undefined) return;
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }

  #settleOldest(): void {
    const write = this.#writes.shift();
    assert(write !== undefined, "every confirmed write was queued");
    this.unsentBytes -= write.byteCount;
    write.written?.();
    if (this.unsentBytes === 0 && write.byteCount > 0 && !this.#closed) this.#handlers?.onDrained?.();
  }

  #becomeClosed(): void {
    this.#closed = true;
    clearTimeout(this.#linger);
    while (this.#writes.length > 0) this.#settleOldest();
    this.#handlers?.onClosed(this.#error);
  }
}
