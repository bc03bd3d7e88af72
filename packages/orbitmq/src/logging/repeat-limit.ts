/**
 * Keeps what is said again and again from filling a disk: an event (a level and a message) is logged so many times in a
 * while, further ones are counted, and when the while is over one line says how many.
 *
 *   an event: quiet → counted, while its time runs → quiet again
 */
export interface RepeatLimitOptions {
  /** Lines of one event in `everyMs`; more are held back. */
  readonly linesMax: number;
  readonly everyMs: number;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Calls back once, later; must not keep a process alive. */
  readonly after: (ms: number, fn: () => void) => void;
}

export const repeatLimits = { linesMax: 20, everyMs: 10_000 } as const;

/** Events known at once; the oldest are forgotten, which lets them speak again. */
const EVENTS_MAX = 1_000;

interface Event {
  readonly sinceMs: number;
  lines: number;
  held: number;
}

export class RepeatLimit {
  readonly #options: RepeatLimitOptions;
  readonly #events = new Map<string, Event>();

  constructor(options: RepeatLimitOptions) {
    this.#options = options;
  }

  /** Whether the event may be logged now. If not, `tell` is called with how many were held back, later. */
  admits(event: string, tell: (held: number) => void): boolean {
    const { linesMax, everyMs, nowMs, after } = this.#options;
    const known = this.#events.get(event);
    if (known === undefined || (known.held === 0 && nowMs() - known.sinceMs >= everyMs)) {
      this.#events.delete(event);
      this.#forgetOldest();
      this.#events.set(event, { sinceMs: nowMs(), lines: 1, held: 0 });
      return true;
    }
    if (known.lines < linesMax) {
      known.lines++;
      return true;
    }
    if (known.held++ === 0) {
      after(Math.max(0, everyMs - (nowMs() - known.sinceMs)), () => {
        if (this.#events.get(event) === known) this.#events.delete(event);
        tell(known.held);
      });
    }
    return false;
  }

  #forgetOldest(): void {
    if (this.#events.size < EVENTS_MAX) return;
    for (const event of this.#events.keys()) {
      this.#events.delete(event);
      return;
    }
  }
}
