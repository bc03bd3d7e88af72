/**
 * The properties of a stored record, looked for in its bytes: a filter asks for one or two of them, and only those
 * become strings. One object serves record after record. The last property of a name counts.
 */
import { bodyLengthAt, MAGIC_V2, parseProperties, RecordField } from "@orbitmq/wire";
import type { PropertySource } from "./sql-expressions.ts";

const NAME_END = 1;
const VALUE_END = 2;
const EMPTY = Buffer.alloc(0);
/** After so many walks through the bytes of one record all its properties are taken out at once. */
const WALKS_MAX = 8;

export class RecordProperties implements PropertySource {
  #bytes: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  #walks = 0;
  #all: ReadonlyMap<string, string> | undefined;

  /** Turns to the record at `bytes[at]`, which must be a whole one. */
  read(bytes: Buffer, at: number): void {
    const bodyAt = at + bodyLengthAt(bytes.readInt32BE(at + RecordField.SYS_FLAG));
    const topicAt = bodyAt + 4 + bytes.readInt32BE(bodyAt);
    const isV2 = bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_V2;
    const lengthAt = isV2
      ? topicAt + 2 + bytes.readUInt16BE(topicAt)
      : topicAt + 1 + bytes.readUInt8(topicAt);
    this.#bytes = bytes;
    this.#start = lengthAt + 2;
    this.#end = this.#start + bytes.readUInt16BE(lengthAt);
    this.#walks = 0;
    this.#all = undefined;
  }

  /** `name` is ASCII, as names in expressions are. */
  get(name: string): string | null {
    if (this.#all === undefined && ++this.#walks > WALKS_MAX) {
      this.#all = parseProperties(this.#bytes.toString("utf8", this.#start, this.#end));
    }
    return this.#all === undefined ? this.#walk(name) : (this.#all.get(name) ?? null);
  }

  #walk(name: string): string | null {
    const bytes = this.#bytes;
    const end = this.#end;
    let valueStart = -1;
    let valueEnd = -1;
    for (let at = this.#start; at < end; ) {
      let middle = at;
      while (middle < end && bytes[middle] !== NAME_END && bytes[middle] !== VALUE_END) middle++;
      let next = middle;
      if (bytes[middle] === NAME_END) next = indexOf(bytes, VALUE_END, middle + 1, end);
      if (next > middle && middle - at === name.length && isAt(bytes, at, name)) {
        valueStart = middle + 1;
        valueEnd = next;
      }
      at = next + 1;
    }
    return valueStart < 0 ? null : bytes.toString("utf8", valueStart, valueEnd);
  }
}

/** `end` when there is none. */
function indexOf(bytes: Buffer, byte: number, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}

function isAt(bytes: Buffer, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  return true;
}
