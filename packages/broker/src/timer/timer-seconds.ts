/**
 * Which seconds are over, for those who take messages of them back. A second that is over is emptied once the timer's
 * queue is read to where it ended then: a deletion may be stored and not on disk yet. From then on nothing of it can be
 * taken back any more, though the wall clock is set back: what is delivered may be under way already.
 */
export class TimerSeconds {
  /** One past the last message of the queue, on disk or not. */
  #storedEnd = 0;
  #overMs = Number.NEGATIVE_INFINITY;
  #waitingMs: number | undefined;
  #waitsFor = 0;

  /** A message is stored in the queue at this place. */
  stored(queueOffset: number): void {
    this.#storedEnd = Math.max(this.#storedEnd, queueOffset + 1);
  }

  /** The slot's second is over: how far the queue is to be read before the slot is emptied. */
  over(slotMs: number): number {
    if (this.#waitingMs !== slotMs) {
      this.#waitingMs = slotMs;
      this.#waitsFor = this.#storedEnd;
    }
    this.#overMs = Math.max(this.#overMs, slotMs);
    return this.#waitsFor;
  }

  /** The slot is being emptied; if it is used once more it is over once more. */
  emptied(): void {
    this.#waitingMs = undefined;
  }

  isOver(slotMs: number): boolean {
    return slotMs <= this.#overMs;
  }
}
