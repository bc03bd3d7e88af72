/**
 * The table language for typed command headers (RocketMQ: CommandCustomHeader). A header is a list of named
 * fields of five kinds; on the wire each is a string under its Java field name, an absent optional field is
 * left out. Decoding refuses what is missing or malformed with a {@link WireError} naming header and field.
 */
import { AssertionFailed } from "@orbitmq/host";
import { parseInt32, parseInt32Bytes, parseInt64, parseInt64Bytes } from "../bytes/integer-text.ts";
import { WireError } from "../wire-error.ts";
import { FrameExtSink } from "./ext-sinks.ts";
import { LocatedExt, sameText } from "./located-ext.ts";
import { decodeName } from "./name-table.ts";
import type { ExtFields, ExtSink } from "./remoting-command.ts";

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
  parseBytes: parseInt32Bytes,
  format: String,
};
const int64Kind: RequiredField<number> = { ...int32Kind, parse: parseInt64, parseBytes: parseInt64Bytes };

function parseBool(text: string): boolean | undefined {
  return text === "true" ? true : text === "false" ? false : undefined;
}

function parseBoolBytes(buffer: Buffer, start: number, end: number): boolean | undefined {
  if (sameText(buffer, start, end, "true")) return true;
  return sameText(buffer, start, end, "false") ? false : undefined;
}

const boolKind: RequiredField<boolean> = {
  ...base,
  parse: parseBool,
  parseBytes: parseBoolBytes,
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

/**
 * Makes the decoded object from its values in the schema's order. A literal written out for a header on the hot
 * path is several times faster than filling an object property by property.
 */
export type HeaderBuilder<F> = (values: readonly never[]) => { [K in keyof F]: unknown };

function objectBuilder(properties: readonly string[]): (values: unknown[]) => object {
  const blank = Object.fromEntries(properties.map((property) => [property, undefined]));
  return (values) => {
    const object: Record<string, unknown> = { ...blank };
    for (let i = 0; i < properties.length; i++) object[properties[i]!] = values[i];
    return object;
  };
}

export class HeaderSchema<F> {
  readonly name: string;
  readonly #properties: readonly string[];
  readonly #wireNames: readonly string[];
  readonly #kinds: readonly FieldKind<unknown>[];
  /** Start and end of each field's value in the header being decoded; all zero between calls. */
  readonly #located: Int32Array;
  /** The values of the header being decoded, in the schema's order. */
  readonly #values: unknown[];
  readonly #build: (values: unknown[]) => object;

  constructor(name: string, fields: F, build?: HeaderBuilder<F>) {
    this.name = name;
    const entries = Object.entries(fields as Record<string, FieldKind<unknown>>);
    this.#properties = entries.map(([property]) => property);
    this.#wireNames = entries.map(([property, kind]) => kind.wireName ?? property);
    this.#kinds = entries.map(([, kind]) => kind);
    this.#located = new Int32Array(2 * entries.length);
    this.#values = entries.map(() => undefined);
    this.#build = (build as ((values: unknown[]) => object) | undefined) ?? objectBuilder(this.#properties);
  }

  /** Throws WireError HEADER_FIELD_MISSING or HEADER_FIELD_INVALID. An empty optional field counts as absent. */
  decode(ext: ExtFields): HeaderValue<HeaderSchema<F>> {
    const values = this.#values;
    if (ext instanceof LocatedExt) this.#decodeLocated(ext, values);
    else this.#decodeText(ext, values);
    return this.#build(values) as HeaderValue<HeaderSchema<F>>;
  }

  #decodeLocated(ext: LocatedExt, values: unknown[]): void {
    const located = this.#located;
    located.fill(0);
    ext.locate(this.#wireNames, located);
    for (let i = 0; i < this.#kinds.length; i++) {
      const kind = this.#kinds[i]!;
      const start = located[2 * i]!;
      const end = located[2 * i + 1]!;
      if (start === 0 || (Math.abs(start) === end && kind.optional)) {
        if (!kind.optional) throw this.#missing(i);
        values[i] = undefined;
        continue;
      }
      const parsed = start > 0 ? kind.parseBytes(ext.buffer, start, end) : kind.parse(ext.text(start, end));
      if (parsed === undefined) throw this.#invalid(i, ext.text(start, end));
      values[i] = parsed;
    }
  }

  #decodeText(ext: ExtFields, values: unknown[]): void {
    for (let i = 0; i < this.#kinds.length; i++) {
      const kind = this.#kinds[i]!;
      const text = ext.get(this.#wireNames[i]!);
      if (text === undefined || (text === "" && kind.optional)) {
        if (!kind.optional) throw this.#missing(i);
        values[i] = undefined;
        continue;
      }
      const parsed = kind.parse(text);
      if (parsed === undefined) throw this.#invalid(i, text);
      values[i] = parsed;
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
        if (!Number.isSafeInteger(item)) {
          throw new AssertionFailed(`${this.name}.${this.#properties[i]} is an integer`);
        }
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
export function defineHeader<const F extends object>(
  name: string,
  fields: F,
  build?: HeaderBuilder<F>,
): HeaderSchema<F> {
  return new HeaderSchema(name, fields, build);
}
