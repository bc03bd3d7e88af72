/**
 * The body of SEND_BATCH_MESSAGE (RocketMQ: MessageDecoder.encodeMessages), and of an inner batch's record.
 * Grammar, big-endian, repeated to the end:
 *
 *   totalSize:i32 magic:i32=0 bodyCrc:i32=0 flag:i32 bodyLength:i32 body propertiesLength:i16 properties
 */

import { WireError } from "../wire-error.ts";
import { EncodedProperties } from "./encoded-properties.ts";

const FIXED_BYTES = 22;
/** Entries beyond this are refused: 4 MiB of the smallest entries would be 190,000. */
export const BATCH_ENTRIES_MAX = 65_536;
const PROPERTIES_BYTES_MAX = 32_767;
/** Batches are seldom longer. */
const KEPT_MAX = 256;

export interface BatchEntry {
  readonly flag: number;
  readonly body: Uint8Array;
  /** See message-properties. */
  readonly properties: string;
}

/** An entry as it was received: views into the body, nothing copied. */
export interface ReceivedBatchEntry {
  readonly flag: number;
  readonly body: Uint8Array;
  readonly properties: EncodedProperties;
}

/** Throws WireError PROPERTIES_MALFORMED when properties are longer than 32,767 bytes. */
export function encodeBatchBody(entries: readonly BatchEntry[]): Uint8Array {
  const propertyBytes = entries.map((entry) => Buffer.byteLength(entry.properties, "utf8"));
  let total = 0;
  for (const [i, entry] of entries.entries()) {
    if (propertyBytes[i]! > PROPERTIES_BYTES_MAX) {
      throw new WireError("PROPERTIES_MALFORMED", `properties of ${propertyBytes[i]} bytes exceed 32767`);
    }
    total += FIXED_BYTES + entry.body.length + propertyBytes[i]!;
  }
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (const [i, entry] of entries.entries()) {
    at = out.writeInt32BE(FIXED_BYTES + entry.body.length + propertyBytes[i]!, at);
    at = out.writeInt32BE(0, at);
    at = out.writeInt32BE(0, at);
    at = out.writeInt32BE(entry.flag, at);
    at = out.writeInt32BE(entry.body.length, at);
    out.set(entry.body, at);
    at = out.writeInt16BE(propertyBytes[i]!, at + entry.body.length);
    at += out.write(entry.properties, at, "utf8");
  }
  return out;
}

/** Bodies are views into `bytes`. Throws WireError RECORD_MALFORMED; an empty batch is malformed. */
export function decodeBatchBody(bytes: Uint8Array): BatchEntry[] {
  return new BatchReader().read(bytes).map(({ flag, body, properties }) => ({
    flag,
    body,
    properties: properties.readText(),
  }));
}

/** {@link decodeBatchBody} without making text of the properties, nor, from batch to batch, objects to hold them. */
export class BatchReader {
  readonly #properties: EncodedProperties[] = [];

  /** What it returns is valid until it is called again, and as long as `bytes`. */
  read(bytes: Uint8Array): readonly ReceivedBatchEntry[] {
    const entries: ReceivedBatchEntry[] = [];
    try {
      this.#read(bytes, entries);
    } finally {
      // What is kept points into this body, and into none before it.
      this.#properties.length = Math.min(this.#properties.length, entries.length);
    }
    return entries;
  }

  #read(bytes: Uint8Array, entries: ReceivedBatchEntry[]): void {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const view = new DataView(source.buffer, source.byteOffset, source.length);
    let at = 0;
    while (at < source.length) {
      if (entries.length === BATCH_ENTRIES_MAX) throw malformed(`more than ${BATCH_ENTRIES_MAX} entries`);
      if (source.length - at < FIXED_BYTES) throw malformed(`an entry is cut off at ${at}`);
      const total = view.getInt32(at);
      const bodyLength = view.getInt32(at + 16);
      if (total < FIXED_BYTES || total > source.length - at)
        throw malformed(`an entry at ${at} has length ${total}`);
      if (bodyLength < 0 || bodyLength > total - FIXED_BYTES) {
        throw malformed(`an entry at ${at} has a body of length ${bodyLength}`);
      }
      const bodyAt = at + 20;
      const propertiesLength = view.getInt16(bodyAt + bodyLength);
      if (propertiesLength !== total - FIXED_BYTES - bodyLength) {
        throw malformed(`an entry at ${at} has properties of length ${propertiesLength}`);
      }
      const propertiesAt = bodyAt + bodyLength + 2;
      const properties = this.#propertiesOf(entries.length);
      properties.read(source, propertiesAt, propertiesAt + propertiesLength, view);
      entries.push({
        flag: view.getInt32(at + 12),
        body: source.subarray(bodyAt, bodyAt + bodyLength),
        properties,
      });
      at += total;
    }
    if (entries.length === 0) throw malformed("it is empty");
  }

  #propertiesOf(entry: number): EncodedProperties {
    if (entry >= KEPT_MAX) return new EncodedProperties();
    const kept = this.#properties[entry] ?? new EncodedProperties();
    this.#properties[entry] = kept;
    return kept;
  }
}

function malformed(what: string): WireError {
  return new WireError("RECORD_MALFORMED", `batch body: ${what}`);
}
