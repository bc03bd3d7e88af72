/**
 * One simulated process: the whole `Host` it is lent, and its end. After the end none of its callbacks ever
 * runs, and any call it still makes is an error of the simulation's own code.
 */
import { AssertionFailed } from "../assert.ts";
import type { Lane } from "../files.ts";
import type { Host, HostProcess } from "../host.ts";
import { SimFiles } from "./disk/sim-files.ts";
import type { SimOpenFile } from "./disk/sim-open-file.ts";
import { ThreadPool } from "./disk/thread-pool.ts";
import type { EventOwner } from "./event-queue.ts";
import { SimNetwork } from "./network/sim-network.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimMachine } from "./sim-machine.ts";
import { SimClock, SimTimers } from "./sim-time.ts";
import type { SimWorld } from "./sim-world.ts";

export class SimHost implements Host, EventOwner {
  readonly id: number;
  readonly name: string;
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly clock: SimClock;
  readonly timers: SimTimers;
  readonly random: SeededRandom;
  readonly files: SimFiles;
  readonly network: SimNetwork;
  readonly process: HostProcess;
  readonly openFiles = new Set<SimOpenFile>();
  readonly #pool = new ThreadPool();
  #alive = true;
  #pausedUntilUs = 0;

  /** For SimWorld only. */
  constructor(world: SimWorld, machine: SimMachine, id: number, name: string, random: SeededRandom) {
    this.world = world;
    this.machine = machine;
    this.id = id;
    this.name = name;
    this.random = random.fork("process");
    const originMs = random.int(1_000_000);
    this.clock = new SimClock(this, originMs);
    this.timers = new SimTimers(this);
    this.files = new SimFiles(this);
    this.network = new SimNetwork(this);
    // Few pids, so that a restarted process sometimes has its predecessor's.
    this.process = { pid: 2 + random.int(6), totalMemoryBytes: 4 * 1024 ** 3, homeFolder: `/home/${name}` };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get pausedUntilUs(): number {
    return this.#pausedUntilUs;
  }

  /** Nothing of the process runs for `durationMs` (a stopped process, a long garbage collection). */
  pause(durationMs: number): void {
    this.#pausedUntilUs = Math.max(this.#pausedUntilUs, this.world.loop.nowUs + durationMs * 1000);
  }

  /** For SimWorld only; the world tells the network and the trace. */
  end(): void {
    this.#alive = false;
    this.#pool.clear();
    for (const file of this.openFiles) file.abandon();
    this.openFiles.clear();
    for (const [path, holder] of this.machine.locks) if (holder === this) this.machine.locks.delete(path);
    this.machine.hosts.delete(this);
  }

  assertAlive(): void {
    if (!this.#alive)
      throw new AssertionFailed(`the process ${this.name} has ended and still calls its host`);
  }

  /**
   * Runs a disk operation in a lane: `effect` when it completes, even if the process has ended by then (the
   * kernel goes on), unless the machine lost power; what it returns is the process's callback.
   */
  poolOperation(
    lane: Lane,
    kind: "sync" | "read" | "write",
    detail: number,
    effect: () => () => void,
    started?: (durationUs: number) => void,
  ): void {
    const { machine, world } = this;
    this.#pool.submit(lane, (finished) => {
      const boots = machine.boots;
      const durationUs = machine.diskDelayUs(kind);
      started?.(durationUs);
      if (kind === "sync") machine.onSyncStarted?.(durationUs);
      world.loop.scheduleInternal(durationUs, undefined, "disk-done", detail, () => {
        if (!machine.up || machine.boots !== boots) return;
        if (kind === "write" && !this.#alive) return;
        const callback = effect();
        if (!this.#alive) return;
        finished();
        if (this.#pausedUntilUs > world.loop.nowUs) {
          world.loop.schedule(0, this, "disk-done", detail, callback);
          return;
        }
        world.loop.productRan();
        callback();
      });
    });
  }

  /** Runs `fn` in an event of its own, soon. */
  callLater(fn: () => void): void {
    this.world.loop.schedule(1, this, "turn", 0, fn);
  }
}
