/**
 * The queue locks of ordered consumption with their clock and their file. A group that waits for a queue is told (40)
 * when the queue is free, so that its members ask again at once and not at their next round, 20 s later. A client is
 * told of a lock only when the lock would survive a crash: a broker that starts again must not give a queue away that
 * somebody is still consuming. When the file cannot be written the lock counts all the same, as RocketMQ's do.
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import type { MessageQueue } from "@orbitmq/wire";
import type { GroupNotifier } from "./group-notifier.ts";
import { formatLocks, parseLocks } from "./lock-file.ts";
import { RebalanceLocks } from "./rebalance-locks.ts";

export interface LockKeeperNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly notifier: Pick<GroupNotifier, "groupChanged">;
  readonly rebalanceLockMaxLiveTime: number;
  readonly rebalanceLocksMax: number;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
}

/** An expired lock is free only after its last millisecond. */
const AFTER_MS = 1;

export class LockKeeper {
  readonly locks: RebalanceLocks;
  readonly #needs: LockKeeperNeeds;
  #timer: TimerHandle | undefined;
  #saveScheduled = false;
  /** The version of the locks that is in the file. */
  #savedVersion = 0;
  #whenSaved: (() => void)[] = [];

  constructor(needs: LockKeeperNeeds) {
    this.#needs = needs;
    this.locks = new RebalanceLocks(needs.rebalanceLockMaxLiveTime, needs.rebalanceLocksMax);
  }

  load(): void {
    const loaded = this.#needs.file?.load(parseLocks);
    if (loaded !== undefined) this.locks.restore(loaded.value, this.#needs.clock.monotonicMs());
    this.#savedVersion = this.locks.version;
  }

  /** `done` gets those of `queues` that are the client's from now on; at once when nothing has to be written. */
  lock(
    group: string,
    clientId: string,
    queues: readonly MessageQueue[],
    done: (locked: readonly MessageQueue[]) => void,
  ): void {
    const locked = this.locks.lock(group, clientId, queues, this.#needs.clock.monotonicMs());
    if (locked.length < queues.length) this.#watch();
    if (locked.length === 0 || !this.#saveIfChanged()) done(locked);
    else this.#whenSaved.push(() => done(locked));
  }

  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): void {
    if (this.locks.unlock(group, clientId, queues)) this.#needs.notifier.groupChanged(group);
    this.#saveIfChanged();
  }

  left(group: string, clientId: string): void {
    if (this.locks.left(group, clientId)) this.#needs.notifier.groupChanged(group);
    this.#saveIfChanged();
  }

  isAllExpired(group: string): boolean {
    return this.locks.isAllExpired(group, this.#needs.clock.monotonicMs());
  }

  /** Forgets locks nobody holds or wants any more; called now and then. */
  sweep(): void {
    for (const group of this.locks.expire(this.#needs.clock.monotonicMs())) {
      this.#needs.notifier.groupChanged(group);
    }
    this.#saveIfChanged();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Writes what is not written for certain. Throws HostError. */
  save(): void {
    const { file } = this.#needs;
    try {
      if (this.locks.version !== this.#savedVersion) file?.saveSync(formatLocks(this.locks.held()));
      this.#savedVersion = this.locks.version;
    } finally {
      file?.close();
    }
  }

  /** Whether there is something to wait for. */
  #saveIfChanged(): boolean {
    const { file, timers } = this.#needs;
    if (file === undefined || this.locks.version === this.#savedVersion) return false;
    if (this.#saveScheduled) return true;
    this.#saveScheduled = true;
    timers.afterTurn(() => {
      this.#saveScheduled = false;
      const { version } = this.locks;
      const waiting = this.#whenSaved;
      this.#whenSaved = [];
      file.save(formatLocks(this.locks.held()), (error) => {
        if (error === undefined) this.#savedVersion = Math.max(this.#savedVersion, version);
        for (const tell of waiting) tell();
      });
    });
    return true;
  }

  #watch(): void {
    if (this.#timer !== undefined) return;
    const nextMs = this.locks.nextWantedMs();
    if (nextMs === undefined) return;
    const { clock, timers } = this.#needs;
    this.#timer = timers.after(Math.max(0, nextMs - clock.monotonicMs()) + AFTER_MS, () => {
      this.#timer = undefined;
      this.sweep();
      this.#watch();
    });
  }
}
