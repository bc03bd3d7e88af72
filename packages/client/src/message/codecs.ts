/**
 * How values become message bodies and back. A codec throws when it cannot; the client turns that into
 * ENCODE_FAILED for a send and DECODE_FAILED for a received message.
 */
import type { StandardSchema } from "./standard-schema.ts";

export interface Codec<T> {
  encode(value: T): Uint8Array;
  /** `body` is the codec's to keep. May be asynchronous when a validator is. */
  decode(body: Uint8Array): T | Promise<T>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as it is. */
export const bytes: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (body) => body,
};

/** UTF-8 text; other bytes fail to decode. */
export const text: Codec<string> = {
  encode: (value) => encoder.encode(value),
  decode: (body) => decoder.decode(body),
};

/**
 * JSON as UTF-8. With a `schema` (any Standard Schema validator: Zod, Valibot, ArkType, …) a received value is
 * validated before the listener sees it, and the listener gets the validator's output. Values sent are not
 * validated.
 */
export function json<T = unknown>(schema?: StandardSchema<unknown, T>): Codec<T> {
  return {
    encode: (value) => {
      const encoded = JSON.stringify(value);
      if (encoded === undefined) throw new TypeError("the value has no JSON form");
      return encoder.encode(encoded);
    },
    decode: (body) => {
      const value: unknown = JSON.parse(decoder.decode(body));
      return schema === undefined ? (value as T) : validate(schema, value);
    },
  };
}

function validate<T>(schema: StandardSchema<unknown, T>, value: unknown): T | Promise<T> {
  const result = schema["~standard"].validate(value);
  return "then" in result ? result.then(accept) : accept(result);
}

function accept<T>(result: Awaited<ReturnType<StandardSchema<unknown, T>["~standard"]["validate"]>>): T {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path = [] }) => {
    const where = path.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return where === "" ? message : `${where}: ${message}`;
  });
  throw new TypeError(`the value does not match its schema: ${issues.join("; ")}`);
}
