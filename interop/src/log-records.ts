/**
 * Finds the records in the head of a CommitLog file and the few fields by which the recorder names them. Written by hand
 * and apart from the product's codec, which is to be tested with what the recorder writes. IPv4 hosts only.
 */
const MAGIC_V1 = 0xdaa320a7;
const MAGIC_V2 = 0xdaa320ab;

export interface LogRecord {
  readonly offset: number;
  readonly bytes: number;
  readonly version: 1 | 2;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly sysFlag: number;
  readonly topic: string;
  readonly tags: string | undefined;
  readonly keys: string | undefined;
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
  let at = 88 + record.readInt32BE(84);
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
    sysFlag: record.readInt32BE(36),
    topic,
    tags: properties.get("TAGS"),
    keys: properties.get("KEYS"),
  };
}
