/**
 * The calls of listeners that have not returned, oldest first: a list through the runs themselves, because nearly every
 * one joins and leaves it within a microsecond.
 */
import type { ListenerRun } from "./listener-run.ts";

export class RunningList {
  #first: ListenerRun | undefined;
  #last: ListenerRun | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): ListenerRun | undefined {
    return this.#first;
  }

  /** A copy: whoever works through it may end runs. */
  get all(): ListenerRun[] {
    const runs: ListenerRun[] = [];
    for (let run = this.#first; run !== undefined; run = run.next) runs.push(run);
    return runs;
  }

  add(run: ListenerRun): void {
    run.before = this.#last;
    if (this.#last === undefined) this.#first = run;
    else this.#last.next = run;
    this.#last = run;
    this.#size += 1;
  }

  delete(run: ListenerRun): void {
    const { before, next } = run;
    if (before === undefined) this.#first = next;
    else before.next = next;
    if (next === undefined) this.#last = before;
    else next.before = before;
    run.before = undefined;
    run.next = undefined;
    this.#size -= 1;
  }
}
