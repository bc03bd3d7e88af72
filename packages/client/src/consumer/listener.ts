/** What an application gives a push consumer to run (RocketMQ: MessageListenerConcurrently). */
import type { MessageQueue } from "../message.ts";
import type { ReceivedMessage } from "../received-message.ts";

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
   * before the listener ends.
   */
  delayLevel: number;
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

export interface ListenOptions {
  /** `*` (default), or tags joined by `||`. */
  readonly tags?: string | undefined;
}

export interface ListenBatchOptions extends ListenOptions {
  /** Most messages of one call, 1 to 1024. Default 32 (consumeMessageBatchMaxSize). */
  readonly messagesMax?: number | undefined;
}
