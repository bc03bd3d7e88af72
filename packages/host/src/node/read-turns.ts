/**
 * How long one turn of the event loop goes on handing over what was read. Many peers that send at once, or one that
 * sends much, would else keep timers, finished syncs and each other's answers waiting until all of it is worked off.
 * What comes when the time is up is put off: it is handed over in the turns that follow, in the order in which it came.
 *
 *   turn: what was read (and what was put off before it) for at most 1 ms → ends of turns: writes, answers → …
 */

/** Longer than a few hundred sends take. */
const TURN_MS = 1;

/** Who puts off what it has read. */
export interface Reader {
  /** Hands over the oldest of what was put off; whether more of it can be handed over now. */
  handOverOne(): boolean;
}

export interface ReadTurnsParts {
  readonly nowMs: () => number;
  /** Calls `fn` when this turn has read all there is, and what was added for its end before has run. */
  readonly afterReading: (fn: () => void) => void;
}

const ofTheEventLoop: ReadTurnsParts = { nowMs: () => performance.now(), afterReading: setImmediate };

export class ReadTurns {
  readonly #parts: ReadTurnsParts;
  /** Readers that have put something off, the next one first. */
  #waiting: Reader[] = [];
  #endsMs = 0;
  #isRunning = false;
  #isAsked = false;

  constructor(parts: ReadTurnsParts = ofTheEventLoop) {
    this.#parts = parts;
  }

  /** Whether what was read just now can be handed over at once. */
  hasTime(): boolean {
    const nowMs = this.#parts.nowMs();
    if (this.#isRunning) return nowMs < this.#endsMs;
    this.#isRunning = true;
    this.#endsMs = nowMs + TURN_MS;
    this.#parts.afterReading(this.#ended);
    return true;
  }

  /** `reader` has something to hand over when there is time; to be said once until it says that there is no more. */
  later(reader: Reader): void {
    this.#waiting.push(reader);
    this.#ask();
  }

  readonly #ended = (): void => {
    this.#isRunning = false;
  };

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#parts.afterReading(this.#handOver);
  }

  readonly #handOver = (): void => {
    this.#isAsked = false;
    let handed = 0;
    while (handed < this.#waiting.length && this.hasTime()) {
      const reader = this.#waiting[handed++]!;
      if (reader.handOverOne()) this.#waiting.push(reader);
    }
    this.#waiting = this.#waiting.slice(handed);
    if (this.#waiting.length > 0) this.#ask();
  };
}
