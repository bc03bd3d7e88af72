/**
 * A whole world from one seed: virtual time, machines, processes, the network between them. The composition
 * (which programs run where, which faults happen when) is its user's; the world carries the faults out.
 */
import { assert } from "../assert.ts";
import { EventLoop } from "./event-loop.ts";
import type { EventOwner } from "./event-queue.ts";
import { SimFabric } from "./network/sim-fabric.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SimHost } from "./sim-host.ts";
import { SimMachine } from "./sim-machine.ts";
import { DEFAULT_SIM_OPTIONS, type SimOptions } from "./sim-options.ts";
import { Trace, type TraceKind, traceKind } from "./trace.ts";

/** Default for what differs from {@link DEFAULT_SIM_OPTIONS}: nothing. */
export interface SimWorldOptions extends Partial<Omit<SimOptions, "network" | "disk">> {
  readonly network?: Partial<SimOptions["network"]>;
  readonly disk?: Partial<SimOptions["disk"]>;
  /** One readable line for every event. */
  readonly traceLine?: (line: string) => void;
  /** Told what a callback of a process (undefined: of the world) threw. Default: the run rejects with it. */
  readonly onUncaught?: (host: SimHost | undefined, error: unknown) => void;
}

export class SimWorld {
  readonly seed: number;
  readonly options: SimOptions;
  /** For the world's own decisions and those of its user. */
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly loop: EventLoop;
  readonly fabric: SimFabric;
  readonly machines: SimMachine[] = [];
  /** Faults that took effect, by name. */
  readonly faults = new Map<string, number>();
  #hostIds = 1;

  constructor(seed: number, options: SimWorldOptions = {}) {
    this.seed = seed;
    this.options = {
      ...DEFAULT_SIM_OPTIONS,
      ...options,
      network: { ...DEFAULT_SIM_OPTIONS.network, ...options.network },
      disk: { ...DEFAULT_SIM_OPTIONS.disk, ...options.disk },
    };
    this.random = new SeededRandom(seed, "world");
    this.trace = new Trace(options.traceLine);
    const onUncaught = options.onUncaught;
    this.loop = new EventLoop(this.trace, (owner: EventOwner | undefined, error) => {
      if (onUncaught === undefined) throw error;
      onUncaught(owner as SimHost | undefined, error);
    });
    this.fabric = new SimFabric(this);
  }

  /** Virtual milliseconds since the world began. */
  get nowMs(): number {
    return this.loop.nowUs / 1000;
  }

  addMachine(name: string): SimMachine {
    const id = this.machines.length + 1;
    const random = this.random.fork(name);
    const machine = new SimMachine(this.loop, random, this.options, id, name, `10.0.0.${id}`);
    machine.disk.onFault = (fault, path) => this.countFault(fault, path);
    this.machines.push(machine);
    this.fabric.attach(machine);
    return machine;
  }

  /** A new process on a machine that is up. */
  spawn(machine: SimMachine, name: string): SimHost {
    assert(machine.up, `${machine.name} is down`);
    const host = new SimHost(this, machine, this.#hostIds++, name, this.random.fork(name));
    machine.hosts.add(host);
    this.trace.note(this.loop.nowUs, `process ${name} (p${host.id}) starts on ${machine.name}`);
    return host;
  }

  /** The process ends at once: the page cache survives, its callbacks never run, peers see it go. */
  kill(host: SimHost): void {
    assert(host.alive, `${host.name} has ended already`);
    this.trace.note(this.loop.nowUs, `process ${host.name} (p${host.id}) ends`);
    host.end();
    this.fabric.processEnded(host, false);
  }

  /** Power loss: every process ends silently and the disk keeps what it likes of what was not synced. */
  crash(machine: SimMachine): void {
    for (const host of [...machine.hosts]) {
      host.end();
      this.fabric.processEnded(host, true);
    }
    machine.powerLost();
  }

  /** Power is back; start processes with `spawn`. */
  start(machine: SimMachine): void {
    machine.powerOn();
    this.fabric.machineStarted(machine);
  }

  /** Runs `fn` as an event of the world, `delayMs` from now; it may kill, crash, spawn. */
  after(delayMs: number, fn: () => void): void {
    this.loop.schedule(delayMs * 1000, undefined, "fault", 0, fn);
  }

  /** Runs `durationMs` of virtual time. */
  run(durationMs: number): Promise<void> {
    return this.loop.run(this.loop.nowUs + Math.ceil(durationMs * 1000));
  }

  countFault(name: string, where = ""): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
    this.trace.note(this.loop.nowUs, `fault ${name} ${where}`);
  }

  /** Mixes something that is no event of its own into the trace. */
  note(kind: TraceKind, host: SimHost, detail: number): void {
    this.trace.add(this.loop.nowUs, traceKind(kind), host.id, detail);
  }
}
