/**
 * The ext fields of a ROCKETMQ header, read where they lie. Grammar, big-endian, repeated:
 *
 *   entry = nameLength:i16 name valueLength:i32 value          UTF-8; an empty value stands for none
 *
 * The structure is checked once by {@link checkBinaryExt}; after that no access can leave the header.
 */
import type { ExtFields } from "./remoting-command.ts";

/** Whether `buffer[start, end)` consists of whole entries. */
export function checkBinaryExt(buffer: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (end - at < 2) return false;
    const nameLength = (buffer[at]! << 8) | buffer[at + 1]!;
    at += 2 + nameLength;
    if (nameLength > 0x7fff || end - at < 4) return false;
    const valueLength = readLength(buffer, at);
    if (valueLength < 0 || valueLength > end - at - 4) return false;
    at += 4 + valueLength;
  }
  return true;
}

function readLength(buffer: Buffer, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}

export class BinaryExt implements ExtFields {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;

  /** `buffer[start, end)` must have passed {@link checkBinaryExt}. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  /** The last entry of this name wins, as in a Java map. */
  get(name: string): string | undefined {
    const buffer = this.buffer;
    let found: string | undefined;
    for (let at = this.start; at < this.end; ) {
      const nameAt = at + 2;
      const valueAt = nameAt + ((buffer[at]! << 8) | buffer[at + 1]!);
      const valueEnd = valueAt + 4 + readLength(buffer, valueAt);
      if (sameText(buffer, nameAt, valueAt, name)) found = buffer.toString("utf8", valueAt + 4, valueEnd);
      at = valueEnd;
    }
    return found;
  }

  forEach(visit: (name: string, value: string) => void): void {
    const buffer = this.buffer;
    for (let at = this.start; at < this.end; ) {
      const valueAt = at + 2 + ((buffer[at]! << 8) | buffer[at + 1]!);
      const valueEnd = valueAt + 4 + readLength(buffer, valueAt);
      visit(buffer.toString("utf8", at + 2, valueAt), buffer.toString("utf8", valueAt + 4, valueEnd));
      at = valueEnd;
    }
  }

  /**
   * Finds the values of many names in one pass: `found[2 * i]` and `found[2 * i + 1]` become start and end of
   * the value of `names[i]`, or stay as they are. Names in wire order make it fastest.
   */
  locate(names: readonly string[], found: Int32Array): void {
    const buffer = this.buffer;
    let expected = 0;
    for (let at = this.start; at < this.end; ) {
      const nameAt = at + 2;
      const valueAt = nameAt + ((buffer[at]! << 8) | buffer[at + 1]!);
      const valueEnd = valueAt + 4 + readLength(buffer, valueAt);
      for (let tried = 0; tried < names.length; tried++) {
        const i = expected;
        expected = expected + 1 === names.length ? 0 : expected + 1;
        if (sameText(buffer, nameAt, valueAt, names[i]!)) {
          found[2 * i] = valueAt + 4;
          found[2 * i + 1] = valueEnd;
          break;
        }
      }
      at = valueEnd;
    }
  }
}

/** Whether `buffer[start, end)` is `text`; field names are ASCII, so anything else simply differs. */
function sameText(buffer: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (buffer[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
