/**
 * Messages of one queue that wait until the application asks for them (RocketMQ: the process queues of
 * DefaultLitePullConsumerImpl).
 *
 *   waiting ──handed out──▶ with the application ──done──▶ gone
 *
 * Only what is done lets the committable offset pass.
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import { Fifo } from "../../fifo.ts";
import { type CachedMessage, ProcessQueue } from "./process-queue.ts";
import type { QueueConsumption } from "./queue-consumption.ts";

export type PolledMessage = CachedMessage<MessageRecord>;

export class PolledConsumption implements QueueConsumption {
  readonly queue: MessageQueue;
  held: ProcessQueue<MessageRecord>;
  maxOffset = 0;
  readonly lastEndedMs = 0;
  readonly #onMessages: () => void;
  readonly #onRoom: () => void;
  readonly #waiting = new Fifo<PolledMessage>();
  /** Goes before those waiting. */
  #first: PolledMessage | undefined;
  /** Handed out and not done. */
  #out: PolledMessage[] = [];

  constructor(queue: MessageQueue, startOffset: number, onMessages: () => void, onRoom: () => void) {
    this.queue = queue;
    this.#onMessages = onMessages;
    this.#onRoom = onRoom;
    this.held = new ProcessQueue(startOffset);
  }

  get hasWaiting(): boolean {
    return this.#first !== undefined || this.#waiting.length > 0;
  }

  announce(): void {
    if (this.hasWaiting) this.#onMessages();
  }

  hold(record: MessageRecord): void {
    const message = this.held.add(record.queueOffset, record.totalSize, record);
    if (message !== undefined) this.#waiting.push(message);
  }

  moveTo(offset: number): void {
    this.lose();
    this.held = new ProcessQueue(offset);
  }

  stop(): void {
    this.#first = undefined;
    this.#waiting.clear();
  }

  /** What is with the application can no longer be done: it comes again. */
  lose(): void {
    this.stop();
    this.#out = [];
  }

  idle(): Promise<void> {
    return Promise.resolve();
  }

  handOut(): MessageRecord | undefined {
    const message = this.#first ?? this.#waiting.shift();
    this.#first = undefined;
    if (message === undefined) return undefined;
    this.#out.push(message);
    return message.payload;
  }

  /** The message handed out last was not looked at: it is the next one again. */
  putBack(): void {
    this.#first = this.#out.pop();
  }

  /** Everything handed out is. */
  done(): void {
    if (this.#out.length === 0) return;
    for (const message of this.#out) this.held.done(message);
    this.#out = [];
    this.#onRoom();
  }
}
