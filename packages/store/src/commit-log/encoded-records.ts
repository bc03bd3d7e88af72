/** Takes apart bytes of another log that are to be appended here at the same place, and checks all of them first. */
import { checkRecord, MAGIC_BLANK, RecordField } from "@orbitmq/wire";
import type { QueueTable } from "../consume-queue/queue-table.ts";
import { type DispatchFields, isDispatched, readDispatchFields } from "../dispatch/dispatch-fields.ts";
import { checkSeal, mayLackSeal } from "./record-seal.ts";

export interface EncodedItem {
  /** Index in the bytes. */
  readonly at: number;
  readonly size: number;
  readonly position: number;
  /** `undefined` for a blank that closes its segment. */
  readonly fields: DispatchFields | undefined;
}

export interface EncodedRecords {
  readonly items: readonly EncodedItem[];
  /** Where the log ends behind them. */
  readonly end: number;
  /** One of them lacks `__CRC32#`: only its body can be promised. */
  readonly isUnsealed: boolean;
}

interface Context {
  readonly segmentBytes: number;
  readonly delaysMs: readonly number[];
  readonly table: QueueTable;
}

/** The records in `bytes`, the first of which lies at `offset`; or why they cannot be appended. */
export function readEncoded(bytes: Buffer, offset: number, context: Context): EncodedRecords | string {
  const { segmentBytes, delaysMs, table } = context;
  const items: EncodedItem[] = [];
  const nextOffsets = new Map<string, number>();
  let position = offset;
  let isUnsealed = false;
  for (let at = 0; at < bytes.length; ) {
    const left = segmentBytes - (position % segmentBytes);
    if (bytes.length - at >= 8 && bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_BLANK) {
      if (bytes.readInt32BE(at) !== left) return `the blank at ${position} does not close its segment`;
      items.push({ at, size: left, position, fields: undefined });
      // The filling may have been left out.
      at += Math.min(left, bytes.length - at);
      position += left;
      continue;
    }
    const check = checkRecord(bytes, at, bytes.length, { physicalOffset: position });
    if (check.kind !== "record") return `there is no whole record at ${position}`;
    if (check.size + 8 > left) return `the record at ${position} reaches over the end of its segment`;
    const seal = checkSeal(bytes, at, check.size);
    if (seal === "wrong") return `the record at ${position} is corrupt`;
    if (seal === "absent" && !mayLackSeal(bytes, at)) isUnsealed = true;
    const fields = readDispatchFields(bytes, at, delaysMs);
    if (isDispatched(fields.sysFlag)) {
      const key = `${fields.queueId} ${fields.topic}`;
      const known = nextOffsets.get(key) ?? table.find(fields.topic, fields.queueId)?.nextOffset ?? 0;
      if (known !== 0 && known !== fields.queueOffset) {
        return `the record at ${position} has queue offset ${fields.queueOffset}, its queue ends at ${known}`;
      }
      nextOffsets.set(key, fields.queueOffset + 1);
    }
    items.push({ at, size: check.size, position, fields });
    at += check.size;
    position += check.size;
  }
  return { items, end: position, isUnsealed };
}
