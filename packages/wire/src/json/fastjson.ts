/**
 * JSON bodies as RocketMQ's library (fastjson 1.x) writes and reads them. Two peculiarities are no JSON: maps
 * with integer keys have bare keys, `{0:"a"}`, and maps keyed by objects have the object itself as the key,
 * `{{"queueId":0}:7}`. Everything else is JSON with null members left out and members in alphabetical order.
 *
 *   value   = object | array | string | number | true | false | null
 *   object  = "{" [ key ":" value { "," key ":" value } ] "}"
 *   key     = string | integer | identifier | object
 *
 * Reading tries the engine's own parser first; only what that refuses goes through the tolerant one.
 */
import { WireError } from "../wire-error.ts";

/** A parsed object whose keys are objects. */
export class ObjectKeyedMap {
  readonly entries: [key: Record<string, unknown>, value: unknown][] = [];
}

export interface FastjsonOptions {
  /** Integer keys as strings: standard JSON. Default false. */
  readonly quoteIntegerKeys?: boolean;
  /** Non-ASCII as \uXXXX. Default false. */
  readonly asciiOnly?: boolean;
}

/** Nesting beyond this is refused; the protocol's deepest body has about eight levels. */
const DEPTH_MAX = 64;

/**
 * Writes `value` as fastjson would. Plain objects are beans: members sorted, `undefined` and `null` left out.
 * A Map keeps its order; its keys may be strings, integers (bare unless `quoteIntegerKeys`) or objects. A Set
 * is written as an array.
 */
export function encodeFastjson(value: unknown, options: FastjsonOptions = {}): Uint8Array {
  return Buffer.from(formatFastjson(value, options), "utf8");
}

/** {@link encodeFastjson} as text. */
export function formatFastjson(value: unknown, options: FastjsonOptions = {}): string {
  const text = format(value, options.quoteIntegerKeys === true);
  return options.asciiOnly === true ? escapeNonAscii(text) : text;
}

function escapeNonAscii(text: string): string {
  return text.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
}

/** Text grows by appending: bodies are made of hundreds of small parts, and a list of them would cost more than they. */
function format(value: unknown, quoteIntegerKeys: boolean): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return formatScalar(value);
  if (Array.isArray(value)) {
    let items = "";
    for (let i = 0; i < value.length; i++) {
      if (i > 0) items += ",";
      items += format(value[i], quoteIntegerKeys);
    }
    return `[${items}]`;
  }
  if (value instanceof Set) return format([...value], quoteIntegerKeys);
  let members = "";
  if (value instanceof Map) {
    for (const [key, item] of value) {
      if (item === undefined || item === null) continue;
      if (members !== "") members += ",";
      members += `${formatKey(key, quoteIntegerKeys)}:${format(item, quoteIntegerKeys)}`;
    }
  } else {
    for (const key of sortedKeys(value)) {
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined || item === null) continue;
      if (members !== "") members += ",";
      members += `${quoted(key)}:${format(item, quoteIntegerKeys)}`;
    }
  }
  return `{${members}}`;
}

/** A string, number or boolean as JSON; what JSON cannot express is null. */
export function formatScalar(value: unknown): string {
  if (Number.isInteger(value) && !Object.is(value, -0)) return String(value);
  return JSON.stringify(value) ?? "null";
}

/** An object's own keys in alphabetical order. */
export function sortedKeys(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) {
    // Most beans are written down in order.
    if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort();
  }
  return keys;
}

const quotedKeys = new Map<string, string>();
const QUOTED_KEYS_MAX = 1_024;
const QUOTED_LENGTH_MAX = 64;

/** JSON.stringify of a member's name; the same few are asked for again and again. */
export function quoted(key: string): string {
  if (key.length > QUOTED_LENGTH_MAX) return JSON.stringify(key);
  let text = quotedKeys.get(key);
  if (text === undefined) {
    text = JSON.stringify(key);
    if (quotedKeys.size >= QUOTED_KEYS_MAX) quotedKeys.clear();
    quotedKeys.set(key, text);
  }
  return text;
}

function formatKey(key: unknown, quoteIntegerKeys: boolean): string {
  if (typeof key === "number") return quoteIntegerKeys ? `"${key}"` : String(key);
  if (typeof key === "string") return quoted(key);
  return format(key, quoteIntegerKeys);
}

/**
 * Parses a body to plain objects, arrays, strings, numbers, booleans, null and {@link ObjectKeyedMap}.
 * Throws WireError JSON_MALFORMED.
 */
export function parseFastjson(source: Uint8Array | string): unknown {
  const text = typeof source === "string" ? source : utf8(source);
  try {
    return JSON.parse(text);
  } catch {
    // Not standard JSON; the tolerant parser decides whether it is fastjson's.
    return new TolerantParser(text).parse();
  }
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[LlDdFfBbSs]?/y;
const IDENTIFIER = /[A-Za-z_$][\w$.-]*/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g;
const KEYWORDS = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class TolerantParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): unknown {
    const value = this.#value();
    this.#skipBlank();
    if (this.#at !== this.#text.length) throw this.#malformed("text after the end");
    return value;
  }

  #value(): unknown {
    this.#skipBlank();
    const first = this.#text[this.#at];
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    if (first === '"' || first === "'") return this.#string();
    const number = this.#match(NUMBER);
    if (number !== undefined) return Number(number.replace(/[A-Za-df-z]$/i, ""));
    const word = this.#match(IDENTIFIER);
    if (word !== undefined && KEYWORDS.has(word)) return KEYWORDS.get(word);
    throw this.#malformed("a value was expected");
  }

  #array(): unknown[] {
    this.#enter();
    const items: unknown[] = [];
    while (!this.#takes("]")) {
      items.push(this.#value());
      this.#separator("]");
    }
    this.#depth--;
    return items;
  }

  #object(): Record<string, unknown> | ObjectKeyedMap {
    this.#enter();
    const object: Record<string, unknown> = {};
    let keyed: ObjectKeyedMap | undefined;
    while (!this.#takes("}")) {
      const key = this.#key();
      if (!this.#takes(":")) throw this.#malformed("a colon was expected");
      const value = this.#value();
      if (typeof key === "string") define(object, key, value);
      else {
        keyed ??= new ObjectKeyedMap();
        keyed.entries.push([key, value]);
      }
      this.#separator("}");
    }
    this.#depth--;
    return keyed ?? object;
  }

  #key(): string | Record<string, unknown> {
    this.#skipBlank();
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") return this.#string();
    if (first === "{") {
      const key = this.#object();
      if (key instanceof ObjectKeyedMap) throw this.#malformed("a key cannot be a map with object keys");
      return key;
    }
    const bare = this.#match(NUMBER) ?? this.#match(IDENTIFIER);
    if (bare === undefined) throw this.#malformed("a key was expected");
    return bare;
  }

  #string(): string {
    const text = this.#text;
    const quote = text[this.#at]!;
    const start = this.#at + 1;
    let end = start;
    let escaped = false;
    for (; text[end] !== quote; end++) {
      if (end >= text.length) throw this.#malformed("a string has no end");
      if (text[end] === "\\") {
        escaped = true;
        end++;
      }
    }
    this.#at = end + 1;
    return escaped ? text.slice(start, end).replace(ESCAPE, unescapeOne) : text.slice(start, end);
  }

  #separator(end: string): void {
    this.#skipBlank();
    const next = this.#text[this.#at];
    if (next === ",") this.#at++;
    else if (next !== end) throw this.#malformed(`"," or "${end}" was expected`);
  }

  #enter(): void {
    this.#at++;
    if (++this.#depth > DEPTH_MAX) throw this.#malformed("nested too deeply");
  }

  #takes(character: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipBlank(): void {
    while (this.#at < this.#text.length && this.#text.charCodeAt(this.#at) <= 32) this.#at++;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #malformed(what: string): WireError {
    return new WireError("JSON_MALFORMED", `${what} at character ${this.#at}`);
  }
}

const ESCAPES = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["v", "\v"],
  ["0", "\0"],
]);

function unescapeOne(_: string, unicode?: string, hex?: string, plain = ""): string {
  const digits = unicode ?? hex;
  return digits === undefined
    ? (ESCAPES.get(plain) ?? plain)
    : String.fromCharCode(Number.parseInt(digits, 16));
}

/** Plain assignment, except that `__proto__` becomes an ordinary member. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}
