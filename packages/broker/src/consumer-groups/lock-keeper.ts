/**
 * The queue locks of ordered consumption with their clock: a group that waits for a queue is told (40) when the
 * queue is free, so that its members ask again at once and not at their next round, 20 s later.
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";
import type { MessageQueue } from "@orbitmq/wire";
import type { GroupNotifier } from "./group-notifier.ts";
import { RebalanceLocks } from "./rebalance-locks.ts";

export interface LockKeeperNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly notifier: Pick<GroupNotifier, "groupChanged">;
  readonly rebalanceLockMaxLiveTime: number;
  readonly rebalanceLocksMax: number;
}

/** An expired lock is free only after its last millisecond. */
const AFTER_MS = 1;

export class LockKeeper {
  readonly locks: RebalanceLocks;
  readonly #needs: LockKeeperNeeds;
  #timer: TimerHandle | undefined;

  constructor(needs: LockKeeperNeeds) {
    this.#needs = needs;
    this.locks = new RebalanceLocks(needs.rebalanceLockMaxLiveTime, needs.rebalanceLocksMax);
  }

  /** Those of `queues` that are the client's from now on. */
  lock(group: string, clientId: string, queues: readonly MessageQueue[]): MessageQueue[] {
    const locked = this.locks.lock(group, clientId, queues, this.#needs.clock.monotonicMs());
    if (locked.length < queues.length) this.#watch();
    return locked;
  }

  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): void {
    if (this.locks.unlock(group, clientId, queues)) this.#needs.notifier.groupChanged(group);
  }

  left(group: string, clientId: string): void {
    if (this.locks.left(group, clientId)) this.#needs.notifier.groupChanged(group);
  }

  isAllExpired(group: string): boolean {
    return this.locks.isAllExpired(group, this.#needs.clock.monotonicMs());
  }

  /** Forgets locks nobody holds or wants any more; called now and then. */
  sweep(): void {
    for (const group of this.locks.expire(this.#needs.clock.monotonicMs())) {
      this.#needs.notifier.groupChanged(group);
    }
  }

  stop(): void {
    this.#timer?.cancel();
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
