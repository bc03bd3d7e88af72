/**
 * Up to which second everything is delivered, as timercheck says it: everything that was taken from the queue and
 * was to be delivered before is delivered, durably. A message that waits in a later slot than its own holds it back
 * until that slot is delivered, so that wheel and log can be lost and nothing with them.
 */
import { TIMER_PRECISION_MS } from "@orbitmq/store";

export class TimerProgress {
  /** Slots taken whose messages are not safe yet. */
  readonly #unsafe = new Set<number>();
  /** Until the slots up to the key are delivered, nothing from the value on counts as delivered. */
  readonly #held = new Map<number, number>();

  /** A message of `outMs` waits in the slot `slotMs`. */
  hold(slotMs: number, outMs: number): void {
    if (outMs < slotMs) this.#held.set(slotMs, Math.min(outMs, this.#held.get(slotMs) ?? outMs));
  }

  taken(slotMs: number): void {
    this.#unsafe.add(slotMs);
  }

  safe(slotMs: number): void {
    this.#unsafe.delete(slotMs);
  }

  get unsafeCount(): number {
    return this.#unsafe.size;
  }

  /** Wall ms; `nextMs` is the earliest slot with messages. */
  readTime(nextMs: number | undefined, nowMs: number): number {
    let time = nextMs ?? nowMs - (nowMs % TIMER_PRECISION_MS);
    for (const slotMs of this.#unsafe) time = Math.min(time, slotMs);
    // What is held may hold more: the earliest decides.
    const delivered = time;
    for (const [slotMs, outMs] of this.#held) {
      if (slotMs < delivered) this.#held.delete(slotMs);
      else time = Math.min(time, outMs);
    }
    return time;
  }

  clear(): void {
    this.#unsafe.clear();
    this.#held.clear();
  }
}
