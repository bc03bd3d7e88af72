/** Options and defaults of a simple consumer (RocketMQ: SimpleConsumer of the gRPC clients). */
import type { ClientOptions } from "../options/client-options.ts";
import type { PushConsumerOptions } from "./consumer-options.ts";

export interface SimpleConsumerOptions
  extends ClientOptions,
    Pick<PushConsumerOptions, "group" | "filterHooks" | "telemetry"> {
  /** Where a group starts that has consumed nothing. Default "last". */
  readonly from?: "first" | "last" | undefined;
  /** How long `receive` waits for a message, unless it says otherwise. Default 15,000 (awaitDuration). */
  readonly awaitMs?: number | undefined;
  /** How long a received message is nobody else's, unless `receive` says otherwise. Default 30,000. */
  readonly invisibleMs?: number | undefined;
}

export interface ReceiveOptions {
  /** Most messages, 1 to 32. Default 32. */
  readonly messagesMax?: number | undefined;
  /** Default the consumer's. */
  readonly awaitMs?: number | undefined;
  /** Default the consumer's; 10,000 or more is what brokers are made for. */
  readonly invisibleMs?: number | undefined;
  /**
   * In order: a queue's next messages come when those before are acknowledged, or visible again. The group's setting on
   * the broker (consumeMessageOrderly) should say so, too. Default false.
   */
  readonly fifo?: boolean | undefined;
  /**
   * With `fifo`: who asks again with the same id, because the answer was lost, gets the same messages. Default a new
   * one, kept for the next `receive` when this one fails.
   */
  readonly attemptId?: string | undefined;
  /** Ends the wait with no messages. What a broker is just sending comes again after `invisibleMs`. */
  readonly signal?: AbortSignal | undefined;
}

export const simpleConsumerDefaults = {
  receiveAwaitMs: 15_000,
  receiveInvisibleMs: 30_000,
  receiveMax: 32,
  /** With several brokers, how long one of them is waited for at a time. */
  turnMs: 1_000,
} as const;
