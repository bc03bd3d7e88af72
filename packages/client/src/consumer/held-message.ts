/** A pulled message as the consumer holds it until it is consumed. */
import type { MessageRecord } from "@orbitmq/wire";
import type { CachedMessage, ProcessQueue } from "./process-queue.ts";
import type { Subscription } from "./subscription.ts";

export interface HeldRecord {
  readonly record: MessageRecord;
  /** Where it is done; not the queue's current one after the broker moved the offset. */
  readonly processQueue: ProcessQueue<HeldRecord>;
  /** Whose listener runs for it; `undefined` when the message is of a topic nobody listens to any more. */
  readonly subscription: Subscription | undefined;
  /** How often it failed here. */
  attempts: number;
}

export type HeldMessage = CachedMessage<HeldRecord>;
