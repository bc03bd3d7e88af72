/**
 * One timer per server or client that looks at every connection a few times per timeout and closes those that
 * are idle, dawdle over a frame, or do not end. Connections note the number of the last sweep instead of the
 * time, so traffic costs no clock reading; a limit passes up to an eighth of it late.
 */
import { assert, type TimerHandle } from "@orbitmq/host";
import { WireError } from "../wire-error.ts";
import type { RpcConnection } from "./rpc-connection.ts";
import type { RpcContext } from "./rpc-context.ts";

const SWEEPS_PER_TIMEOUT = 8;
/** What a closed connection gets for sending its rest. */
const CLOSING_MS_MAX = 30_000;

export class ConnectionSweep {
  readonly #context: RpcContext;
  readonly #connections = new Set<RpcConnection>();
  readonly #intervalMs: number;
  readonly #idleTicks: number;
  readonly #frameTicks: number;
  readonly #closingTicks: number;
  #timer: TimerHandle | undefined;

  constructor(context: RpcContext) {
    const { idleTimeoutMs, frameTimeoutMs } = context.limits;
    this.#context = context;
    this.#intervalMs = Math.max(1, Math.min(idleTimeoutMs, frameTimeoutMs) / SWEEPS_PER_TIMEOUT);
    const ticks = (timeoutMs: number) => Math.ceil(timeoutMs / this.#intervalMs);
    this.#idleTicks = ticks(idleTimeoutMs);
    this.#frameTicks = ticks(frameTimeoutMs);
    this.#closingTicks = ticks(CLOSING_MS_MAX);
  }

  get size(): number {
    return this.#connections.size;
  }

  [Symbol.iterator](): Iterator<RpcConnection> {
    return this.#connections[Symbol.iterator]();
  }

  add(connection: RpcConnection): void {
    this.#connections.add(connection);
    this.#timer ??= this.#context.host.timers.every(this.#intervalMs, () => this.#sweep());
  }

  remove(connection: RpcConnection): void {
    assert(this.#connections.delete(connection), "a connection leaves once");
    if (this.#connections.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #sweep(): void {
    const tick = ++this.#context.sweepTick;
    for (const connection of this.#connections) {
      if (connection.closedTick >= 0) {
        if (tick - connection.closedTick > this.#closingTicks) connection.destroy();
      } else if (connection.frameTick >= 0 && tick - connection.frameTick > this.#frameTicks) {
        connection.fail(new WireError("FRAME_MALFORMED", "a frame was begun and not completed in time"));
      } else if (tick - connection.activeTick > this.#idleTicks) {
        this.#context.logger.info({ peer: connection.address }, "closing an idle connection");
        connection.close();
      }
    }
  }
}
