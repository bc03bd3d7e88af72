/**
 * Time, with two faces. Wall time says when something happened and may step by hours in either direction;
 * monotonic time measures how long something took and never goes back. Deadlines, timeouts and expiry use
 * monotonic time; only what is stored or shown uses wall time.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, an integer. May step. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin, possibly fractional. Never decreases. */
  monotonicMs(): number;
}

export interface TimerHandle {
  /** Idempotent; a cancelled timer never fires. */
  cancel(): void;
}

export interface Timers {
  /** Calls `fn` once, `delayMs` (monotonic) from now at the earliest. */
  after(delayMs: number, fn: () => void): TimerHandle;
  /** Calls `fn` every `intervalMs`, first after one interval. */
  every(intervalMs: number, fn: () => void): TimerHandle;
  /**
   * Calls `fn` once when the current turn of the event loop has handled what was ready (all readable
   * sockets, all completed disk operations). The place for one write per socket and one write per log.
   */
  afterTurn(fn: () => void): void;
}
