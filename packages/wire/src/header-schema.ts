/**
 * The table language for typed command headers (RocketMQ: CommandCustomHeader). A header is a list of named
 * fields of five kinds; on the wire each is a string under its Java field name, an absent optional field is
 * left out. Decoding refuses what is missing or malformed with a {@link WireError} naming header and field.
 */
import { assert } from "@orbitmq/host";
import { BinaryExt } from "./binary-ext.ts";
import { FrameExtSink } from "./ext-sinks.ts";
import { decodeName } from "./name-table.ts";
import type { ExtFields, ExtSink } from "./remoting-command.ts";
import { WireError } from "./wire-error.ts";

export interface FieldKind<T> {
  readonly optional: boolean;
  /** The field's name on the wire where it is not the property's. */
  readonly wireName: string | undefined;
  /** Integers are written without a detour through text. */
  readonly isInteger: boolean;
  /** `undefined` when `text` is not of this kind. */
  parse(text: string): T | undefined;
  /** {@link parse} of the UTF-8 text `buffer[start, end)`. */
  parseBytes(buffer: Buffer, start: number, end: number): T | undefined;
  format(value: T): string;
}

/** An optional field: `undefined` when absent. */
export type OptionalField<T> = FieldKind<T> & { readonly optional: true };
export type RequiredField<T> = FieldKind<T> & { readonly optional: false };

const DECIMAL = /^-?\d{1,19}$/;
const INT64_LIMIT = 2 ** 63;
/** Up to so many digits fit the safe integers whatever they are. */
const SAFE_DIGITS = 15;

function parseInt32(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return value === (value | 0) ? value | 0 : undefined;
}

function parseInt64(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  if (value > INT64_LIMIT || value < -INT64_LIMIT) return undefined;
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) + 0;
}

/** Digits straight from the bytes; anything unusual is left to `parse`. */
function integerBytes(parse: (text: string) => number | undefined) {
  return (buffer: Buffer, start: number, end: number): number | undefined => {
    const negative = buffer[start] === 0x2d;
    const first = negative ? start + 1 : start;
    if (end - first < 1 || end - first > SAFE_DIGITS) return parse(buffer.toString("latin1", start, end));
    let value = 0;
    for (let i = first; i < end; i++) {
      const digit = buffer[i]! - 0x30;
      if (digit < 0 || digit > 9) return undefined;
      value = value * 10 + digit;
    }
    return negative && value !== 0 ? -value : value;
  };
}

const int64Bytes = integerBytes(parseInt64);

function int32Bytes(buffer: Buffer, start: number, end: number): number | undefined {
  const value = int64Bytes(buffer, start, end);
  return value !== undefined && (value | 0) === value ? value : undefined;
}

const utf8 = (buffer: Buffer, start: number, end: number): string => buffer.toString("utf8", start, end);

const base = { optional: false, wireName: undefined, isInteger: false } as const;
const stringKind: RequiredField<string> = {
  ...base,
  parse: (text) => text,
  parseBytes: utf8,
  format: (value) => value,
};
const nameKind: RequiredField<string> = { ...stringKind, parseBytes: decodeName };
const int32Kind: RequiredField<number> = {
  ...base,
  isInteger: true,
  parse: parseInt32,
  parseBytes: int32Bytes,
  format: String,
};
const int64Kind: RequiredField<number> = { ...int32Kind, parse: parseInt64, parseBytes: int64Bytes };

function parseBool(text: string): boolean | undefined {
  return text === "true" ? true : text === "false" ? false : undefined;
}

const boolKind: RequiredField<boolean> = {
  ...base,
  parse: parseBool,
  parseBytes: (buffer, start, end) => parseBool(utf8(buffer, start, end)),
  format: String,
};

export const string = (): RequiredField<string> => stringKind;
/** A string that recurs from request to request (a topic, a group): decoded copies are shared. */
export const name = (): RequiredField<string> => nameKind;
export const int32 = (): RequiredField<number> => int32Kind;
/**
 * A 64-bit field. Values beyond the safe integers become the nearest safe one: Long.MAX_VALUE is how Java
 * clients say "no limit", and nothing real is that large.
 */
export const int64 = (): RequiredField<number> => int64Kind;
export const bool = (): RequiredField<boolean> => boolKind;

export function optional<T>(field: RequiredField<T>): OptionalField<T> {
  return { ...field, optional: true };
}

/** A field whose property has another name than the wire's. */
export function renamed<T>(wireName: string, field: RequiredField<T>): RequiredField<T> {
  return { ...field, wireName };
}

type ValueOf<F> = F extends FieldKind<infer T> ? T : never;
type OptionalKeys<F> = { [K in keyof F]: F[K] extends { optional: true } ? K : never }[keyof F];

/** The plain object a schema decodes to and encodes from. */
export type HeaderValue<S> =
  S extends HeaderSchema<infer F>
    ? { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K]> } & {
        -readonly [K in OptionalKeys<F>]?: ValueOf<F[K]> | undefined;
      }
    : never;

export class HeaderSchema<F> {
  readonly name: string;
  readonly #properties: readonly string[];
  readonly #wireNames: readonly string[];
  readonly #kinds: readonly FieldKind<unknown>[];
  /** Start and end of each field's value in the header being decoded; all zero between calls. */
  readonly #located: Int32Array;
  /** Every property in order, so that decoded headers have one shape. */
  readonly #blank: Readonly<Record<string, unknown>>;

  constructor(name: string, fields: F) {
    this.name = name;
    const entries = Object.entries(fields as Record<string, FieldKind<unknown>>);
    this.#properties = entries.map(([property]) => property);
    this.#wireNames = entries.map(([property, kind]) => kind.wireName ?? property);
    this.#kinds = entries.map(([, kind]) => kind);
    this.#located = new Int32Array(2 * entries.length);
    this.#blank = Object.fromEntries(entries.map(([property]) => [property, undefined]));
  }

  /** Throws WireError HEADER_FIELD_MISSING or HEADER_FIELD_INVALID. An empty optional field counts as absent. */
  decode(ext: ExtFields): HeaderValue<HeaderSchema<F>> {
    const value = { ...this.#blank };
    if (ext instanceof BinaryExt) this.#decodeBinary(ext, value);
    else this.#decodeText(ext, value);
    return value as HeaderValue<HeaderSchema<F>>;
  }

  #decodeBinary(ext: BinaryExt, value: Record<string, unknown>): void {
    const located = this.#located;
    located.fill(0);
    ext.locate(this.#wireNames, located);
    for (let i = 0; i < this.#kinds.length; i++) {
      const kind = this.#kinds[i]!;
      const start = located[2 * i]!;
      const end = located[2 * i + 1]!;
      if (start === 0 || (start === end && kind.optional)) {
        if (!kind.optional) throw this.#missing(i);
        continue;
      }
      const parsed = kind.parseBytes(ext.buffer, start, end);
      if (parsed === undefined) throw this.#invalid(i, ext.buffer.toString("utf8", start, end));
      value[this.#properties[i]!] = parsed;
    }
  }

  #decodeText(ext: ExtFields, value: Record<string, unknown>): void {
    for (let i = 0; i < this.#kinds.length; i++) {
      const kind = this.#kinds[i]!;
      const text = ext.get(this.#wireNames[i]!);
      if (text === undefined || (text === "" && kind.optional)) {
        if (!kind.optional) throw this.#missing(i);
        continue;
      }
      const parsed = kind.parse(text);
      if (parsed === undefined) throw this.#invalid(i, text);
      value[this.#properties[i]!] = parsed;
    }
  }

  /** Writes what is defined, in the schema's order. Throws WireError HEADER_FIELD_MISSING. */
  encode(value: HeaderValue<HeaderSchema<F>>, sink: ExtSink): void {
    const values = value as Record<string, unknown>;
    const frameSink = sink instanceof FrameExtSink ? sink : undefined;
    for (let i = 0; i < this.#kinds.length; i++) {
      const item = values[this.#properties[i]!];
      const kind = this.#kinds[i]!;
      if (item === undefined) {
        if (!kind.optional) throw this.#missing(i);
        continue;
      }
      if (kind.isInteger) {
        assert(Number.isSafeInteger(item), `${this.name}.${this.#properties[i]} is an integer`);
        if (frameSink !== undefined) {
          frameSink.putInteger(this.#wireNames[i]!, item as number);
          continue;
        }
      }
      sink.put(this.#wireNames[i]!, kind.format(item));
    }
  }

  #missing(i: number): WireError {
    return new WireError("HEADER_FIELD_MISSING", `${this.name}: ${this.#wireNames[i]} is missing`);
  }

  #invalid(i: number, text: string): WireError {
    return new WireError(
      "HEADER_FIELD_INVALID",
      `${this.name}: ${this.#wireNames[i]} has the bad value ${JSON.stringify(text.slice(0, 64))}`,
    );
  }
}

/** `fields` maps Java field names to kinds, in the order they are written. */
export function defineHeader<const F extends object>(name: string, fields: F): HeaderSchema<F> {
  return new HeaderSchema(name, fields);
}
