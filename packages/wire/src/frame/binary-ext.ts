/**
 * The ext fields of a ROCKETMQ header. Grammar, big-endian, repeated:
 *
 *   entry = nameLength:i16 name valueLength:i32 value          UTF-8; an empty value stands for none
 */
import { readInt32 } from "../bytes/big-endian.ts";
import { findName, LocatedExt, sameText } from "./located-ext.ts";

const LETTER_A = 0x61;
const LETTERS = 26;
/** Of the ext fields checked last: where the values begin and end whose names are the letters a to z; 0 where there is none. */
const checkedLetters = new Int32Array(2 * LETTERS);
/** Counts the checks. */
let checked = 0;

/** Whether `buffer[start, end)` consists of whole entries. */
export function checkBinaryExt(buffer: Buffer, start: number, end: number): boolean {
  const letters = checkedLetters;
  for (let i = 0; i < letters.length; i++) letters[i] = 0;
  checked++;
  let at = start;
  while (at < end) {
    if (end - at < 2) return false;
    const nameLength = (buffer[at]! << 8) | buffer[at + 1]!;
    const valueAt = at + 2 + nameLength;
    if (nameLength > 0x7fff || end - valueAt < 4) return false;
    const valueLength = readInt32(buffer, valueAt);
    if (valueLength < 0 || valueLength > end - valueAt - 4) return false;
    const letter = buffer[at + 2]! - LETTER_A;
    at = valueAt + 4 + valueLength;
    if (nameLength === 1 && letter >= 0 && letter < LETTERS) {
      letters[2 * letter] = valueAt + 4;
      letters[2 * letter + 1] = at;
    }
  }
  return true;
}

/** Its bytes must have passed {@link checkBinaryExt}; made right after that, it knows what was found on the way. */
export class BinaryExt extends LocatedExt {
  readonly #check = checked;

  get(name: string): string | undefined {
    const { buffer } = this;
    let found: string | undefined;
    for (let at = this.start; at < this.end; ) {
      const nameAt = at + 2;
      const valueAt = nameAt + ((buffer[at]! << 8) | buffer[at + 1]!);
      at = valueAt + 4 + readInt32(buffer, valueAt);
      if (sameText(buffer, nameAt, valueAt, name)) found = buffer.toString("utf8", valueAt + 4, at);
    }
    return found;
  }

  forEach(visit: (name: string, value: string) => void): void {
    const { buffer } = this;
    for (let at = this.start; at < this.end; ) {
      const nameAt = at + 2;
      const valueAt = nameAt + ((buffer[at]! << 8) | buffer[at + 1]!);
      at = valueAt + 4 + readInt32(buffer, valueAt);
      visit(buffer.toString("utf8", nameAt, valueAt), buffer.toString("utf8", valueAt + 4, at));
    }
  }

  locate(names: readonly string[], found: Int32Array): void {
    const { buffer, end } = this;
    let expected = 0;
    for (let at = this.start; at < end; ) {
      const nameAt = at + 2;
      const valueAt = nameAt + ((buffer[at]! << 8) | buffer[at + 1]!);
      at = valueAt + 4 + readInt32(buffer, valueAt);
      const i = findName(buffer, nameAt, valueAt, names, expected);
      if (i < 0) continue;
      found[2 * i] = valueAt + 4;
      found[2 * i + 1] = at;
      expected = i + 1;
    }
  }

  /**
   * {@link locate} for names that are the letters from `a` on: what the hottest request has. Filled for all of them;
   * valid until the next frame is decoded.
   */
  letters(): Int32Array {
    if (this.#check !== checked) checkBinaryExt(this.buffer, this.start, this.end);
    return checkedLetters;
  }

  text(start: number, end: number): string {
    return this.buffer.toString("utf8", start, end);
  }
}
