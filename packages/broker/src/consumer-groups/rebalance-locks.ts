/**
 * Which client of a group may consume which queue in order (RocketMQ: RebalanceLockManager). A pure table; time
 * comes in as `nowMs` (monotonic).
 *
 *   free → locked        the first who asks
 *   locked → locked      its holder asks again (it does every 20 s): the lock lives on
 *   locked → free        its holder gives it back or leaves the group; or was silent for `liveMs`
 *
 * A holder whose connection is gone keeps its locks until they expire: it may still be consuming, and takes them
 * for its own for half that time. Who asked in vain is remembered, so that the group can be told at once when the
 * queue is free, instead of finding out at its next round.
 */
import type { MessageQueue } from "@orbitmq/wire";

/** Who has a queue. */
export interface HeldLock {
  readonly group: string;
  readonly clientId: string;
  readonly queue: MessageQueue;
}

interface Lock {
  readonly queue: MessageQueue;
  clientId: string;
  lockedAtMs: number;
  /** Another member asked for it in vain. */
  wanted: boolean;
}

export class RebalanceLocks {
  readonly #groups = new Map<string, Map<string, Lock>>();
  readonly #liveMs: number;
  readonly #locksMax: number;
  #size = 0;
  #version = 0;

  constructor(liveMs: number, locksMax: number) {
    this.#liveMs = liveMs;
    this.#locksMax = locksMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Another one after every change of who has what. */
  get version(): number {
    return this.#version;
  }

  *held(): IterableIterator<HeldLock> {
    for (const [group, locks] of this.#groups) {
      for (const { clientId, queue } of locks.values()) yield { group, clientId, queue };
    }
  }

  /** Locks from before a restart live on from now. */
  restore(held: Iterable<HeldLock>, nowMs: number): void {
    for (const { group, clientId, queue } of held) this.lock(group, clientId, [queue], nowMs);
  }

  /** Those of `queues` that are the client's from now on. */
  lock(group: string, clientId: string, queues: readonly MessageQueue[], nowMs: number): MessageQueue[] {
    if (queues.length === 0) return [];
    let locks = this.#groups.get(group);
    if (locks === undefined) {
      locks = new Map();
      this.#groups.set(group, locks);
    }
    const locked: MessageQueue[] = [];
    for (const queue of queues) if (this.#lockOne(locks, queue, clientId, nowMs)) locked.push(queue);
    if (locks.size === 0) this.#groups.delete(group);
    return locked;
  }

  /** Gives back what the client holds of `queues`. Returns whether somebody waits for one of them. */
  unlock(group: string, clientId: string, queues: readonly MessageQueue[]): boolean {
    const locks = this.#groups.get(group);
    if (locks === undefined) return false;
    let wanted = false;
    for (const queue of queues) {
      const key = keyOf(queue);
      const lock = locks.get(key);
      if (lock?.clientId === clientId) wanted = this.#free(group, locks, key, lock) || wanted;
    }
    return wanted;
  }

  /** The client has left the group in order: it consumes no more. Returns whether somebody waits for its queues. */
  left(group: string, clientId: string): boolean {
    const locks = this.#groups.get(group);
    if (locks === undefined) return false;
    let wanted = false;
    for (const [key, lock] of locks) {
      if (lock.clientId === clientId) wanted = this.#free(group, locks, key, lock) || wanted;
    }
    return wanted;
  }

  /** Forgets what has expired. Returns the groups that wait for it. */
  expire(nowMs: number): string[] {
    const groups: string[] = [];
    for (const [group, locks] of this.#groups) {
      let wanted = false;
      for (const [key, lock] of locks) {
        if (this.#isExpired(lock, nowMs)) wanted = this.#free(group, locks, key, lock) || wanted;
      }
      if (wanted) groups.push(group);
    }
    return groups;
  }

  /** When the first lock that somebody waits for will expire unless it is renewed; `undefined` when none. */
  nextWantedMs(): number | undefined {
    let next: number | undefined;
    for (const locks of this.#groups.values()) {
      for (const lock of locks.values()) {
        const atMs = lock.lockedAtMs + this.#liveMs;
        if (lock.wanted && (next === undefined || atMs < next)) next = atMs;
      }
    }
    return next;
  }

  /** Whether nobody of the group consumes in order at the moment. */
  isAllExpired(group: string, nowMs: number): boolean {
    for (const lock of this.#groups.get(group)?.values() ?? []) {
      if (!this.#isExpired(lock, nowMs)) return false;
    }
    return true;
  }

  #lockOne(locks: Map<string, Lock>, queue: MessageQueue, clientId: string, nowMs: number): boolean {
    const key = keyOf(queue);
    const lock = locks.get(key);
    if (lock === undefined) {
      if (this.#size >= this.#locksMax) return false;
      locks.set(key, { queue, clientId, lockedAtMs: nowMs, wanted: false });
      this.#size++;
      this.#version++;
      return true;
    }
    if (lock.clientId !== clientId) {
      if (!this.#isExpired(lock, nowMs)) {
        lock.wanted = true;
        return false;
      }
      lock.clientId = clientId;
      lock.wanted = false;
      this.#version++;
    }
    lock.lockedAtMs = nowMs;
    return true;
  }

  #isExpired(lock: Lock, nowMs: number): boolean {
    return nowMs - lock.lockedAtMs > this.#liveMs;
  }

  #free(group: string, locks: Map<string, Lock>, key: string, lock: Lock): boolean {
    locks.delete(key);
    this.#size--;
    this.#version++;
    if (locks.size === 0) this.#groups.delete(group);
    return lock.wanted;
  }
}

function keyOf({ topic, brokerName, queueId }: MessageQueue): string {
  return `${topic}@${brokerName}@${queueId}`;
}
