/**
 * What a run of a store has told the outside, counted in disk operations done by then: the model that every
 * crash of the run is judged by.
 *
 *   sent → promised            acknowledged as flushed, or (SYNC_FLUSH) seen by a reader: a crash must keep it
 *   any  → withdrawn → gone    a truncation, a deletion or a recovery takes it away: first it may, then it must
 *                              be gone (a deleted one may come back: its segment's removal needs no sync)
 */
import type { MessageRecord, RecordInput } from "@orbitmq/wire";

export interface Message {
  readonly input: RecordInput;
  readonly body: string;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly storeTimestamp: number;
  /** `false` for half messages, which lie in the log only. */
  readonly visible: boolean;
  /** Disk operations done when it came about; Infinity while it has not. */
  sentAt: number;
  promisedAt: number;
  withdrawnAt: number;
  goneAt: number;
}

export class History {
  readonly messages: Message[] = [];
  /** Moments at which what must hold changes, as numbers of disk operations. */
  readonly #moments: number[] = [];
  readonly #byPosition = new Map<number, Message[]>();

  add(
    input: RecordInput,
    at: Pick<Message, "queueOffset" | "physicalOffset" | "storeTimestamp" | "visible">,
    sentAt: number,
  ): Message {
    const never = Number.POSITIVE_INFINITY;
    const body = Buffer.from(input.body).toString();
    const { queueOffset, physicalOffset, storeTimestamp, visible } = at;
    const place = { queueOffset, physicalOffset, storeTimestamp, visible };
    const message: Message = {
      input,
      body,
      ...place,
      sentAt,
      promisedAt: never,
      withdrawnAt: never,
      goneAt: never,
    };
    this.messages.push(message);
    const there = this.#byPosition.get(at.physicalOffset);
    if (there === undefined) this.#byPosition.set(at.physicalOffset, [message]);
    else there.push(message);
    return message;
  }

  promise(message: Message, operation: number): void {
    if (message.promisedAt <= operation) return;
    message.promisedAt = operation;
    this.#moments.push(operation);
  }

  /** What was sent and promised in another run, before the first operation of this one. */
  promisedBefore(message: Message): void {
    message.sentAt = 0;
    if (message.promisedAt < Number.POSITIVE_INFINITY) message.promisedAt = 0;
  }

  /** Messages at or behind `physicalOffset` were taken away between two moments. */
  cut(physicalOffset: number, begun: number, done: number): void {
    for (const message of this.messages) {
      if (message.physicalOffset < physicalOffset || message.withdrawnAt <= begun) continue;
      message.withdrawnAt = begun;
      message.goneAt = done;
    }
    this.#moments.push(begun + 1, done);
  }

  /** Messages below `to` of a queue may be deleted from `begun` on. */
  expire(topic: string, queueId: number, to: number, begun: number): void {
    for (const message of this.messages) {
      const { input, queueOffset } = message;
      if (input.topic !== topic || input.queueId !== queueId || queueOffset >= to) continue;
      if (message.withdrawnAt > begun) message.withdrawnAt = begun;
    }
    this.#moments.push(begun + 1);
  }

  /** The message that `record` is, if it may be there after `operation`. */
  find(record: MessageRecord, operation: number): Message | undefined {
    return this.#byPosition.get(record.physicalOffset)?.find((message) => {
      const { input } = message;
      return (
        input.topic === record.topic &&
        input.queueId === record.queueId &&
        message.queueOffset === record.queueOffset &&
        message.storeTimestamp === record.storeTimestamp &&
        operation < message.goneAt &&
        input.bornTimestamp === record.bornTimestamp &&
        input.flag === record.flag &&
        Buffer.compare(input.bornHost, record.bornHost) === 0 &&
        Buffer.compare(input.storeHost, record.storeHost) === 0 &&
        record.properties.startsWith(input.properties) &&
        Buffer.compare(input.body, record.body) === 0
      );
    });
  }

  /** Grows whenever more, or less, must hold: two moments with the same number ask the same of a disk. */
  stage(operation: number): number {
    let stage = 0;
    for (const moment of this.#moments) if (moment <= operation) stage += 1;
    return stage;
  }
}
