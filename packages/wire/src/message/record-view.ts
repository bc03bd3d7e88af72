/**
 * A record that is read when somebody looks: a consumer gets many, and few of their fields are asked for. What every
 * consumer needs, and what could be malformed, is read at once; the rest from the bytes it was made of, which must stay
 * as they are.
 */
import { readInt32, readInt64 } from "../bytes/big-endian.ts";
import { decodeName } from "../frame/name-table.ts";
import { bodyCrc, bodyCrcBetween } from "./crc32.ts";
import { type MessageRecord, RecordField, storeTimestampAt } from "./message-record.ts";
import { locateWhole, offsetAt, parts } from "./read-record.ts";

export class RecordView implements MessageRecord {
  readonly topic: string;
  readonly totalSize: number;
  readonly queueOffset: number;
  readonly sysFlag: number;
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #bodyAt: number;
  readonly #bodyEnd: number;
  readonly #propertiesAt: number;
  #properties: string | undefined = undefined;

  /** The record at `bytes[at]`. Throws WireError RECORD_MALFORMED. */
  constructor(bytes: Buffer, at: number) {
    locateWhole(bytes, at, bytes.length);
    const { bodyAt, bodyEnd, topicAt, topicEnd, propertiesAt } = parts;
    this.topic = decodeName(bytes, topicAt, topicEnd);
    this.totalSize = readInt32(bytes, at);
    this.queueOffset = offsetAt(bytes, at + RecordField.QUEUE_OFFSET, at);
    offsetAt(bytes, at + RecordField.PHYSICAL_OFFSET, at);
    this.sysFlag = readInt32(bytes, at + RecordField.SYS_FLAG);
    this.#bytes = bytes;
    this.#at = at;
    this.#bodyAt = bodyAt;
    this.#bodyEnd = bodyEnd;
    this.#propertiesAt = propertiesAt;
  }

  get physicalOffset(): number {
    return readInt64(this.#bytes, this.#at + RecordField.PHYSICAL_OFFSET);
  }

  get magic(): number {
    return readInt32(this.#bytes, this.#at + RecordField.MAGIC);
  }

  get bodyCrc(): number {
    return readInt32(this.#bytes, this.#at + RecordField.BODY_CRC);
  }

  get queueId(): number {
    return readInt32(this.#bytes, this.#at + RecordField.QUEUE_ID);
  }

  get flag(): number {
    return readInt32(this.#bytes, this.#at + RecordField.FLAG);
  }

  get bornTimestamp(): number {
    return readInt64(this.#bytes, this.#at + RecordField.BORN_TIMESTAMP);
  }

  get bornHost(): Uint8Array {
    return this.#bytes.subarray(this.#at + RecordField.BORN_HOST, this.#storeAt);
  }

  get storeTimestamp(): number {
    return readInt64(this.#bytes, this.#storeAt);
  }

  get storeHost(): Uint8Array {
    return this.#bytes.subarray(this.#storeAt + 8, this.#bodyAt - 16);
  }

  get reconsumeTimes(): number {
    return readInt32(this.#bytes, this.#bodyAt - 16);
  }

  get preparedTransactionOffset(): number {
    return readInt64(this.#bytes, this.#bodyAt - 12);
  }

  get body(): Uint8Array {
    return this.#bytes.subarray(this.#bodyAt, this.#bodyEnd);
  }

  get properties(): string {
    this.#properties ??= this.#bytes.toString("utf8", this.#propertiesAt, this.#at + this.totalSize);
    return this.#properties;
  }

  /** The body matches its checksum. */
  get isBodyWhole(): boolean {
    return bodyCrcBetween(this.#bytes, this.#bodyAt, this.#bodyEnd) === this.bodyCrc;
  }

  get #storeAt(): number {
    return this.#at + storeTimestampAt(this.sysFlag);
  }
}

/** All records of a pull response's body, in order. Throws WireError RECORD_MALFORMED. */
export function viewRecords(bytes: Buffer): RecordView[] {
  const records: RecordView[] = [];
  for (let at = 0; at < bytes.length; ) {
    const record = new RecordView(bytes, at);
    records.push(record);
    at += record.totalSize;
  }
  return records;
}

/** The body matches its checksum. */
export function isBodyWhole(record: MessageRecord): boolean {
  return record instanceof RecordView ? record.isBodyWhole : bodyCrc(record.body) === record.bodyCrc;
}
