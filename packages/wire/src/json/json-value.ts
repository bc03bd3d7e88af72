/**
 * Typed reading of JSON bodies: every getter checks the kind of what it returns and names body and member when
 * it is wrong. Members a peer leaves out (fastjson drops nulls) come back as the given default or `undefined`.
 */

import { WireError } from "../wire-error.ts";
import { ObjectKeyedMap, parseFastjson } from "./fastjson.ts";

const DECIMAL = /^-?\d{1,16}$/;

/** Parses a body that must be an object. `what` names it in errors. Throws WireError JSON_MALFORMED. */
export function parseJsonObject(source: Uint8Array | string, what: string): JsonObject {
  return jsonObject(parseFastjson(source), what);
}

/** Throws WireError JSON_MALFORMED unless `value` is a plain object. */
export function jsonObject(value: unknown, what: string): JsonObject {
  if (!isRecord(value)) throw new WireError("JSON_MALFORMED", `${what} is not an object`);
  return new JsonObject(value, what);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ObjectKeyedMap)
  );
}

export class JsonObject {
  readonly what: string;
  readonly #members: Record<string, unknown>;

  constructor(members: Record<string, unknown>, what: string) {
    this.#members = members;
    this.what = what;
  }

  keys(): string[] {
    return Object.keys(this.#members);
  }

  /** The parsed object itself, for what is kept as it came. */
  toJson(): Record<string, unknown> {
    return this.#members;
  }

  /** The member as parsed; `undefined` when absent or null. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? (this.#members[name] ?? undefined) : undefined;
  }

  string(name: string): string {
    return this.optionalString(name) ?? this.#missing(name);
  }

  optionalString(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "string") return value;
    return this.#wrong(name, "a string");
  }

  /** A safe integer, also when written as a string. */
  integer(name: string, fallback?: number): number {
    return this.optionalInteger(name) ?? fallback ?? this.#missing(name);
  }

  optionalInteger(name: string): number | undefined {
    const value = this.optionalNumber(name);
    if (value === undefined || Number.isSafeInteger(value)) return value;
    return this.#wrong(name, "an integer");
  }

  /** An integer of 64 bits, as the nearest number there is beyond 2^53: for what is only compared. */
  int64(name: string, fallback: number): number {
    const value = this.optionalNumber(name) ?? fallback;
    return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? value : this.#wrong(name, "an integer");
  }

  optionalNumber(name: string): number | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "number") return value;
    if (typeof value === "string" && DECIMAL.test(value)) return Number(value);
    return this.#wrong(name, "a number");
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    return typeof value === "boolean" ? value : this.#wrong(name, "true or false");
  }

  /** Absent is an empty list. */
  strings(name: string): string[] {
    return this.#list(name).map((item) => (typeof item === "string" ? item : this.#wrong(name, "strings")));
  }

  /** Absent is an empty list. Items may be written as strings, as Go's client does. */
  integers(name: string): number[] {
    return this.#list(name).map((item) => {
      const value = typeof item === "string" && DECIMAL.test(item) ? Number(item) : item;
      return Number.isSafeInteger(value) ? (value as number) : this.#wrong(name, "integers");
    });
  }

  /** Absent is an empty object. */
  object(name: string): JsonObject {
    return jsonObject(this.raw(name) ?? {}, `${this.what}.${name}`);
  }

  optionalObject(name: string): JsonObject | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : jsonObject(value, `${this.what}.${name}`);
  }

  /** Absent is an empty list. */
  objectList(name: string): JsonObject[] {
    return this.#list(name).map((item) => jsonObject(item, `${this.what}.${name}`));
  }

  /** Every member, each of which must be an object. */
  objects(): [string, JsonObject][] {
    return this.keys().map((key) => [key, jsonObject(this.#members[key], `${this.what}.${key}`)]);
  }

  /** A map of strings; absent is an empty one, null entries are left out. */
  stringMap(name: string): Map<string, string> {
    const members = this.object(name);
    const map = new Map<string, string>();
    for (const key of members.keys()) {
      const value = members.optionalString(key);
      if (value !== undefined) map.set(key, value);
    }
    return map;
  }

  /** A map whose keys are integers, bare or quoted. */
  integerKeyedStrings(name: string): Map<number, string> {
    const map = new Map<number, string>();
    for (const [key, value] of this.stringMap(name)) {
      const number = /^-?\d{1,16}$/.test(key) ? Number(key) : Number.NaN;
      if (!Number.isSafeInteger(number)) this.#wrong(name, "keyed by integers");
      map.set(number, value);
    }
    return map;
  }

  /** A map whose keys are objects and whose values are objects; absent is an empty one. */
  objectKeyedEntries(name: string): [key: JsonObject, value: JsonObject][] {
    const what = `${this.what}.${name}`;
    const value = this.raw(name);
    if (value instanceof ObjectKeyedMap) {
      return value.entries.map(([key, item]) => [new JsonObject(key, `${what} key`), jsonObject(item, what)]);
    }
    if (value !== undefined && jsonObject(value, what).keys().length > 0) {
      this.#wrong(name, "keyed by objects");
    }
    return [];
  }

  #list(name: string): unknown[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : this.#wrong(name, "a list");
  }

  #missing(name: string): never {
    throw new WireError("JSON_MALFORMED", `${this.what}: ${name} is missing`);
  }

  #wrong(name: string, kind: string): never {
    throw new WireError("JSON_MALFORMED", `${this.what}: ${name} is not ${kind}`);
  }
}
