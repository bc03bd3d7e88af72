/**
 * One simulated computer: an address, a wall clock that may step, a disk with its page cache, and the
 * processes that run on it. It can lose power and be started again; what survives is what its disk kept.
 */
import { assert } from "../assert.ts";
import { SimDisk } from "./disk/sim-disk.ts";
import type { EventLoop } from "./event-loop.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimHost } from "./sim-host.ts";
import type { Range, SimOptions } from "./sim-options.ts";

/** However slow a disk is made, one operation takes no longer: kernels give up at some time, too. */
const SLOWEST_US = 6_000_000;

export class SimMachine {
  readonly id: number;
  readonly name: string;
  readonly address: string;
  readonly disk: SimDisk;
  /** Processes alive on it. */
  readonly hosts = new Set<SimHost>();
  /** Path → who holds the lock. */
  readonly locks = new Map<string, SimHost>();
  /** False: it offers no locks (ENOLOCK). */
  offersLocks = true;
  /** Told when an fdatasync begins on a thread, with how long it will take: a good moment for a fault. */
  onSyncStarted: ((durationUs: number) => void) | undefined;
  #up = true;
  #boots = 1;
  #wallOffsetMs = 0;
  #ports = 30_000;
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #options: SimOptions;

  constructor(
    loop: EventLoop,
    random: SeededRandom,
    options: SimOptions,
    id: number,
    name: string,
    address: string,
  ) {
    this.#loop = loop;
    this.#random = random;
    this.#options = options;
    this.id = id;
    this.name = name;
    this.address = address;
    this.disk = new SimDisk(random.fork("disk"), options.disk.capacityBytes);
  }

  get up(): boolean {
    return this.#up;
  }

  /** Counts starts: what was asked of the disk before the last one never completes. */
  get boots(): number {
    return this.#boots;
  }

  wallMs(): number {
    return this.#options.wallStartMs + Math.floor(this.#loop.nowUs / 1000) + this.#wallOffsetMs;
  }

  /** The wall clock steps; monotonic time goes on. */
  stepWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.#loop.trace.note(this.#loop.nowUs, `${this.name}: wall clock steps by ${byMs} ms`);
  }

  /** An ephemeral port. */
  nextPort(): number {
    return this.#ports++;
  }

  /** How long a disk operation takes, drawn anew each time. */
  diskDelayUs(kind: "sync" | "read" | "write"): number {
    const disk = this.#options.disk;
    const ranges: Record<typeof kind, Range> = { sync: disk.syncUs, read: disk.readUs, write: disk.writeUs };
    const range = this.#random.chance(disk.tailChance) ? disk.tailUs : ranges[kind];
    const factor = this.disk.slowFactor * (kind === "sync" ? this.disk.syncSlowFactor : 1);
    return Math.min(this.#random.between(range.min, range.max) * factor, SLOWEST_US);
  }

  /** For SimWorld only: processes and connections must already know. */
  powerLost(): void {
    assert(this.#up, `${this.name} is already down`);
    assert(this.hosts.size === 0, `${this.name}: processes must end before the machine does`);
    this.#up = false;
    const { filesChanged, namesUndone } = this.disk.crash();
    this.#loop.trace.note(
      this.#loop.nowUs,
      `${this.name}: power lost, ${filesChanged} files changed, ${namesUndone} names undone`,
    );
  }

  /** For SimWorld only. */
  powerOn(): void {
    assert(!this.#up, `${this.name} is already up`);
    this.#up = true;
    this.#boots++;
    this.#loop.trace.note(this.#loop.nowUs, `${this.name}: power on`);
  }
}
