/**
 * How RocketMQ lays out an IndexFile, byte by byte (RocketMQ: IndexHeader, IndexFile). A file is a hash table over
 * keys, appended to and never rearranged; its length is fixed from the start, and most of it is a hole at first:
 *
 *   file  = header slot{maxHashSlotNum} item{maxIndexNum}
 *   header: beginTimestamp:i64 endTimestamp:i64 beginPhyOffset:i64 endPhyOffset:i64 usedSlots:i32 count:i32
 *   slot:   number of its newest item:i32, 0 when it has none
 *   item:   keyHash:i32 phyOffset:i64 seconds since beginTimestamp:i32 the slot's item before it:i32
 *
 * All big-endian. Item 0 is never used, so `count` is the number of the next item and starts at 1. A file is named
 * yyyyMMddHHmmssSSS, after the time of its first item (here in UTC), and names only grow.
 */
import { readInt64, writeInt64 } from "@orbitmq/wire";

export const HEADER_BYTES = 40;
export const SLOT_BYTES = 4;
export const ITEM_BYTES = 20;

/** `maxHashSlotNum` and `maxIndexNum`: they decide where everything lies. */
export interface IndexSizes {
  readonly slots: number;
  readonly items: number;
}

export interface IndexHeader {
  beginTimestamp: number;
  endTimestamp: number;
  beginPhyOffset: number;
  endPhyOffset: number;
  usedSlots: number;
  /** Number of the next item. */
  count: number;
}

export function indexFileBytes({ slots, items }: IndexSizes): number {
  return HEADER_BYTES + SLOT_BYTES * slots + ITEM_BYTES * items;
}

export function slotPosition(slot: number): number {
  return HEADER_BYTES + SLOT_BYTES * slot;
}

export function itemPosition({ slots }: IndexSizes, item: number): number {
  return HEADER_BYTES + SLOT_BYTES * slots + ITEM_BYTES * item;
}

export function encodeHeader(header: Readonly<IndexHeader>): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  writeInt64(bytes, header.beginTimestamp, 0);
  writeInt64(bytes, header.endTimestamp, 8);
  writeInt64(bytes, header.beginPhyOffset, 16);
  writeInt64(bytes, header.endPhyOffset, 24);
  bytes.writeInt32BE(header.usedSlots, 32);
  bytes.writeInt32BE(header.count, 36);
  return bytes;
}

/** `undefined` when the bytes cannot be the header of a file with `sizes`. */
export function decodeHeader(bytes: Buffer, sizes: IndexSizes): IndexHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const header: IndexHeader = {
    beginTimestamp: readInt64(bytes, 0),
    endTimestamp: readInt64(bytes, 8),
    beginPhyOffset: readInt64(bytes, 16),
    endPhyOffset: readInt64(bytes, 24),
    usedSlots: bytes.readInt32BE(32),
    // Java counts from 1, and takes a file that was never written to for an empty one.
    count: Math.max(1, bytes.readInt32BE(36)),
  };
  const { beginTimestamp, endTimestamp, beginPhyOffset, endPhyOffset, count } = header;
  const positions = [beginTimestamp, endTimestamp, beginPhyOffset, endPhyOffset];
  if (!positions.every((value) => Number.isSafeInteger(value) && value >= 0)) return undefined;
  const inOrder = beginTimestamp <= endTimestamp && beginPhyOffset <= endPhyOffset;
  return inOrder && count <= sizes.items ? header : undefined;
}

/** What a Java `int` hash becomes in an item: not negative. */
export function keyHashOf(hash: number): number {
  return hash === -0x80000000 ? 0 : Math.abs(hash);
}

const NAME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/;
const DAY_MS = 86_400_000;
/** Days from 1970-01-01 back to 0000-03-01, and in 400 years. */
const EPOCH_DAYS = 719_468;
const ERA_DAYS = 146_097;

/** The name of a file whose first item was stored at `timestampMs` (UTC). */
export function indexName(timestampMs: number): string {
  const days = Math.floor(timestampMs / DAY_MS) + EPOCH_DAYS;
  const era = Math.floor(days / ERA_DAYS);
  const dayOfEra = days - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  // Years of this reckoning begin in March.
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const ms = timestampMs - Math.floor(timestampMs / DAY_MS) * DAY_MS;
  const two = (value: number): string => String(value).padStart(2, "0");
  const time =
    two(Math.floor(ms / 3_600_000)) + two(Math.floor(ms / 60_000) % 60) + two(Math.floor(ms / 1000) % 60);
  return `${String(year).padStart(4, "0")}${two(month)}${two(day)}${time}${String(ms % 1000).padStart(3, "0")}`;
}

/** The time a file's name stands for; `undefined` when it is no such name. */
export function parseIndexName(name: string): number | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second, ms] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  const days = era * ERA_DAYS + dayOfEra - EPOCH_DAYS;
  const timestampMs = days * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
  return indexName(timestampMs) === name ? timestampMs : undefined;
}
