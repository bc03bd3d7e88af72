/**
 * Lets a bounded number of catch-up reads hold memory at the same time; the others wait in line with nothing
 * but their request. Tail reads never pass here.
 */
export class ColdAdmission {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Calls `start` when there is room, at once if there is; `leave` must follow. */
  enter(start: () => void): void {
    if (this.#active >= this.#max) {
      this.#waiting.push(start);
      return;
    }
    this.#active += 1;
    start();
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#active -= 1;
    else next();
  }
}
