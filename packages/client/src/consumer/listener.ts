/** What an application gives a push consumer to run (RocketMQ: MessageListenerConcurrently). */
import type { MessageQueue } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import type { SelectorOptions } from "./message-selector.ts";

/**
 * CONSUME_SUCCESS: done. RECONSUME_LATER: not done, deliver it again. The plain strings will do, too, except that
 * TypeScript widens the only result of an async function to `string`; these constants keep their types.
 */
export const ConsumeResult = {
  CONSUME_SUCCESS: "CONSUME_SUCCESS",
  RECONSUME_LATER: "RECONSUME_LATER",
} as const;

export type ConsumeResult = (typeof ConsumeResult)[keyof typeof ConsumeResult];

/** Returning nothing is CONSUME_SUCCESS; a throw is RECONSUME_LATER. */
// biome-ignore lint/suspicious/noConfusingVoidType: a listener without a return statement is the usual one
export type ListenerReturn = void | undefined | ConsumeResult;

export interface ListenerContext {
  readonly group: string;
  readonly queue: MessageQueue;
  /**
   * Aborts when the queue is taken away (QUEUE_LOST), `consumeTimeoutMs` passes (CONSUME_TIMEOUT) or the
   * shutdown deadline nears (SHUT_DOWN); the reason is an OrbitError.
   */
  readonly signal: AbortSignal;
  /**
   * When a message that fails comes again (RocketMQ: delayLevelWhenNextConsume): 0, the default, lets the broker
   * choose (10 s, 30 s, 1 min, … 2 h), a level above 0 is that delay, -1 makes it a dead letter at once. Set it
   * before the listener ends. Of a popped message a level counts 30 s, 1 min, 2 min, … 2 h from 1 to 15, as RocketMQ.
   */
  delayLevel: number;
  /**
   * Of a batch: the index of the last message that was consumed when the listener succeeds; those behind it come again
   * (RocketMQ: ackIndex). Default all. Set it before the listener ends.
   */
  ackIndex: number;
  /**
   * One past the newest message of the queue, as of the last pull: a listener that wants to skip a backlog compares it
   * with `message.queueOffset` (RocketMQ: MAX_OFFSET).
   */
  readonly maxOffset: number;
}

export type MessageListener<T = Uint8Array> = (
  message: ReceivedMessage<T>,
  context: ListenerContext,
) => ListenerReturn | Promise<ListenerReturn>;

/** The result counts for all `messages` (never empty, of one queue, in its order). */
export type MessageBatchListener<T = Uint8Array> = (
  messages: readonly ReceivedMessage<T>[],
  context: ListenerContext,
) => ListenerReturn | Promise<ListenerReturn>;

/** What a listener in order may answer; nothing is SUCCESS. Constants for the same reason as {@link ConsumeResult}. */
export const OrderlyResult = {
  /** Done. The next message comes. */
  SUCCESS: "SUCCESS",
  /** Not done: the queue rests, then the same message comes again. A throw means this, too. */
  SUSPEND_CURRENT_QUEUE_A_MOMENT: "SUSPEND_CURRENT_QUEUE_A_MOMENT",
  /** Done, and with `autoCommit` off everything since the last commit is. */
  COMMIT: "COMMIT",
  /** Not done; with `autoCommit` off everything since the last commit comes again. */
  ROLLBACK: "ROLLBACK",
} as const;

export type OrderlyResult = (typeof OrderlyResult)[keyof typeof OrderlyResult];

// biome-ignore lint/suspicious/noConfusingVoidType: a listener without a return statement is the usual one
export type OrderlyListenerReturn = void | undefined | OrderlyResult;

/** RocketMQ: ConsumeOrderlyContext. Settings count when made before the listener ends. */
export interface OrderlyListenerContext {
  readonly group: string;
  readonly queue: MessageQueue;
  /** As a {@link ListenerContext}'s; QUEUE_LOST also when the queue's lock is lost. */
  readonly signal: AbortSignal;
  /** As a {@link ListenerContext}'s. */
  readonly maxOffset: number;
  /** False: SUCCESS goes on, and only COMMIT lets the group's offset follow. Default true. */
  autoCommit: boolean;
  /** How long the queue rests after a failure, 10 to 30,000. Default the consumer's. */
  suspendCurrentQueueTimeMs: number;
}

/** Messages of one queue come one after the other; several only with `messagesMax`. */
export type OrderlyMessageListener<T = Uint8Array> = (
  message: ReceivedMessage<T>,
  context: OrderlyListenerContext,
) => OrderlyListenerReturn | Promise<OrderlyListenerReturn>;

/** The result counts for all `messages` (never empty, of one queue, in its order). */
export type OrderlyMessageBatchListener<T = Uint8Array> = (
  messages: readonly ReceivedMessage<T>[],
  context: OrderlyListenerContext,
) => OrderlyListenerReturn | Promise<OrderlyListenerReturn>;

/** What is listened for; by default everything. */
export interface ListenOptions extends SelectorOptions {}

export interface ListenBatchOptions extends ListenOptions {
  /** Most messages of one call, 1 to 1024. Default 32 (consumeMessageBatchMaxSize). */
  readonly messagesMax?: number | undefined;
}
