/**
 * What an application sends, as plain objects (RocketMQ: Message). What it receives is in received-message.ts.
 */
import type { Topic } from "./typed-topic.ts";

/** One queue of a topic on one broker (RocketMQ: MessageQueue). */
export interface MessageQueue {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

export interface MessageAttributes {
  /** What consumers filter by (RocketMQ: TAGS). */
  readonly tag?: string | undefined;
  /** What the message can be found by later (RocketMQ: KEYS); several are joined by a space. */
  readonly keys?: string | readonly string[] | undefined;
  /** The application's own properties; RocketMQ's reserved names are refused. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /**
   * Delivered after the delay of this level (RocketMQ: DELAY); by default levels 1 to 18 are 1 s, 5 s, 10 s, 30 s,
   * 1 to 10 min by the minute, 20 min, 30 min, 1 h, 2 h. Default 0: at once. Not in a batch.
   */
  readonly delayLevel?: number | undefined;
  /**
   * Delivered so many milliseconds after the broker has it (RocketMQ: TIMER_DELAY_MS), to the second, never earlier;
   * up to the broker's `timerMaxDelaySec`, three days by default. Default 0: at once. Not in a batch, and not with
   * another of delayLevel, delayMs and deliverAtMs.
   */
  readonly delayMs?: number | undefined;
  /**
   * Delivered at this time by the broker's clock (RocketMQ: TIMER_DELIVER_MS): milliseconds since 1970, as
   * `Date.now()`. As delayMs; a time that has passed means at once.
   */
  readonly deliverAtMs?: number | undefined;
  /** An int32 the application may use as it likes; default 0. */
  readonly flag?: number | undefined;
}

/** A message with raw contents. */
export interface Message extends MessageAttributes {
  readonly topic: string;
  /** At most 4 MiB, not empty. Strings travel as UTF-8. Bytes must not change until the send is over. */
  readonly body: string | Uint8Array;
}

/** A message of a typed topic: `value` becomes the body through the topic's codec. */
export interface TypedMessage<T> extends MessageAttributes {
  readonly topic: Topic<T>;
  readonly value: NoInfer<T>;
}

export type AnyMessage<T> = Message | TypedMessage<T>;
