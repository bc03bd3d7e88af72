/**
 * The two ids of a message, both upper-case hex (RocketMQ: MessageDecoder.createMessageId, MessageClientIDSetter):
 *
 *   offset id   storeHost address (4|16 bytes) port:i32 physicalOffset:i64            tells where it lies
 *   unique id   address (4|16) pid:i16 instance:i32 msSinceMonthStart:i32 counter:i16  property UNIQ_KEY, made
 *               by the producer, the same in every attempt to send
 */
import { readInt64 } from "../bytes/big-endian.ts";
import { WireError } from "../wire-error.ts";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
/** For as long as an id is made. */
const scratch = Buffer.alloc(56);

function hex(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += HEX[bytes[i]!]!;
  return text;
}

/** `storeHost` as in a record: 8 or 20 bytes. 32 or 56 characters. */
export function encodeOffsetMessageId(storeHost: Uint8Array, physicalOffset: number): string {
  let at = 0;
  for (let i = 0; i < storeHost.length; i++) {
    const byte = storeHost[i]!;
    scratch[at++] = DIGITS[byte >> 4]!;
    scratch[at++] = DIGITS[byte & 15]!;
  }
  writeOffsetDigits(scratch, at, physicalOffset);
  return scratch.toString("latin1", 0, at + OFFSET_DIGITS);
}

const OFFSET_DIGITS = 16;
const DIGITS = Buffer.from("0123456789ABCDEF");
const HIGH_UNIT = 2 ** 32;
const COMMA = 0x2c;

/** Writes the sixteen digits that an offset message id ends with. */
export function writeOffsetDigits(into: Buffer, at: number, physicalOffset: number): void {
  writeDigits(into, at, Math.floor(physicalOffset / HIGH_UNIT));
  writeDigits(into, at + 8, physicalOffset | 0);
}

function writeDigits(into: Buffer, at: number, value: number): void {
  for (let i = 0, shift = 28; i < 8; i++, shift -= 4) into[at + i] = DIGITS[(value >>> shift) & 15]!;
}

/** The offset message ids of several records, joined by commas; `storeHostHex` is what each begins with. */
export function encodeOffsetMessageIds(storeHostHex: string, physicalOffsets: readonly number[]): string {
  const idLength = storeHostHex.length + OFFSET_DIGITS;
  const out = Buffer.allocUnsafe(physicalOffsets.length * (idLength + 1));
  let at = 0;
  if (physicalOffsets.length > 0) out.write(storeHostHex, "latin1");
  for (const physicalOffset of physicalOffsets) {
    // A call of the engine's for each would cost more than this loop.
    if (at > 0) for (let i = 0; i < storeHostHex.length; i++) out[at + i] = out[i]!;
    at += storeHostHex.length;
    writeOffsetDigits(out, at, physicalOffset);
    at += OFFSET_DIGITS;
    out[at++] = COMMA;
  }
  return out.toString("latin1", 0, Math.max(0, at - 1));
}

/** The inverse of {@link encodeOffsetMessageId}. Throws WireError ADDRESS_INVALID. */
export function decodeOffsetMessageId(id: string): { storeHost: Uint8Array; physicalOffset: number } {
  if (!/^(?:[0-9a-f]{32}|[0-9a-f]{56})$/i.test(id)) {
    throw new WireError("ADDRESS_INVALID", `${JSON.stringify(id.slice(0, 64))} is no offset message id`);
  }
  const bytes = Buffer.from(id, "hex");
  const physicalOffset = readInt64(bytes, bytes.length - 8);
  if (!Number.isSafeInteger(physicalOffset)) {
    throw new WireError("ADDRESS_INVALID", `${JSON.stringify(id)} has an offset beyond 2^53`);
  }
  return { storeHost: bytes.subarray(0, bytes.length - 8), physicalOffset };
}

/** What makes one producer process different from every other. */
export interface UniqueIdSource {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly pid: number;
  /** Any 32-bit number; RocketMQ takes the class loader's hash. */
  readonly instance: number;
  /** Where the 16-bit counter starts; random. */
  readonly counterStart: number;
  /** Wall ms. */
  readonly nowMs: () => number;
}

/** Makes unique ids; one per process is enough. RocketMQ counts time from the start of the local month, we of UTC's. */
export class UniqueIdGenerator {
  readonly #prefix: string;
  readonly #nowMs: () => number;
  readonly #time = Buffer.alloc(4);
  #counter: number;
  #monthStartMs = 0;
  #nextMonthStartMs = 0;
  #lastMs = -1;
  #timeHex = "";

  constructor(source: UniqueIdSource) {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(source.pid & 0xffff, 0);
    head.writeInt32BE(source.instance | 0, 2);
    this.#prefix = hex(source.address, 0, source.address.length) + hex(head, 0, 6);
    this.#counter = source.counterStart & 0xffff;
    this.#nowMs = source.nowMs;
  }

  /** 32 or 56 characters. Unique as long as no more than 65,536 are made within one millisecond. */
  next(): string {
    const now = this.#nowMs();
    if (now !== this.#lastMs) this.#setTime(now);
    this.#counter = (this.#counter + 1) & 0xffff;
    return this.#prefix + this.#timeHex + HEX[this.#counter >> 8]! + HEX[this.#counter & 0xff]!;
  }

  #setTime(now: number): void {
    // A clock that steps back a little over the month's start does not begin a month anew.
    if (now >= this.#nextMonthStartMs || now < this.#monthStartMs - DAY_MS) this.#setMonth(now);
    this.#lastMs = now;
    // More than 2^31 late in a month; written as it wraps, as Java does.
    this.#time.writeInt32BE(Math.max(now - this.#monthStartMs, 0) | 0, 0);
    this.#timeHex = hex(this.#time, 0, 4);
  }

  #setMonth(now: number): void {
    const days = Math.floor(now / DAY_MS);
    const firstDay = days - dayOfMonth(days) + 1;
    this.#monthStartMs = firstDay * DAY_MS;
    const aboutNextMonth = firstDay + 31;
    this.#nextMonthStartMs = (aboutNextMonth - dayOfMonth(aboutNextMonth) + 1) * DAY_MS;
  }
}

const DAY_MS = 86_400_000;

/** Day of the month (1 to 31) of a day counted from 1970-01-01, in the Gregorian calendar. */
function dayOfMonth(daysSinceEpoch: number): number {
  // Count from 0000-03-01, so that leap days end a year: 146,097 days in 400 years.
  const days = daysSinceEpoch + 719_468;
  const dayOfEra = ((days % 146_097) + 146_097) % 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  return dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
}
