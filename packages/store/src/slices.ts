/**
 * Long work cut into slices: a generator that yields wherever the event loop may turn. The same work is done at once
 * where nobody waits for anything else, or a slice per turn where signals, readers and timers must not wait for it.
 *
 *   running → ended
 *   running → stopped → ended   the generator meets the reason as an exception at the place where it stands
 */
import { assert, type Timers } from "@orbitmq/host";

/** A slice should take a few milliseconds. */
export type Slices<T> = Generator<undefined, T, undefined>;

export type SlicesEnded<T> = (error: unknown, value: T | undefined) => void;

/** Does all of it, blocking. */
export function atOnce<T>(work: Slices<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Does one such work at a time, a slice per turn. */
export class SlicedWork {
  readonly #timers: Timers;
  #stop: ((reason: Error) => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Does the first slice now; `ended` is called once, from within `run` when one was enough. */
  run<T>(work: Slices<T>, ended: SlicesEnded<T>): void {
    assert(this.#stop === undefined, "one work at a time");
    let isOver = false;
    let isTaking = false;
    let stopReason: Error | undefined;
    const take = (next: () => IteratorResult<undefined, T>): void => {
      let result: IteratorResult<undefined, T>;
      isTaking = true;
      try {
        result = next();
        if (result.done !== true && stopReason !== undefined) result = work.throw(stopReason);
      } catch (error) {
        isOver = true;
        this.#stop = undefined;
        ended(error, undefined);
        return;
      } finally {
        isTaking = false;
      }
      if (result.done !== true) {
        this.#timers.afterTurn(goOn);
        return;
      }
      isOver = true;
      this.#stop = undefined;
      ended(undefined, result.value);
    };
    const goOn = (): void => {
      if (!isOver) take(() => work.next());
    };
    this.#stop = (reason) => {
      stopReason = reason;
      // From within a slice: at its end.
      if (isTaking) return;
      take(() => work.throw(reason));
      assert(isOver, "stopped work does not go on");
    };
    goOn();
  }

  /** Ends what is under way with this reason: now, or with the slice that it is called from. */
  stop(reason: Error): void {
    this.#stop?.(reason);
  }
}
