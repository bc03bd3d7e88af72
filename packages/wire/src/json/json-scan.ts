/**
 * JSON read where it lies in a buffer, for headers: positions instead of values, so that a header costs neither
 * the allocation nor the time of a general parser, whatever a peer puts into it. Every function takes where to
 * start and where to stop and returns where it ended, or -1 for what is not JSON. Nesting is only counted.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The member that {@link nextMember} found. */
export const member = {
  nameStart: 0,
  nameEnd: 0,
  nameEscaped: false,
  /** Of a string: without its quotes. */
  valueStart: 0,
  valueEnd: 0,
  valueEscaped: false,
  kind: "scalar" as "string" | "scalar" | "nested",
};

/** Whether the string that {@link stringEnd} last went over holds escapes. */
let escaped = false;

export function skipSpace(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && buffer[at]! <= 0x20) at++;
  return at;
}

/** `start` is behind the opening quote; returns where the closing one is. */
function stringEnd(buffer: Buffer, start: number, end: number): number {
  escaped = false;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) {
      escaped = true;
      at++;
    }
  }
  return -1;
}

function scalarEnd(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = buffer[at]!;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
    if (byte === QUOTE || byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) return -1;
    at++;
  }
  return at === start ? -1 : at;
}

function nestedEnd(buffer: Buffer, start: number, end: number): number {
  let depth = 0;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte === QUOTE) {
      at = stringEnd(buffer, at + 1, end);
      if (at < 0) return -1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

/**
 * Fills {@link member} with the next member of an object and returns where the one after it, or the closing
 * brace, is. `start` is where {@link enterObject} or the last call ended.
 */
export function nextMember(buffer: Buffer, start: number, end: number): number {
  if (start >= end || buffer[start] !== QUOTE) return -1;
  member.nameStart = start + 1;
  let at = stringEnd(buffer, start + 1, end);
  if (at < 0) return -1;
  member.nameEnd = at;
  member.nameEscaped = escaped;
  at = skipSpace(buffer, at + 1, end);
  if (buffer[at] !== COLON || at >= end) return -1;
  at = skipSpace(buffer, at + 1, end);
  at = value(buffer, at, end);
  if (at < 0) return -1;
  at = skipSpace(buffer, at, end);
  if (at >= end) return -1;
  if (buffer[at] === COMMA) return skipSpace(buffer, at + 1, end);
  return buffer[at] === CLOSE_BRACE ? at : -1;
}

function value(buffer: Buffer, at: number, end: number): number {
  if (at >= end) return -1;
  const first = buffer[at];
  member.valueEscaped = false;
  member.valueStart = at;
  if (first === QUOTE) {
    member.kind = "string";
    member.valueStart = at + 1;
    member.valueEnd = stringEnd(buffer, at + 1, end);
    member.valueEscaped = escaped;
    return member.valueEnd < 0 ? -1 : member.valueEnd + 1;
  }
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    member.kind = "nested";
    member.valueEnd = nestedEnd(buffer, at, end);
  } else {
    member.kind = "scalar";
    member.valueEnd = scalarEnd(buffer, at, end);
  }
  return member.valueEnd;
}

/** Where an object's first member (or closing brace) is; `start` is at its opening brace. */
export function enterObject(buffer: Buffer, start: number, end: number): number {
  return start < end && buffer[start] === OPEN_BRACE ? skipSpace(buffer, start + 1, end) : -1;
}

/** Whether an object ends at `at`. */
export function isObjectEnd(buffer: Buffer, at: number): boolean {
  return buffer[at] === CLOSE_BRACE;
}

/** What stands behind a backslash → the byte it means; 0 for what is no short escape. */
const ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of [
  ['"', '"'],
  ["/", "/"],
  ["\\", "\\"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
] as const) {
  ESCAPES[letter.charCodeAt(0)] = meaning.charCodeAt(0);
}
const LETTER_U = 0x75;
const scratch = Buffer.allocUnsafe(32 * 1024);

/** The text of a string's inside; `undefined` when its escapes are none of JSON's. */
export function unescapeJson(buffer: Buffer, start: number, end: number): string | undefined {
  const length = unescapeJsonInto(buffer, start, end, scratch);
  return length < 0 ? unescapeAny(buffer, start, end) : scratch.toString("utf8", 0, length);
}

/**
 * Writes the text as UTF-8 to the beginning of `into` and returns its length; -1 when it does not fit or has
 * escapes beyond ASCII.
 */
export function unescapeJsonInto(buffer: Buffer, start: number, end: number, into: Buffer): number {
  if (end - start > into.length) return -1;
  let to = 0;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte !== BACKSLASH) {
      into[to++] = byte;
      continue;
    }
    at++;
    const meaning = ESCAPES[buffer[at]!]!;
    if (meaning !== 0) {
      into[to++] = meaning;
      continue;
    }
    // Beyond ASCII the escapes may be surrogate pairs: rare, so left to the engine.
    if (buffer[at] !== LETTER_U || end - at < 5 || buffer[at + 1] !== 0x30 || buffer[at + 2] !== 0x30)
      return -1;
    const unit = 16 * hexDigit(buffer[at + 3]!) + hexDigit(buffer[at + 4]!);
    if (!(unit < 0x80)) return -1;
    into[to++] = unit;
    at += 4;
  }
  return to;
}

/** NaN for what is no hex digit. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

function unescapeAny(buffer: Buffer, start: number, end: number): string | undefined {
  const text = buffer.toString("utf8", start, end);
  try {
    // Raw control characters are no JSON, but lenient parsers take them, and so do we.
    const strict = text.replace(/\p{Cc}/gu, (unit) => JSON.stringify(unit).slice(1, -1));
    return JSON.parse(`"${strict}"`) as string;
  } catch {
    return undefined; // the caller names the header this belongs to
  }
}
