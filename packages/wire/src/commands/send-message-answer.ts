/**
 * The answer to an ordinary send that succeeded, written from parts that are the same in every answer of a broker.
 * The fields are those of `sendMessageResponseHeader`, in its order:
 *
 *   msgId queueId queueOffset transactionId TRACE_ON MSG_REGION durability
 */
import { FrameExtSink } from "../ext-sinks.ts";
import { writeOffsetDigits } from "../message-id.ts";
import { PreparedFields, PreparedName } from "../prepared-fields.ts";
import type { ExtSink } from "../remoting-command.ts";

const MSG_ID = new PreparedName("msgId");
const QUEUE_ID = new PreparedName("queueId");
const QUEUE_OFFSET = new PreparedName("queueOffset");
const TRANSACTION_ID = new PreparedName("transactionId");
const OFFSET_DIGITS = 16;

/** What differs from answer to answer. */
export interface SendMessageAnswer {
  readonly physicalOffset: number;
  readonly queueId: number;
  readonly queueOffset: number;
  /** The unique id the producer gave the message: `uniqKey[0, uniqKeyLength)`. */
  readonly uniqKey: Buffer;
  readonly uniqKeyLength: number;
  readonly isFlushed: boolean;
}

export class SendMessageAnswers {
  readonly #flushed: PreparedFields;
  readonly #written: PreparedFields;
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
  }

  /** The store host as message ids begin with it, in hex. */
  setStoreHost(hex: string): void {
    this.#id = Buffer.alloc(hex.length + OFFSET_DIGITS);
    this.#id.write(hex, "latin1");
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
