/**
 * Finds the records in a piece of CommitLog (the head of a file, the answer to a pull) and the fields by which the
 * recorder names them and the tests compare them. Written by hand and apart from the product's codec, which is to be
 * tested with what the recorder writes.
 */
const MAGIC_V1 = 0xdaa320a7;
const MAGIC_V2 = 0xdaa320ab;
const BORN_HOST_V6 = 1 << 4;
const STORE_HOST_V6 = 1 << 5;
const V6_EXTRA_BYTES = 12;

export interface LogRecord {
  /** Where it begins in the piece. */
  readonly offset: number;
  readonly bytes: number;
  readonly version: 1 | 2;
  readonly queueId: number;
  readonly queueOffset: number;
  /** Where it begins in the log, as it says itself. */
  readonly physicalOffset: number;
  readonly sysFlag: number;
  readonly topic: string;
  readonly tags: string | undefined;
  readonly keys: string | undefined;
  readonly uniqueKey: string | undefined;
}

/** The records from the first byte on, up to the first position that holds none. */
export function logRecords(log: Buffer): readonly LogRecord[] {
  const records: LogRecord[] = [];
  let offset = 0;
  while (offset + 8 <= log.length) {
    const bytes = log.readInt32BE(offset);
    const magic = log.readUInt32BE(offset + 4);
    if ((magic !== MAGIC_V1 && magic !== MAGIC_V2) || offset + bytes > log.length) break;
    records.push(logRecord(log.subarray(offset, offset + bytes), offset, magic === MAGIC_V1 ? 1 : 2));
    offset += bytes;
  }
  return records;
}

function logRecord(record: Buffer, offset: number, version: 1 | 2): LogRecord {
  const sysFlag = record.readInt32BE(36);
  const bodyLengthAt =
    84 +
    ((sysFlag & BORN_HOST_V6) === 0 ? 0 : V6_EXTRA_BYTES) +
    ((sysFlag & STORE_HOST_V6) === 0 ? 0 : V6_EXTRA_BYTES);
  let at = bodyLengthAt + 4 + record.readInt32BE(bodyLengthAt);
  const topicBytes = version === 1 ? record.readUInt8(at) : record.readUInt16BE(at);
  at += version;
  const topic = record.toString("utf8", at, at + topicBytes);
  at += topicBytes;
  const properties = new Map<string, string>();
  for (const pair of record.toString("utf8", at + 2, at + 2 + record.readUInt16BE(at)).split("\u0002")) {
    const [name, value] = pair.split("\u0001");
    if (name !== undefined && value !== undefined) properties.set(name, value);
  }
  return {
    offset,
    bytes: record.length,
    version,
    queueId: record.readInt32BE(12),
    queueOffset: Number(record.readBigInt64BE(20)),
    physicalOffset: Number(record.readBigInt64BE(28)),
    sysFlag,
    topic,
    tags: properties.get("TAGS"),
    keys: properties.get("KEYS"),
    uniqueKey: properties.get("UNIQ_KEY"),
  };
}
