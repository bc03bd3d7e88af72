/**
 * Reads one slot's chain of units in the order they were added, deletions first, in memory that does not grow with
 * the chain: it is walked backwards once, every so many places noted, and then again piece by piece, the oldest
 * piece first.
 *
 *   walking → deletions → messages → done
 *
 * A chain that is not whole throws TimerDamage: wheel and log have to be made anew.
 */
import { assert } from "@orbitmq/host";
import type { TimerFiles } from "./timer-files.ts";
import { TimerMagic, type TimerUnit } from "./timer-unit.ts";

/** Wheel or log contradict themselves. */
export class TimerDamage extends Error {
  override readonly name = "TimerDamage";
}

/** Units between two places that are noted, and how many are walked in one turn. */
const PIECE = 4_096;

export class SlotReader {
  readonly slotMs: number;
  readonly #files: TimerFiles;
  /** Where pieces end, the newest first. */
  readonly #pieces: number[] = [];
  readonly #deletions: TimerUnit[] = [];
  #position: number;
  #count = 0;
  #isWalked = false;
  #piece: TimerUnit[] = [];
  #at = 0;

  /** Throws TimerDamage when there is no such slot. */
  constructor(files: TimerFiles, slotMs: number) {
    const slot = files.slot(slotMs);
    if (slot === undefined) throw new TimerDamage(`timerwheel has no slot of ${slotMs}`);
    this.#files = files;
    this.slotMs = slotMs;
    this.#position = slot.lastPos;
  }

  get count(): number {
    return this.#count;
  }

  /** Walks on; true when the chain's beginning is reached. */
  walk(): boolean {
    assert(!this.#isWalked, "a chain is walked once");
    this.#pieces.push(this.#position);
    for (let steps = 0; steps < PIECE; steps++) {
      const unit = this.#unit(this.#position);
      if (unit === undefined) {
        this.#isWalked = true;
        if (steps === 0) this.#pieces.pop();
        return true;
      }
      this.#count++;
      if (isDeletion(unit)) this.#deletions.push(unit);
      this.#position = unit.prevPos;
    }
    return false;
  }

  /** Units that delete others. After the walk. */
  get deletions(): readonly TimerUnit[] {
    return this.#deletions;
  }

  /** The next message, oldest first; `undefined` at the end. After the walk. */
  next(): TimerUnit | undefined {
    assert(this.#isWalked, "a chain is walked first");
    while (this.#at === this.#piece.length) {
      const from = this.#pieces.pop();
      if (from === undefined) return undefined;
      this.#piece = this.#read(from);
      this.#at = 0;
    }
    return this.#piece[this.#at++];
  }

  #read(from: number): TimerUnit[] {
    const units: TimerUnit[] = [];
    let position = from;
    for (let steps = 0; steps < PIECE; steps++) {
      const unit = this.#unit(position);
      if (unit === undefined) break;
      if (!isDeletion(unit)) units.push(unit);
      position = unit.prevPos;
    }
    return units.reverse();
  }

  #unit(position: number): TimerUnit | undefined {
    // What lies before the log was removed with its messages.
    if (position < this.#files.logStart) return undefined;
    const unit = this.#files.unitAt(position);
    if (unit?.slotMs !== this.slotMs) {
      throw new TimerDamage(`timerlog has no unit of ${this.slotMs} at ${position}`);
    }
    return unit;
  }
}

function isDeletion({ magic }: TimerUnit): boolean {
  return (magic & TimerMagic.DELETE) !== 0 && (magic & TimerMagic.ROLL) === 0;
}
