/**
 * What all connections of one RpcServer or RpcClient share: memory for frames, the deadlines of requests, the
 * list of connections with something to send this turn, counters.
 */
import type { Host, HostProcess, Logger } from "@orbitmq/host";
import { FrameChunkPool } from "../frame/frame-chunk-pool.ts";
import type { RemotingCommand } from "../frame/remoting-command.ts";
import { Deadlines } from "./deadlines.ts";
import type { RpcConnection } from "./rpc-connection.ts";
import { latencyTick, type RpcLatency } from "./rpc-latency.ts";
import type { RpcOptions } from "./rpc-options.ts";

export interface RpcLimits extends Required<RpcOptions> {
  /** Infinity: never. */
  readonly unsentBytesPause: number;
  /** Infinity: never. */
  readonly unsentBytesOfAllMax: number;
  /** Is a connection at `unsentBytesMax` closed, or does it only refuse requests? */
  readonly closesSlowReaders: boolean;
  /** Counts how long answers take. */
  readonly latency?: RpcLatency | undefined;
}

/** What the owner of connections is told. */
export interface ConnectionOwner {
  /** `command` is valid until this returns. Must not throw. */
  requestArrived(connection: RpcConnection, command: RemotingCommand): void;
  /** Nothing more arrives or leaves, and every reply has been told `written`. */
  connectionGone(connection: RpcConnection): void;
}

export class RpcContext {
  readonly host: Host;
  readonly logger: Logger;
  readonly limits: RpcLimits;
  readonly owner: ConnectionOwner;
  readonly deadlines: Deadlines;
  readonly chunks = new FrameChunkPool();
  /** Framed and not yet taken by the kernel, over all connections. */
  unsentBytes = 0;
  /** Responses nobody waited for any more. */
  lateResponses = 0;
  /** Counts sweeps of the connections; see ConnectionSweep. */
  sweepTick = 0;
  readonly latency: RpcLatency | undefined;
  /** When answers of this turn leave, as a tick; known once one of them is framed. */
  #turnTick: number | undefined;
  #opaque = 0;
  #dirty: RpcConnection[] = [];
  #flushing: RpcConnection[] = [];
  readonly #flush = () => this.#flushAll();

  constructor(host: Host, limits: RpcLimits, owner: ConnectionOwner) {
    this.host = host;
    this.logger = limits.logger;
    this.limits = limits;
    this.latency = limits.latency;
    this.owner = owner;
    this.deadlines = new Deadlines(host);
  }

  nextOpaque(): number {
    this.#opaque = (this.#opaque + 1) & 0x7fffffff;
    return this.#opaque;
  }

  /** Calls back into other people's code, which must not break ours. */
  guard(what: string, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.logger.error({ err: error }, `${what} threw`);
    }
  }

  /** `connection.flush()` is called when this turn has handled what was ready. */
  flushLater(connection: RpcConnection): void {
    if (this.#dirty.push(connection) === 1) this.host.timers.afterTurn(this.#flush);
  }

  /** Now, as a tick of RpcLatency. */
  tick(): number {
    return this.latency === undefined ? 0 : latencyTick(this.host.clock);
  }

  /** The same, read once for all that is framed in a turn: something must have been. */
  tickOfTurn(): number {
    this.#turnTick ??= this.tick();
    return this.#turnTick;
  }

  #flushAll(): void {
    this.#turnTick = undefined;
    const connections = this.#dirty;
    this.#dirty = this.#flushing;
    this.#flushing = connections;
    for (let i = 0; i < connections.length; i++) connections[i]!.flush();
    connections.length = 0;
  }
}

const peerIds = new WeakMap<HostProcess, { last: number }>();

/** Counted per process, simulated ones included, so that a replay counts the same. */
export function nextPeerId(host: Host): number {
  let ids = peerIds.get(host.process);
  if (ids === undefined) {
    ids = { last: 0 };
    peerIds.set(host.process, ids);
  }
  return ++ids.last;
}
