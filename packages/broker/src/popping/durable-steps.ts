/**
 * What may happen only once the log is durable up to a place: offsets that are committed past popped messages,
 * checkpoints that are forgotten. Steps are taken in the order of the log.
 */
export interface DurableStep {
  /** The log's position that must be durable. */
  readonly position: number;
  durable(): void;
}

export class DurableSteps {
  #steps: DurableStep[] = [];
  #taken = 0;

  get size(): number {
    return this.#steps.length - this.#taken;
  }

  /** The position of the first step that waits. */
  get firstPosition(): number | undefined {
    return this.#steps[this.#taken]?.position;
  }

  /** The position of the last step. */
  get lastPosition(): number {
    return this.size === 0 ? 0 : this.#steps.at(-1)!.position;
  }

  /** A step never lies before those that wait already. */
  push(step: DurableStep): void {
    this.#steps.push(step);
  }

  /** Everything before `position` is durable. */
  follow(position: number): void {
    while (this.#taken < this.#steps.length && this.#steps[this.#taken]!.position <= position) {
      const step = this.#steps[this.#taken++]!;
      step.durable();
    }
    if (this.#taken === this.#steps.length) {
      this.#steps = [];
      this.#taken = 0;
    } else if (this.#taken > 1_024 && this.#taken * 2 > this.#steps.length) {
      this.#steps = this.#steps.slice(this.#taken);
      this.#taken = 0;
    }
  }
}
