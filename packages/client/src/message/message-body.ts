/**
 * The bytes of a received message, with the two readings that most bodies need. A view of the bytes it is made
 * from, not a copy; slices of it are plain Uint8Arrays.
 */
const decoder = new TextDecoder();

export class MessageBody extends Uint8Array {
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** A view of `bytes`. */
  static over(bytes: Uint8Array): MessageBody {
    return new MessageBody(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  }

  /** As UTF-8 text; bytes that are none become U+FFFD. */
  text(): string {
    return decoder.decode(this);
  }

  /** Parsed as JSON. Throws SyntaxError when it is none. */
  json<J = unknown>(): J {
    return JSON.parse(this.text()) as J;
  }
}
