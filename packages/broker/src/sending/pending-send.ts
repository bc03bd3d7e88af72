/**
 * A send that is appended and waits to be as durable as asked: the waiter of the store and the response in one
 * pooled object, so that the hot path makes neither closures nor promises.
 *
 *   idle → waiting → (settled) → answered → idle
 *                              ↘ naming the topic (its topics.json is not written yet) ↗
 */
import type { HostError } from "@orbitmq/host";
import type { AppendOutcome, AppendWaiter, Durability } from "@orbitmq/store";
import {
  copyBytes,
  type Exchange,
  type ExtSink,
  type FrameBuffer,
  type OutgoingResponse,
  type PreparedFrame,
  ResponseCode,
  SendMessageAnswers,
  sendMessageResponseHeader,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

/** What is the same for every answer of one broker. */
export interface SendAnswers {
  readonly regionId: string;
  readonly traceOn: boolean;
  readonly topics: Pick<TopicRegistry, "isPersisted" | "whenPersisted">;
  readonly identity: BrokerIdentity;
  /** What a message is worth that was flushed: `disk`, or `memory` where the store has no disk. */
  readonly flushedMeans: "disk" | "memory";
}

/** A longer unique id is not kept as bytes. */
export const UNIQ_KEY_BYTES_MAX = 64;

export class PendingSend implements AppendWaiter, OutgoingResponse, PreparedFrame {
  code = 0;
  remark: string | undefined;
  readonly header: (sink: ExtSink) => void;
  readonly #answers: SendAnswers;
  readonly #plainAnswers: SendMessageAnswers;
  readonly #pool: PendingSend[];
  /** The unique id of a plain send. */
  #uniqKeyBytes: Buffer | undefined;
  #uniqKeyView: DataView | undefined;
  #uniqKeyLength = 0;
  #isPlain = false;
  #exchange: Exchange | undefined;
  #topic = "";
  #queueId = 0;
  #queueOffset = 0;
  #physicalOffset = 0;
  #physicalOffsets: readonly number[] | undefined;
  #uniqKey: string | undefined;
  /** With it a message that waits for its time can be taken back. */
  recallHandle: string | undefined;
  #durability: Durability = "flushed";
  #outcome: AppendOutcome = "reached";

  constructor(answers: SendAnswers, plainAnswers: SendMessageAnswers, pool: PendingSend[]) {
    this.#answers = answers;
    this.#plainAnswers = plainAnswers;
    this.#pool = pool;
    this.header = (sink) => this.#writeHeader(sink);
  }

  /** Before the append: it needs the waiter. */
  begin(
    exchange: Exchange,
    topic: string,
    queueId: number,
    uniqKey: string | undefined,
    durability: Durability,
  ): void {
    this.#exchange = exchange;
    this.#topic = topic;
    this.#queueId = queueId;
    this.#uniqKey = uniqKey;
    this.recallHandle = undefined;
    this.#durability = durability;
    this.#isPlain = false;
  }

  /** The same for a message whose unique id is given by {@link copyUniqKey}. */
  beginPlain(exchange: Exchange, topic: string, queueId: number, durability: Durability): void {
    this.#exchange = exchange;
    this.#topic = topic;
    this.#queueId = queueId;
    this.recallHandle = undefined;
    this.#durability = durability;
    this.#isPlain = true;
  }

  /** `from[start, start + length)`, at most {@link UNIQ_KEY_BYTES_MAX}. */
  copyUniqKey(from: DataView, start: number, length: number): void {
    if (this.#uniqKeyView === undefined) {
      this.#uniqKeyBytes = Buffer.allocUnsafeSlow(UNIQ_KEY_BYTES_MAX);
      this.#uniqKeyView = new DataView(this.#uniqKeyBytes.buffer);
    }
    copyBytes(from, start, this.#uniqKeyView, 0, length);
    this.#uniqKeyLength = length;
  }

  // What a plain answer is made of.
  get physicalOffset(): number {
    return this.#physicalOffset;
  }
  get queueId(): number {
    return this.#queueId;
  }
  get queueOffset(): number {
    return this.#queueOffset;
  }
  get uniqKey(): Buffer {
    return this.#uniqKeyBytes!;
  }
  get uniqKeyView(): DataView {
    return this.#uniqKeyView!;
  }
  get uniqKeyLength(): number {
    return this.#uniqKeyLength;
  }
  get isFlushed(): boolean {
    return this.#outcome === "reached" && this.#durability === "flushed";
  }

  /** The answer to a plain send that succeeded writes itself. */
  get prepared(): PreparedFrame | undefined {
    const isSo = this.#isPlain && this.code === ResponseCode.SUCCESS && this.recallHandle === undefined;
    return isSo ? this : undefined;
  }

  writeFrame(out: FrameBuffer, opaque: number, language: number, version: number): void {
    this.#plainAnswers.writeFrame(out, opaque, language, version, this);
  }

  /** After the append; `appendSettled` never comes before. */
  appended(
    queueOffset: number,
    physicalOffset: number,
    physicalOffsets: readonly number[] | undefined,
  ): void {
    this.#queueOffset = queueOffset;
    this.#physicalOffset = physicalOffset;
    this.#physicalOffsets = physicalOffsets;
  }

  appendSettled(outcome: AppendOutcome): void {
    this.#outcome = outcome;
    if (outcome !== "failed" && !this.#answers.topics.isPersisted(this.#topic)) {
      this.#answers.topics.whenPersisted(this.#topic, (error) => this.#answer(error));
      return;
    }
    this.#answer(undefined);
  }

  /** Gives the object back unused. */
  recycle(): void {
    this.#exchange = undefined;
    this.#uniqKey = undefined;
    this.#physicalOffsets = undefined;
    this.#pool.push(this);
  }

  #answer(topicError: HostError | undefined): void {
    if (topicError !== undefined) {
      this.code = ResponseCode.SERVICE_NOT_AVAILABLE;
      this.remark = `service not available now: the new topic ${this.#topic} could not be kept (${topicError.code}); the message may exist`;
    } else if (this.#outcome === "reached") {
      this.code = ResponseCode.SUCCESS;
      this.remark = undefined;
    } else if (this.#outcome === "timeout") {
      this.code = ResponseCode.FLUSH_DISK_TIMEOUT;
      this.remark = "the message is stored, but was not synced to disk in time";
    } else {
      this.code = ResponseCode.SERVICE_NOT_AVAILABLE;
      this.remark = "service not available now: a write error stopped the store; the message may exist";
    }
    this.#exchange?.reply(this);
    this.recycle();
  }

  #writeHeader(sink: ExtSink): void {
    if (this.code === ResponseCode.SERVICE_NOT_AVAILABLE) {
      sink.put("outcome", "unknown");
      return;
    }
    let uniqKey = this.#uniqKey;
    if (this.#isPlain) {
      if (this.#plainAnswers.write(sink, this)) {
        if (this.recallHandle !== undefined) sink.put("recallHandle", this.recallHandle);
        return;
      }
      uniqKey = this.uniqKey.toString("utf8", 0, this.#uniqKeyLength);
    }
    sendMessageResponseHeader.encode(
      {
        msgId: this.#answers.identity.messageIds(this.#physicalOffset, this.#physicalOffsets),
        queueId: this.#queueId,
        queueOffset: this.#queueOffset,
        transactionId: uniqKey,
        recallHandle: this.recallHandle,
        MSG_REGION: this.#answers.regionId,
        TRACE_ON: this.#answers.traceOn,
        durability: this.isFlushed ? this.#answers.flushedMeans : "memory",
      },
      sink,
    );
  }
}

/** Objects to send with; grows to what was ever in flight at once. */
export class PendingSendPool {
  readonly #answers: SendAnswers;
  readonly #plainAnswers: SendMessageAnswers;
  readonly #idle: PendingSend[] = [];
  #made = 0;

  constructor(answers: SendAnswers) {
    this.#answers = answers;
    this.#plainAnswers = new SendMessageAnswers(answers.regionId, answers.traceOn, answers.flushedMeans);
  }

  /** Sends that are not answered yet. */
  get waiting(): number {
    return this.#made - this.#idle.length;
  }

  take(): PendingSend {
    return this.#idle.pop() ?? this.#make();
  }

  #make(): PendingSend {
    this.#made++;
    this.#plainAnswers.setStoreHost(this.#answers.identity.storeHostHex);
    return new PendingSend(this.#answers, this.#plainAnswers, this.#idle);
  }
}
