/** Where header fields go: one sink for each header encoding, both writing in place. */
import { assert } from "@orbitmq/host";
import type { FrameBuffer } from "./frame-buffer.ts";
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

  #putName(name: string): void {
    const { out } = this;
    out.reserve(2);
    if (!this.#first) out.chunk[out.at++] = COMMA;
    this.#first = false;
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
