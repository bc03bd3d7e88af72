/**
 * A topic with a type: the codec that turns values into bodies and back. Producers and listeners that are given
 * a {@link Topic} instead of a name deal in values of its type.
 */
import type { Codec } from "./codecs.ts";

export interface Topic<T> {
  readonly name: string;
  readonly codec: Codec<T>;
}

/** `topic("orders", json<Order>())` */
export function topic<T>(name: string, codec: Codec<T>): Topic<T> {
  return { name, codec };
}

export function topicName(nameOrTopic: string | Topic<unknown>): string {
  return typeof nameOrTopic === "string" ? nameOrTopic : nameOrTopic.name;
}
