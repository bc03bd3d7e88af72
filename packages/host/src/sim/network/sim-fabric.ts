/**
 * The network between simulated machines: addresses, names, listeners, links that can be cut in one direction
 * or both, and every open connection, so that a fault can find them.
 */
import type { SimHost } from "../sim-host.ts";
import type { SimMachine } from "../sim-machine.ts";
import type { SimWorld } from "../sim-world.ts";
import type { SimConnection } from "./sim-connection.ts";
import type { SimListener } from "./sim-network.ts";

const SLAB_BYTES = 128 * 1024;

export class SimFabric {
  /** Multiplies the delay of every packet between machines. */
  delayFactor = 1;
  /** Sees every chunk that leaves the process of `from`, in order. */
  tap: ((from: SimConnection, chunk: Buffer) => void) | undefined;
  readonly #world: SimWorld;
  readonly #machines = new Map<string, SimMachine>();
  readonly #names = new Map<string, string>();
  readonly #listeners = new Map<string, SimListener>();
  readonly #connections = new Set<SimConnection>();
  readonly #cuts = new Set<string>();
  #slab = Buffer.alloc(0);
  #slabUsed = 0;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Memory for bytes that travel; cut from large pieces, as most chunks are small and short-lived. */
  chunk(bytes: number): Buffer {
    if (bytes > this.#slab.length - this.#slabUsed) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(bytes, SLAB_BYTES));
      this.#slabUsed = 0;
    }
    const from = this.#slabUsed;
    this.#slabUsed += bytes;
    return this.#slab.subarray(from, this.#slabUsed);
  }

  attach(machine: SimMachine): void {
    this.#machines.set(machine.address, machine);
    this.#names.set(machine.name, machine.address);
  }

  /** A name's address from now on; undefined forgets the name. */
  setName(name: string, address: string | undefined): void {
    if (address === undefined) this.#names.delete(name);
    else this.#names.set(name, address);
  }

  addressOf(name: string): string | undefined {
    if (name === "localhost") return "127.0.0.1";
    if (/^[\d.]+$/.test(name) || name.includes(":")) return name;
    return this.#names.get(name);
  }

  /** The machine that `address` means when `from` uses it. */
  machineAt(address: string, from: SimMachine): SimMachine | undefined {
    return address === "127.0.0.1" || address === "::1" ? from : this.#machines.get(address);
  }

  /** One way, drawn anew for each packet. */
  delayUs(from: SimMachine, to: SimMachine): number {
    const { random, options } = this.#world;
    const network = options.network;
    if (from === to) return random.between(network.loopbackDelayUs.min, network.loopbackDelayUs.max);
    const range = random.chance(network.tailChance) ? network.tailDelayUs : network.delayUs;
    return random.between(range.min, range.max) * this.delayFactor;
  }

  /** Nothing sent by `from` reaches `to` any more; what was sent waits for `heal`. */
  cut(from: SimMachine, to: SimMachine): void {
    this.#cuts.add(`${from.id}>${to.id}`);
    this.#world.trace.note(this.#world.loop.nowUs, `cut ${from.name} > ${to.name}`);
  }

  heal(from: SimMachine, to: SimMachine): void {
    if (!this.#cuts.delete(`${from.id}>${to.id}`)) return;
    this.#world.trace.note(this.#world.loop.nowUs, `healed ${from.name} > ${to.name}`);
    for (const connection of this.#connections) connection.out.healed();
  }

  healAll(): void {
    if (this.#cuts.size === 0) return;
    this.#cuts.clear();
    for (const connection of this.#connections) connection.out.healed();
  }

  isCut(from: SimMachine, to: SimMachine): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from.id}>${to.id}`);
  }

  /** Breaks open connections that `matches`, in the middle of whatever is under way; returns how many. */
  breakConnections(matches: (end: SimConnection) => boolean): number {
    let broken = 0;
    for (const end of [...this.#connections]) {
      if (!matches(end)) continue;
      broken++;
      end.out.breakOff(this.#world.random.between(1, 5_000));
      end.incoming.breakOff(this.#world.random.between(1, 5_000));
    }
    return broken;
  }

  connectionsOf(host: SimHost): SimConnection[] {
    return [...this.#connections].filter((end) => end.host === host);
  }

  /** A process ended: its kernel tells the peers, or (`silent`) nobody does. */
  processEnded(host: SimHost, silent: boolean): void {
    for (const [key, listener] of this.#listeners) if (listener.host === host) this.#listeners.delete(key);
    for (const end of this.connectionsOf(host)) {
      this.#connections.delete(end);
      if (!silent) end.out.close(this.#world.random.chance(0.5));
    }
  }

  machineStarted(machine: SimMachine): void {
    for (const end of this.#connections) {
      if (!end.incoming.sender.host.alive && end.incoming.sender.host.machine === machine) {
        end.out.receiverRebooted();
      }
    }
  }

  opened(connection: SimConnection): void {
    this.#connections.add(connection);
  }

  forget(connection: SimConnection): void {
    this.#connections.delete(connection);
  }

  listenerAt(machine: SimMachine, address: string, port: number): SimListener | undefined {
    return (
      this.#listeners.get(`${machine.id}/${address}:${port}`) ??
      this.#listeners.get(`${machine.id}/0.0.0.0:${port}`) ??
      this.#listeners.get(`${machine.id}/:::${port}`)
    );
  }

  /** False when the port is taken. */
  addListener(listener: SimListener): boolean {
    const { host, local } = listener;
    for (const other of this.#listeners.values()) {
      if (other.host.machine !== host.machine || other.local.port !== local.port) continue;
      const wildcard = [other.local.host, local.host].some(
        (address) => address === "0.0.0.0" || address === "::",
      );
      if (wildcard || other.local.host === local.host) return false;
    }
    this.#listeners.set(`${host.machine.id}/${local.host}:${local.port}`, listener);
    return true;
  }

  removeListener(listener: SimListener): void {
    const key = `${listener.host.machine.id}/${listener.local.host}:${listener.local.port}`;
    if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
  }
}
