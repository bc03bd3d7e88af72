/**
 * Writes a message as a sealed record: what `writeRecord` writes, and the seal behind it, whole words at a time. The checksum of the body is part of the record's own, so no byte of it is summed
 * twice; see crc32.ts.
 */
import { assert } from "@orbitmq/host";
import {
  bodyLengthAt,
  joinedCrc32,
  MAGIC_V1,
  MAGIC_V2,
  MessageSysFlag,
  PROPERTIES_BYTES_MAX,
  RecordField,
  type RecordPosition,
  type RecordSource,
  rangeCrc32,
} from "@orbitmq/wire";
import { SEAL_BYTES, writeSeal } from "./record-seal.ts";
import type { Slab } from "./slab.ts";

const HIGH_UNIT = 2 ** 32;
const SEPARATOR = 2;
const V1_TOPIC_BYTES_MAX = 127;
const HOSTS_V6 = MessageSysFlag.BORNHOST_V6 | MessageSysFlag.STOREHOST_V6;

export class RecordEncoder {
  /** The topic written last. */
  #topic = "";
  #topicBytes: Buffer = Buffer.alloc(0);

  /** Writes the record of `size` bytes, its seal included, at `slab.bytes[at]`. */
  write(message: RecordSource, slab: Slab, at: number, size: number, position: RecordPosition): void {
    const { bytes, view } = slab;
    const { bornHost, storeHost, body, properties } = message;
    assert(bornHost.length === 8 || bornHost.length === 20, "a born host has 8 or 20 bytes");
    assert(storeHost.length === 8 || storeHost.length === 20, "a store host has 8 or 20 bytes");
    if (message.topic !== this.#topic) this.#setTopic(message.topic);
    const topic = this.#topicBytes;
    const isV2 = topic.length > V1_TOPIC_BYTES_MAX;
    let sysFlag = message.sysFlag & ~HOSTS_V6;
    if (bornHost.length === 20) sysFlag |= MessageSysFlag.BORNHOST_V6;
    if (storeHost.length === 20) sysFlag |= MessageSysFlag.STOREHOST_V6;
    view.setInt32(at + RecordField.TOTAL_SIZE, size);
    view.setInt32(at + RecordField.MAGIC, isV2 ? MAGIC_V2 : MAGIC_V1);
    view.setInt32(at + RecordField.QUEUE_ID, message.queueId);
    view.setInt32(at + RecordField.FLAG, message.flag);
    setInt64(view, at + RecordField.QUEUE_OFFSET, position.queueOffset);
    setInt64(view, at + RecordField.PHYSICAL_OFFSET, position.physicalOffset);
    view.setInt32(at + RecordField.SYS_FLAG, sysFlag);
    setInt64(view, at + RecordField.BORN_TIMESTAMP, message.bornTimestamp);
    let next = at + RecordField.BORN_HOST;
    next = setBytes(view, next, bornHost);
    setInt64(view, next, position.storeTimestamp);
    next = setBytes(view, next + 8, storeHost);
    view.setInt32(next, message.reconsumeTimes);
    setInt64(view, next + 4, message.preparedTransactionOffset);
    view.setInt32(next + 12, body.length);
    const bodyAt = next + 16;
    assert(bodyAt === at + bodyLengthAt(sysFlag) + 4, "the body lies where it is read");
    bytes.set(body, bodyAt);
    const bodyEnd = bodyAt + body.length;
    next = bodyEnd;
    if (isV2) view.setInt8(next++, topic.length >> 8);
    view.setUint8(next, topic.length & 255);
    const propertiesLengthAt = setBytes(view, next + 1, topic);
    const propertiesAt = propertiesLengthAt + 2;
    next =
      typeof properties === "string"
        ? propertiesAt + bytes.write(properties, propertiesAt, "utf8")
        : properties.write(bytes, propertiesAt, view);
    const separator = next > propertiesAt && view.getUint8(next - 1) !== SEPARATOR ? 1 : 0;
    const isSealed = next - propertiesAt + separator + SEAL_BYTES <= PROPERTIES_BYTES_MAX;
    if (isSealed && separator === 1) view.setUint8(next++, SEPARATOR);
    const end = isSealed ? next + SEAL_BYTES : next;
    assert(end - at === size, "a record has the size that was reserved for it");
    view.setInt16(propertiesLengthAt, end - propertiesAt);
    const bodySum = rangeCrc32(view, bodyAt, bodyEnd, 0);
    view.setInt32(at + RecordField.BODY_CRC, bodySum & 0x7fffffff);
    if (!isSealed) return;
    const upToBody = joinedCrc32(rangeCrc32(view, at, bodyAt, 0), bodySum, body.length);
    writeSeal(view, next, rangeCrc32(view, bodyEnd, next, upToBody));
  }

  #setTopic(topic: string): void {
    this.#topic = topic;
    this.#topicBytes = Buffer.from(topic);
  }
}

function setInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / HIGH_UNIT));
  view.setInt32(at + 4, value | 0);
}

/** For a few bytes; returns where they end. */
function setBytes(view: DataView, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) view.setUint8(at + i, bytes[i]!);
  return at + bytes.length;
}
