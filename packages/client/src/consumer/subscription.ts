/**
 * One topic a consumer listens to: what it wants of it, and what runs for each message. Untyped inside: the types
 * of topic, codec and listener were matched at the door (push-consumer.ts).
 */
import type { SubscriptionData } from "@orbitmq/wire";
import type { Codec } from "../message/codecs.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import type { Topic } from "../message/typed-topic.ts";
import type { Namespace } from "../names/namespace.ts";
import type { ListenerContext, OrderlyListenerContext } from "./listener.ts";
import { type SelectorOptions, subscriptionTo } from "./message-selector.ts";

export type AnyListener = (
  messages: readonly ReceivedMessage<unknown>[],
  context: ListenerContext & OrderlyListenerContext,
) => unknown;

export interface Subscription {
  /** As servers know it. */
  readonly topic: string;
  readonly data: SubscriptionData;
  /** `undefined`: the value is the body. */
  readonly codec: Codec<unknown> | undefined;
  /** Most messages of one call. */
  readonly messagesMax: number;
  readonly listener: AnyListener;
}

/** Throws INVALID_ARGUMENT for a selector that selects nothing. `madeMs`: wall ms. */
export function newSubscription(
  topic: string | Topic<unknown>,
  selector: SelectorOptions,
  messagesMax: number,
  listener: AnyListener,
  madeMs: number,
  namespace: Namespace,
): Subscription {
  const [bare, codec] = typeof topic === "string" ? [topic, undefined] : [topic.name, topic.codec];
  const name = namespace.wrap(bare);
  return { topic: name, data: subscriptionTo(name, selector, madeMs), codec, messagesMax, listener };
}
