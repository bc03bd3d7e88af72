/**
 * The table language for typed command headers (RocketMQ: CommandCustomHeader). A header is a list of named
 * fields of five kinds; on the wire each is a string under its Java field name, an absent optional field is
 * left out. Decoding refuses what is missing or malformed with a {@link WireError} naming header and field.
 */
import type { ExtFields, ExtSink } from "./remoting-command.ts";
import { WireError } from "./wire-error.ts";

export interface FieldKind<T> {
  readonly optional: boolean;
  /** `undefined` when `text` is not of this kind. */
  parse(text: string): T | undefined;
  format(value: T): string;
}

/** An optional field: `undefined` when absent. */
export type OptionalField<T> = FieldKind<T> & { readonly optional: true };
export type RequiredField<T> = FieldKind<T> & { readonly optional: false };

const DECIMAL = /^-?\d{1,19}$/;

function parseInteger(min: number, max: number): (text: string) => number | undefined {
  return (text) => {
    if (!DECIMAL.test(text)) return undefined;
    const value = Number(text);
    return value >= min && value <= max ? value : undefined;
  };
}

function required<T>(parse: (text: string) => T | undefined, format: (value: T) => string): RequiredField<T> {
  return { optional: false, parse, format };
}

export const string = (): RequiredField<string> =>
  required(
    (text) => text,
    (value) => value,
  );
/** A string that recurs from request to request (a topic, a group): decoded copies are shared. */
export const name = string;
export const int32 = (): RequiredField<number> => required(parseInteger(-2147483648, 2147483647), String);
/** A 64-bit field. Values beyond the safe integers are refused: none of the protocol's fields needs them. */
export const int64 = (): RequiredField<number> =>
  required(parseInteger(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), String);
export const bool = (): RequiredField<boolean> =>
  required((text) => (text === "true" ? true : text === "false" ? false : undefined), String);

export function optional<T>(field: RequiredField<T>): OptionalField<T> {
  return { ...field, optional: true };
}

export type HeaderFields = Readonly<Record<string, RequiredField<never> | OptionalField<never>>>;

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
  readonly #fields: readonly (readonly [string, FieldKind<unknown>])[];

  constructor(name: string, fields: F) {
    this.name = name;
    this.#fields = Object.entries(fields as Record<string, FieldKind<unknown>>);
  }

  /** Throws WireError HEADER_FIELD_MISSING or HEADER_FIELD_INVALID. */
  decode(ext: ExtFields): HeaderValue<HeaderSchema<F>> {
    const value: Record<string, unknown> = {};
    for (const [name, field] of this.#fields) {
      const text = ext.get(name);
      if (text === undefined) {
        if (field.optional) continue;
        throw new WireError("HEADER_FIELD_MISSING", `${this.name}: ${name} is missing`);
      }
      const parsed = field.parse(text);
      if (parsed === undefined) {
        throw new WireError(
          "HEADER_FIELD_INVALID",
          `${this.name}: ${name} has the bad value ${JSON.stringify(text.slice(0, 64))}`,
        );
      }
      value[name] = parsed;
    }
    return value as HeaderValue<HeaderSchema<F>>;
  }

  encode(value: HeaderValue<HeaderSchema<F>>, sink: ExtSink): void {
    const values = value as Record<string, unknown>;
    for (const [name, field] of this.#fields) {
      const item = values[name];
      if (item !== undefined) sink.put(name, field.format(item));
    }
  }
}

/** `fields` maps Java field names to kinds, in the order they are written. */
export function defineHeader<const F extends object>(name: string, fields: F): HeaderSchema<F> {
  return new HeaderSchema(name, fields);
}
