/**
 * The one source of randomness of a simulated world: sfc32, seeded from a number and a label, so that every
 * part of the world can have a stream of its own and adding a draw in one does not shift the others.
 */
import type { Random } from "../random.ts";

const TWO_32 = 4294967296;

function mix(state: number, value: number): number {
  let h = (state ^ value) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `seed` is any non-negative safe integer; `label` names the stream. */
  constructor(seed: number, label = "") {
    let h = mix(mix(0x9e3779b9, seed >>> 0), Math.floor(seed / TWO_32));
    for (let i = 0; i < label.length; i++) h = mix(h + 0x9e3779b9, label.charCodeAt(i));
    this.#a = h;
    this.#b = mix(h, 0x243f6a88);
    this.#c = mix(h, 0xb7e15162);
    this.#d = 1;
    for (let i = 0; i < 12; i++) this.next32();
  }

  /** A uniform integer in [0, 2^32). */
  next32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    return t >>> 0;
  }

  int(boundExclusive: number): number {
    return Math.floor((this.next32() / TWO_32) * boundExclusive);
  }

  float(): number {
    return ((this.next32() >>> 5) * 67108864 + (this.next32() >>> 6)) / 9007199254740992;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next32() >>> 24;
    return bytes;
  }

  /** True with `probability`; draws nothing when it is 0, so that a fault that is off costs nothing. */
  chance(probability: number): boolean {
    return probability > 0 && this.next32() < probability * TWO_32;
  }

  /** A uniform integer in [min, max], both included. */
  between(min: number, max: number): number {
    return min + Math.floor((this.next32() / TWO_32) * (max - min + 1));
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  /** A new stream that depends on this one's state and on `label`. */
  fork(label: string): SeededRandom {
    return new SeededRandom(this.next32(), label);
  }
}
