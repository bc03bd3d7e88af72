/**
 * One program of the cluster under its supervisor: whatever ends it, it is started again after a while, on its
 * machine, as a new process.
 *
 * States: down → (start) running → down; a machine that lost power is started first.
 */
import type { SeededRandom, SimHost, SimMachine, SimWorld } from "@orbitmq/host/sim";
import type { Recorder } from "../recorder.ts";

export interface NodeContext {
  readonly world: SimWorld;
  readonly recorder: Recorder;
  readonly random: SeededRandom;
  /** Whether a broker's record at this position would survive any crash of its machine now. */
  readonly survives: (brokerName: string, physicalOffset: number) => boolean;
  /** One readable line of the run's story. */
  readonly log: (line: string) => void;
}

export abstract class SimNode {
  readonly name: string;
  readonly machine: SimMachine;
  protected readonly context: NodeContext;
  #host: SimHost | undefined;
  /** False: whatever ends it now, it stays down. */
  #supervised = true;
  #startScheduled = false;
  #stopping = false;
  /** Until when its process was paused, so that waits are not held against it. */
  pausedUntilMs = 0;

  constructor(context: NodeContext, machine: SimMachine, name: string) {
    this.context = context;
    this.machine = machine;
    this.name = name;
  }

  /** The living process, if there is one. */
  get host(): SimHost | undefined {
    return this.#host;
  }

  get running(): boolean {
    return this.#host !== undefined;
  }

  /** Starts a process now, unless one lives. */
  start(): void {
    if (this.#host !== undefined || !this.#supervised) return;
    if (!this.machine.up) this.context.world.start(this.machine);
    const host = this.context.world.spawn(this.machine, this.name);
    this.#host = host;
    this.#stopping = false;
    this.context.log(`${this.name} starts as p${host.id}`);
    this.begin(host).catch((error: unknown) => {
      // A program that is stopped while it starts says so.
      if (!this.#stopping) this.failed(host, error);
    });
  }

  /** kill -9. */
  kill(restartDelayMs: number): void {
    if (this.#host === undefined) return;
    this.context.log(`${this.name} is killed`);
    this.context.world.kill(this.#host);
    this.ended(restartDelayMs);
  }

  /** The process has ended already (its machine lost power, or it ended itself). */
  ended(restartDelayMs: number): void {
    if (this.#host === undefined) return;
    this.#host = undefined;
    this.pausedUntilMs = 0;
    this.forget();
    this.startAfter(restartDelayMs);
  }

  startAfter(delayMs: number): void {
    if (this.#startScheduled || !this.#supervised) return;
    this.#startScheduled = true;
    this.context.world.after(delayMs, () => {
      this.#startScheduled = false;
      this.start();
    });
  }

  pause(durationMs: number): void {
    if (this.#host === undefined) return;
    this.context.log(`${this.name} is paused for ${durationMs} ms`);
    this.#host.pause(durationMs);
    this.pausedUntilMs = this.context.world.nowMs + durationMs;
  }

  /** From now on it stays down once it ends. */
  release(): void {
    this.#supervised = false;
  }

  /** SIGTERM: ends in an orderly way, and by force after a while. */
  stop(restartDelayMs: number): void {
    const host = this.#host;
    if (host === undefined) return;
    this.context.log(`${this.name} is asked to stop`);
    this.#stopping = true;
    const end = () => {
      if (this.#host === host) this.kill(restartDelayMs);
    };
    host.timers.after(15_000, () => this.context.world.after(0, end));
    this.finish(host).then(
      () => this.context.world.after(0, end),
      (error: unknown) => this.failed(host, error),
    );
  }

  /** Composes and starts the program on `host`. A rejection is a failure of the process. */
  protected abstract begin(host: SimHost): Promise<void>;

  /** Stops the program in its orderly way. */
  protected abstract finish(host: SimHost): Promise<void>;

  /** Drops what belonged to the process that ended. */
  protected abstract forget(): void;

  /** An error that no program of ours may end with. */
  protected failed(host: SimHost, error: unknown): void {
    if (this.#host !== host) return;
    this.context.recorder.failure("no-crash", `${this.name}: ${describe(error)}`);
    this.context.world.after(0, () => {
      if (this.#host === host) this.kill(1_000);
    });
  }
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
