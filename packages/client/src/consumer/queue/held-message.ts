/** A pulled message as the consumer holds it until it is consumed. */
import type { MessageRecord } from "@orbitmq/wire";
import type { OrbitError } from "../../errors/errors.ts";
import type { Subscription } from "../subscription.ts";
import type { CachedMessage, ProcessQueue } from "./process-queue.ts";

export interface HeldRecord {
  readonly record: MessageRecord;
  /** Where it is done; not the queue's current one after the broker moved the offset. */
  readonly processQueue: ProcessQueue<HeldRecord>;
  readonly subscription: Subscription | undefined;
  /** How often it failed here and was not sent back. */
  attempts: number;
  /** `returning`: on its way back to the broker. `gone`: consumed, or the broker's again. */
  fate: "held" | "returning" | "gone";
  /** Its listener came to an end while it was `returning`. */
  endedAs: "success" | "failure" | undefined;
  /** The latest. */
  failure: OrbitError | undefined;
}

export type HeldMessage = CachedMessage<HeldRecord>;
