/** Reading message bodies from stdin: all of it, or line by line, as bytes. */
import { ServerError } from "../../server-error.ts";

const LF = 10;
const CR = 13;
/** A line longer than any message could be is refused before it fills the memory. */
export const LINE_BYTES_MAX = 16_777_216;

export async function wholeInput(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > LINE_BYTES_MAX) throw tooLong();
    chunks.push(chunk);
  }
  return join(chunks);
}

/** Lines without their end (LF or CR LF); empty lines are left out. A last line without an end counts. */
export async function* lines(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of input) {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      const line = trimmed(join([...rest, chunk.subarray(from, at)]));
      rest = [];
      restBytes = 0;
      from = at + 1;
      if (line.length > 0) yield line;
    }
    rest.push(chunk.slice(from));
    restBytes += chunk.length - from;
    if (restBytes > LINE_BYTES_MAX) throw tooLong();
  }
  const last = trimmed(join(rest));
  if (last.length > 0) yield last;
}

const tooLong = () => new ServerError("USAGE", `stdin: a body may have at most ${LINE_BYTES_MAX} bytes`);

function trimmed(line: Uint8Array): Uint8Array {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
