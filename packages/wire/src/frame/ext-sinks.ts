/** Where header fields go: one sink for each header encoding, both writing in place. */
import { assert } from "@orbitmq/host";
import type { FrameBuffer } from "./frame-buffer.ts";
import type { PreparedFields, PreparedName } from "./prepared-fields.ts";
import type { ExtSink } from "./remoting-command.ts";

const COMMA = 0x2c;
const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const NAME_BYTES_MAX = 32_767;
const INTEGER_BYTES_MAX = 17;

/** The sinks of this package; they take integers without a detour through text. */
export abstract class FrameExtSink implements ExtSink {
  protected readonly out: FrameBuffer;

  constructor(out: FrameBuffer) {
    this.out = out;
  }

  abstract put(name: string, value: string): void;
  /** `value` is a safe integer. */
  abstract putInteger(name: string, value: number): void;
  abstract putPreparedFields(fields: PreparedFields): void;
  /** `value` is a safe integer. */
  abstract putPreparedInteger(name: PreparedName, value: number): void;
  /** UTF-8 text, `bytes[0, length)`. */
  abstract putPreparedText(name: PreparedName, bytes: Buffer, length: number): void;
}

/** `nameLength:i16 name valueLength:i32 value` */
export class BinaryExtSink extends FrameExtSink {
  put(name: string, value: string): void {
    const { out } = this;
    out.reserve(6 + 3 * (name.length + value.length));
    this.#putName(name);
    const lengthAt = out.at;
    out.at = lengthAt + 4;
    out.setInt32(lengthAt, out.writeText(value));
  }

  putInteger(name: string, value: number): void {
    const { out } = this;
    out.reserve(6 + 3 * name.length + INTEGER_BYTES_MAX);
    this.#putName(name);
    const lengthAt = out.at;
    out.at = lengthAt + 4;
    out.setInt32(lengthAt, out.writeDecimal(value));
  }

  putPreparedFields(fields: PreparedFields): void {
    this.out.reserve(fields.binary.length);
    this.out.writeBytes(fields.binary);
  }

  putPreparedInteger(name: PreparedName, value: number): void {
    const { out } = this;
    out.reserve(4 + name.binary.length + INTEGER_BYTES_MAX);
    out.writeShortBytes(name.binary, name.binary.length);
    const lengthAt = out.at;
    out.at = lengthAt + 4;
    out.setInt32(lengthAt, out.writeDecimal(value));
  }

  putPreparedText(name: PreparedName, bytes: Buffer, length: number): void {
    const { out } = this;
    out.reserve(4 + name.binary.length + length);
    out.writeShortBytes(name.binary, name.binary.length);
    out.writeInt32(length);
    out.writeShortBytes(bytes, length);
  }

  #putName(name: string): void {
    const { out } = this;
    const lengthAt = out.at;
    out.at = lengthAt + 2;
    const length = out.writeText(name);
    assert(length <= NAME_BYTES_MAX, "a header field's name fits 16 bits");
    out.chunk[lengthAt] = length >>> 8;
    out.chunk[lengthAt + 1] = length;
  }
}

/** Members of the `extFields` object, `"name":"value"`, commas between. */
export class JsonExtSink extends FrameExtSink {
  #first = true;

  restart(): void {
    this.#first = true;
  }

  put(name: string, value: string): void {
    this.#putName(name);
    this.#putString(value);
  }

  putInteger(name: string, value: number): void {
    this.#putName(name);
    const { out } = this;
    out.reserve(2 + INTEGER_BYTES_MAX);
    out.chunk[out.at++] = QUOTE;
    out.writeDecimal(value);
    out.chunk[out.at++] = QUOTE;
  }

  putPreparedFields(fields: PreparedFields): void {
    const { out } = this;
    out.reserve(1 + fields.json.length);
    this.#comma();
    out.writeBytes(fields.json);
  }

  putPreparedInteger(name: PreparedName, value: number): void {
    const { out } = this;
    out.reserve(3 + name.json.length + INTEGER_BYTES_MAX);
    this.#comma();
    out.writeShortBytes(name.json, name.json.length);
    out.chunk[out.at++] = QUOTE;
    out.writeDecimal(value);
    out.chunk[out.at++] = QUOTE;
  }

  putPreparedText(name: PreparedName, bytes: Buffer, length: number): void {
    for (let i = 0; i < length; i++) {
      const byte = bytes[i]!;
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
        this.put(name.text, bytes.toString("utf8", 0, length));
        return;
      }
    }
    const { out } = this;
    out.reserve(3 + name.json.length + length);
    this.#comma();
    out.writeShortBytes(name.json, name.json.length);
    out.chunk[out.at++] = QUOTE;
    out.writeShortBytes(bytes, length);
    out.chunk[out.at++] = QUOTE;
  }

  /** Room for it must be reserved. */
  #comma(): void {
    if (!this.#first) this.out.chunk[this.out.at++] = COMMA;
    this.#first = false;
  }

  #putName(name: string): void {
    const { out } = this;
    out.reserve(2);
    this.#comma();
    this.#putString(name);
    out.reserve(1);
    out.chunk[out.at++] = COLON;
  }

  #putString(text: string): void {
    const { out } = this;
    out.reserve(2 + 3 * text.length);
    const start = out.at;
    const { chunk } = out;
    chunk[start] = QUOTE;
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x20 || unit > 0x7e || unit === QUOTE || unit === BACKSLASH) break;
      chunk[start + 1 + i] = unit;
    }
    if (i === text.length) {
      chunk[start + 1 + i] = QUOTE;
      out.at = start + 2 + i;
      return;
    }
    const quoted = JSON.stringify(text);
    out.reserve(3 * quoted.length);
    out.writeText(quoted);
  }
}
