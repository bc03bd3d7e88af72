/**
 * Ext fields read where they lie in the receive buffer, whatever the header's encoding: schemas find all their
 * fields in one pass and decode them from the bytes, without a map or intermediate strings.
 */
import type { ExtFields } from "./remoting-command.ts";

export abstract class LocatedExt implements ExtFields {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;

  /** `buffer[start, end)` has been checked by the decoder: reading it cannot leave the header. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
  }

  /** The last entry of a name wins, as in a Java map. */
  abstract get(name: string): string | undefined;
  abstract forEach(visit: (name: string, value: string) => void): void;

  /**
   * For each `names[i]` that is there, `found[2 * i]` becomes the start of its value in `buffer` and
   * `found[2 * i + 1]` its end; others stay as they are. A negative start says that the value holds escapes and
   * must be read by {@link text}. Names in wire order make it fastest.
   */
  abstract locate(names: readonly string[], found: Int32Array): void;

  /** The text of a located value. */
  abstract text(start: number, end: number): string;
}

/** Whether `buffer[start, end)` is `text`; field names are ASCII, so anything else simply differs. */
export function sameText(buffer: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (buffer[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The index of `buffer[start, end)` in `names`, tried from `expected` on and around; -1 when it is not there. */
export function findName(
  buffer: Buffer,
  start: number,
  end: number,
  names: readonly string[],
  expected: number,
): number {
  for (let i = expected; i < names.length; i++) if (sameText(buffer, start, end, names[i]!)) return i;
  for (let i = 0; i < expected; i++) if (sameText(buffer, start, end, names[i]!)) return i;
  return -1;
}
