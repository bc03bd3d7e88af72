/**
 * What becomes of the messages of one held queue after the pull (queue-consumer.ts): they go to listeners at the same
 * time (concurrent-consumption.ts) or one after the other (orderly-consumption.ts), or wait until the application asks
 * for them (polled-consumption.ts).
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import type { OrbitError } from "../../errors/errors.ts";

/** The messages of a queue that are here (process-queue.ts, orderly-queue.ts). */
export interface HeldMessages {
  /** Where the next pull begins. */
  readonly nextOffset: number;
  /** Every message before it is done with. */
  readonly committableOffset: number;
  /** Messages held, their bytes, and the offsets from the first to the last of them. */
  readonly count: number;
  readonly bytes: number;
  readonly span: number;
  /** The next pull begins at `offset`; never goes back. */
  advanceTo(offset: number): void;
}

export interface QueueConsumption {
  readonly queue: MessageQueue;
  /** What is held, and how far it lets the group get; another one after the broker moved the offset. */
  readonly held: HeldMessages;
  /** One past the newest message of the queue, as of the last pull. */
  maxOffset: number;
  /** Monotonic ms; 0 before the first listener ended. */
  readonly lastEndedMs: number;
  /** Tells those who consume when there is something to consume. */
  announce(): void;
  hold(record: MessageRecord): void;
  /** Forgets everything and goes on at `offset`. */
  moveTo(offset: number): void;
  /** Nothing is begun any more; what is not begun is forgotten. */
  stop(): void;
  /** The queue is another consumer's: what becomes of its messages is that one's business. */
  lose(reason: OrbitError): void;
  /** Resolves when no listener runs. */
  idle(): Promise<void>;
}
