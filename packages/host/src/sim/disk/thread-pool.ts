/**
 * The four threads of libuv's pool as the lanes of `Files` share them: `log` one of its own, `cold` at most
 * two operations in flight, `other` at most one; each lane in order of arrival. Operations in a lane's queue
 * vanish with the process; what has started goes on in the kernel.
 */
import type { Lane } from "../../files.ts";

const SLOTS: Readonly<Record<Lane, number>> = { log: 1, cold: 2, other: 1 };

/** Starts the operation; it calls `finished` exactly once when its thread is free again. */
export type PoolOperation = (finished: () => void) => void;

interface LaneState {
  running: number;
  readonly slots: number;
  readonly waiting: PoolOperation[];
}

export class ThreadPool {
  readonly #lanes: Readonly<Record<Lane, LaneState>> = {
    log: { running: 0, slots: SLOTS.log, waiting: [] },
    cold: { running: 0, slots: SLOTS.cold, waiting: [] },
    other: { running: 0, slots: SLOTS.other, waiting: [] },
  };

  submit(lane: Lane, operation: PoolOperation): void {
    const state = this.#lanes[lane];
    if (state.running < state.slots) this.#start(state, operation);
    else state.waiting.push(operation);
  }

  /** Operations of a lane that hold a thread now. */
  running(lane: Lane): number {
    return this.#lanes[lane].running;
  }

  waiting(lane: Lane): number {
    return this.#lanes[lane].waiting.length;
  }

  clear(): void {
    for (const lane of Object.values(this.#lanes)) lane.waiting.length = 0;
  }

  #start(state: LaneState, operation: PoolOperation): void {
    state.running++;
    operation(() => {
      state.running--;
      const next = state.waiting.shift();
      if (next !== undefined) this.#start(state, next);
    });
  }
}
