/**
 * Who may use libuv's thread pool at once. It has four threads, and sixteen concurrent reads make an
 * fdatasync wait more than ten times as long; so each lane has its own small number of operations in flight
 * (together four) and queues the rest in order of arrival.
 */
import type { Lane } from "../files.ts";

/** Starts a pool operation; `finished` is called once when it is over. */
export type PoolJob = (finished: () => void) => void;

const IN_FLIGHT_MAX: Readonly<Record<Lane, number>> = { log: 1, cold: 2, other: 1 };

class LaneQueue {
  readonly #inFlightMax: number;
  readonly #waiting: PoolJob[] = [];
  #inFlight = 0;
  readonly #finished = () => {
    this.#inFlight--;
    this.#startNext();
  };

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax;
  }

  add(job: PoolJob): void {
    this.#waiting.push(job);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#inFlight < this.#inFlightMax) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#inFlight++;
      job(this.#finished);
    }
  }
}

export class Lanes {
  readonly #queues: Readonly<Record<Lane, LaneQueue>> = {
    log: new LaneQueue(IN_FLIGHT_MAX.log),
    cold: new LaneQueue(IN_FLIGHT_MAX.cold),
    other: new LaneQueue(IN_FLIGHT_MAX.other),
  };

  /** `job` must not throw. */
  run(lane: Lane, job: PoolJob): void {
    this.#queues[lane].add(job);
  }
}
