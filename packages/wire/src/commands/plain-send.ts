/**
 * The ordinary send (SEND_MESSAGE_V2, and SEND_MESSAGE under its long names) read without making an object or a
 * string for it: one reused set of fields, the properties left in the bytes they came in. Whatever is not
 * ordinary, a malformed field included, is not read at all: `sendMessageRequestHeader` and its like say what it is.
 *
 *   plain: every required field there, every field well-formed, no batch, no unit mode, and properties that a
 *   broker stores as they are, or with more behind them: a half of a transaction, or a message for a time (see
 *   encoded-properties)
 */

import { parseInt32Bytes, parseInt64Bytes } from "../bytes/integer-text.ts";
import { BinaryExt } from "../frame/binary-ext.ts";
import { LocatedExt, sameText } from "../frame/located-ext.ts";
import { decodeName } from "../frame/name-table.ts";
import type { ExtFields } from "../frame/remoting-command.ts";
import { unescapeJsonInto } from "../json/json-scan.ts";
import { EncodedProperties } from "../message/encoded-properties.ts";
import { PROPERTIES_BYTES_MAX } from "../message/message-properties.ts";
import { RequestCode } from "../tables/request-code.ts";

/** In the order of the letters, a to n. */
const LONG_NAMES = [
  "producerGroup",
  "topic",
  "defaultTopic",
  "defaultTopicQueueNums",
  "queueId",
  "sysFlag",
  "bornTimestamp",
  "flag",
  "properties",
  "reconsumeTimes",
  "unitMode",
  "maxReconsumeTimes",
  "batch",
  "bname",
] as const;
const SHORT_NAMES = LONG_NAMES.map((_, index) => String.fromCharCode(0x61 + index));
const FIELDS = LONG_NAMES.length;
const [GROUP, TOPIC, DEFAULT_TOPIC, DEFAULT_QUEUES, QUEUE_ID, SYS_FLAG, BORN, FLAG, PROPERTIES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
] as const;
const [RECONSUME_TIMES, UNIT_MODE, MAX_RECONSUME_TIMES, BATCH] = [9, 10, 11, 12] as const;

export class PlainSend {
  topic = "";
  queueId = 0;
  sysFlag = 0;
  bornTimestamp = 0;
  flag = 0;
  reconsumeTimes = 0;
  /** Valid as long as the request. */
  readonly properties = new EncodedProperties();
  readonly #located = new Int32Array(2 * FIELDS);
  /** Where the values are: `located`, or what the decoder has found. */
  #found: Int32Array = this.#located;
  /** For properties that a JSON header has escaped. */
  #unescaped: Buffer | undefined;
  #valid = true;

  /** False when the request is anything but plain; the fields mean nothing then. */
  read(code: number, ext: ExtFields): boolean {
    if (!(ext instanceof LocatedExt)) return false;
    const isLong = code === RequestCode.SEND_MESSAGE;
    if (ext instanceof BinaryExt && !isLong) this.#found = ext.letters();
    else {
      this.#found = this.#located;
      this.#found.fill(0);
      ext.locate(isLong ? LONG_NAMES : SHORT_NAMES, this.#found);
    }
    const found = this.#found;
    const { buffer } = ext;
    if (found[2 * GROUP]! <= 0 || found[2 * DEFAULT_TOPIC]! <= 0 || found[2 * TOPIC]! <= 0) return false;
    if (!this.#isFalse(buffer, UNIT_MODE) || !this.#isFalse(buffer, BATCH)) return false;
    this.#valid = true;
    this.#int32(buffer, DEFAULT_QUEUES);
    this.queueId = this.#int32(buffer, QUEUE_ID);
    this.sysFlag = this.#int32(buffer, SYS_FLAG);
    this.flag = this.#int32(buffer, FLAG);
    this.bornTimestamp = this.#int64(buffer, BORN);
    this.reconsumeTimes = this.#has(RECONSUME_TIMES) ? this.#int32(buffer, RECONSUME_TIMES) : 0;
    if (this.#has(MAX_RECONSUME_TIMES)) this.#int32(buffer, MAX_RECONSUME_TIMES);
    if (!this.#valid) return false;
    this.topic = decodeName(buffer, found[2 * TOPIC]!, found[2 * TOPIC + 1]!);
    return this.#readProperties(buffer);
  }

  #readProperties(buffer: Buffer): boolean {
    const start = this.#found[2 * PROPERTIES]!;
    const end = this.#found[2 * PROPERTIES + 1]!;
    if (start >= 0) this.properties.read(buffer, start, end);
    else {
      this.#unescaped ??= Buffer.allocUnsafeSlow(2 * PROPERTIES_BYTES_MAX);
      const length = unescapeJsonInto(buffer, -start, end, this.#unescaped);
      if (length < 0) return false;
      this.properties.read(this.#unescaped, 0, length);
    }
    return this.properties.isPlain || this.properties.isHalf || this.properties.isTimed;
  }

  /** There, and not empty. */
  #has(field: number): boolean {
    const start = this.#found[2 * field]!;
    return start !== 0 && Math.abs(start) !== this.#found[2 * field + 1]!;
  }

  #isFalse(buffer: Buffer, field: number): boolean {
    const start = this.#found[2 * field]!;
    return !this.#has(field) || (start > 0 && sameText(buffer, start, this.#found[2 * field + 1]!, "false"));
  }

  #int32(buffer: Buffer, field: number): number {
    return this.#checked(parseInt32Bytes(buffer, this.#start(field), this.#found[2 * field + 1]!));
  }

  #int64(buffer: Buffer, field: number): number {
    return this.#checked(parseInt64Bytes(buffer, this.#start(field), this.#found[2 * field + 1]!));
  }

  #start(field: number): number {
    const start = this.#found[2 * field]!;
    if (start > 0) return start;
    this.#valid = false;
    return 0;
  }

  #checked(value: number | undefined): number {
    if (value !== undefined) return value;
    this.#valid = false;
    return 0;
  }
}
