/**
 * The answer to an ordinary send that succeeded, written from parts that are the same in every answer of a broker.
 * The fields are those of `sendMessageResponseHeader`, in its order:
 *
 *   msgId queueId queueOffset transactionId TRACE_ON MSG_REGION durability
 */
import { copyBytes } from "../bytes/copy-bytes.ts";
import { writeDecimalDigits, writeHexDigits } from "../bytes/text-digits.ts";
import { FrameExtSink } from "../frame/ext-sinks.ts";
import { FRAME_PREFIX_BYTES } from "../frame/frame.ts";
import type { FrameBuffer } from "../frame/frame-buffer.ts";
import { PreparedFields, PreparedName } from "../frame/prepared-fields.ts";
import { PreparedWords } from "../frame/prepared-words.ts";
import { type ExtSink, FLAG_RESPONSE, SERIALIZE_ROCKETMQ } from "../frame/remoting-command.ts";
import { writeOffsetDigits } from "../message/message-id.ts";
import { LanguageCode } from "../tables/language-code.ts";

const MSG_ID = new PreparedName("msgId");
const QUEUE_ID = new PreparedName("queueId");
const QUEUE_OFFSET = new PreparedName("queueOffset");
const TRANSACTION_ID = new PreparedName("transactionId");
const OFFSET_DIGITS = 16;

/** The ROCKETMQ header up to its ext fields: see decode-command. */
const LANGUAGE_AT = FRAME_PREFIX_BYTES + 2;
const OPAQUE_AT = FRAME_PREFIX_BYTES + 5;
const FLAG_AT = FRAME_PREFIX_BYTES + 9;
const EXT_LENGTH_AT = FRAME_PREFIX_BYTES + 17;
const EXT_AT = EXT_LENGTH_AT + 4;
/** Digits of two integers, the lengths before them, and what words written whole may touch behind their end. */
const CHANGING_BYTES_MAX = OFFSET_DIGITS + 2 * (4 + 17) + 4 + 8;

const nameWords = (name: PreparedName) => new PreparedWords(name.binary);
const QUEUE_ID_WORDS = nameWords(QUEUE_ID);
const QUEUE_OFFSET_WORDS = nameWords(QUEUE_OFFSET);
const TRANSACTION_ID_WORDS = nameWords(TRANSACTION_ID);

/** What differs from answer to answer. */
export interface SendMessageAnswer {
  readonly physicalOffset: number;
  readonly queueId: number;
  readonly queueOffset: number;
  /** The unique id the producer gave the message: `uniqKey[0, uniqKeyLength)`. */
  readonly uniqKey: Buffer;
  /** The same bytes. */
  readonly uniqKeyView: DataView;
  readonly uniqKeyLength: number;
  readonly isFlushed: boolean;
}

export class SendMessageAnswers {
  readonly #flushed: PreparedFields;
  readonly #written: PreparedFields;
  readonly #flushedWords: PreparedWords;
  readonly #writtenWords: PreparedWords;
  /** Everything up to the offset in the message id. */
  #head = new PreparedWords(Buffer.alloc(0));
  /** The message id: the store host in hex and room for the offset. */
  #id: Buffer = Buffer.alloc(OFFSET_DIGITS);

  /** `flushedMeans` is the durability told of a flushed message. */
  constructor(regionId: string, traceOn: boolean, flushedMeans: string) {
    const ending = (durability: string) =>
      new PreparedFields([
        ["TRACE_ON", String(traceOn)],
        ["MSG_REGION", regionId],
        ["durability", durability],
      ]);
    this.#flushed = ending(flushedMeans);
    this.#written = ending("memory");
    this.#flushedWords = new PreparedWords(this.#flushed.binary);
    this.#writtenWords = new PreparedWords(this.#written.binary);
  }

  /** The store host as message ids begin with it, in hex. */
  setStoreHost(hex: string): void {
    this.#id = Buffer.alloc(hex.length + OFFSET_DIGITS);
    this.#id.write(hex, "latin1");
    const idLength = Buffer.alloc(4);
    idLength.writeInt32BE(this.#id.length, 0);
    this.#head = new PreparedWords(
      Buffer.concat([Buffer.alloc(EXT_AT), MSG_ID.binary, idLength, Buffer.from(hex, "latin1")]),
    );
  }

  /** Appends the whole frame, in the ROCKETMQ encoding. */
  writeFrame(
    out: FrameBuffer,
    opaque: number,
    language: number,
    version: number,
    answer: SendMessageAnswer,
  ): void {
    const head = this.#head;
    const { uniqKeyLength } = answer;
    const ending = answer.isFlushed ? this.#flushedWords : this.#writtenWords;
    const names = QUEUE_ID_WORDS.reach + QUEUE_OFFSET_WORDS.reach + TRANSACTION_ID_WORDS.reach;
    out.reserve(head.reach + names + uniqKeyLength + ending.reach + CHANGING_BYTES_MAX);
    const { view, at: start } = out;
    let at = writeHexDigits(view, head.write(view, start), answer.physicalOffset);
    at = writeInteger(view, QUEUE_ID_WORDS.write(view, at), answer.queueId);
    at = writeInteger(view, QUEUE_OFFSET_WORDS.write(view, at), answer.queueOffset);
    at = TRANSACTION_ID_WORDS.write(view, at);
    view.setInt32(at, uniqKeyLength);
    at += 4;
    copyBytes(answer.uniqKeyView, 0, view, at, uniqKeyLength);
    at = ending.write(view, at + uniqKeyLength);
    view.setInt32(start, at - start - 4);
    view.setInt32(start + 4, (at - start - FRAME_PREFIX_BYTES) | (SERIALIZE_ROCKETMQ << 24));
    // The code is 0, SUCCESS, and there is no remark.
    view.setUint8(start + LANGUAGE_AT, language < 0 ? LanguageCode.OTHER : language);
    view.setInt16(start + LANGUAGE_AT + 1, version);
    view.setInt32(start + OPAQUE_AT, opaque);
    view.setInt32(start + FLAG_AT, FLAG_RESPONSE);
    view.setInt32(start + EXT_LENGTH_AT, at - start - EXT_AT);
    out.at = at;
  }

  /** False when `sink` is not one of this package's; nothing is written then. */
  write(sink: ExtSink, answer: SendMessageAnswer): boolean {
    if (!(sink instanceof FrameExtSink)) return false;
    const id = this.#id;
    const at = id.length - OFFSET_DIGITS;
    writeOffsetDigits(id, at, answer.physicalOffset);
    sink.putPreparedText(MSG_ID, id, id.length);
    sink.putPreparedInteger(QUEUE_ID, answer.queueId);
    sink.putPreparedInteger(QUEUE_OFFSET, answer.queueOffset);
    sink.putPreparedText(TRANSACTION_ID, answer.uniqKey, answer.uniqKeyLength);
    sink.putPreparedFields(answer.isFlushed ? this.#flushed : this.#written);
    return true;
  }
}

/** `valueLength:i32 value` of a safe integer that is not negative. */
function writeInteger(view: DataView, at: number, value: number): number {
  const end = writeDecimalDigits(view, at + 4, value);
  view.setInt32(at, end - at - 4);
  return end;
}
