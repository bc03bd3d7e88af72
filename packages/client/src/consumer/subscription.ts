/**
 * One topic a consumer listens to: what it wants of it, and what runs for each message. Untyped inside: the types
 * of topic, codec and listener were matched at the door (push-consumer.ts).
 */
import { newSubscriptionData, type SubscriptionData } from "@orbitmq/wire";
import type { Codec } from "../codecs.ts";
import { fromUnknown } from "../error-from.ts";
import { OrbitError } from "../errors.ts";
import type { ReceivedMessage } from "../received-message.ts";
import type { Topic } from "../typed-topic.ts";
import type { ListenerRun } from "./listener-run.ts";

export type AnyListener = (messages: readonly ReceivedMessage<unknown>[], context: ListenerRun) => unknown;

export interface Subscription {
  readonly topic: string;
  readonly data: SubscriptionData;
  /** `undefined`: the value is the body. */
  readonly codec: Codec<unknown> | undefined;
  /** Most messages of one call. */
  readonly messagesMax: number;
  readonly listener: AnyListener;
}

/** Throws INVALID_ARGUMENT for a tag expression without tags. `madeMs`: wall ms. */
export function newSubscription(
  topic: string | Topic<unknown>,
  tags: string,
  messagesMax: number,
  listener: AnyListener,
  madeMs: number,
): Subscription {
  const [name, codec] = typeof topic === "string" ? [topic, undefined] : [topic.name, topic.codec];
  try {
    return { topic: name, data: newSubscriptionData(name, tags, madeMs), codec, messagesMax, listener };
  } catch (cause) {
    throw new OrbitError("INVALID_ARGUMENT", fromUnknown(cause).message, { cause });
  }
}
