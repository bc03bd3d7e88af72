/**
 * Where a consumer keeps how far it has got: at the brokers for a group (offset-persister.ts), in a file of its own
 * when it broadcasts (local-offsets.ts) (RocketMQ: OffsetStore).
 */
import type { MessageQueue } from "@orbitmq/wire";

/** A queue as its keeper sees it. */
export interface OffsetSource {
  readonly queue: MessageQueue;
  readonly committableOffset: number;
  /** What the store is known to have; -1 when it may have forgotten. */
  persistedOffset: number;
}

export interface OffsetStore {
  /** Where to begin in a queue; rejects when that cannot be found out now. */
  start(queue: MessageQueue, bornLater: boolean): Promise<StartOffset>;
  /** Never rejects; what fails is tried again next time. */
  persistAll(queues: Iterable<OffsetSource>): Promise<void>;
  /** As {@link persistAll}, for one. */
  persist(queue: OffsetSource): Promise<void>;
  /** As {@link persist}, for a queue given up when it had got to `offset`. */
  persistAt(queue: OffsetSource, offset: number): Promise<void>;
}

export interface StartOffset {
  readonly offset: number;
  /** There was none. */
  readonly isNew: boolean;
}
