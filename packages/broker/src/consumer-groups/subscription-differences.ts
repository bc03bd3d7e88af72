/**
 * Whether the members of one group subscribe to the same. They must: queues are divided among them, and a message
 * that reaches a member which does not want it counts as consumed. Each member's subscriptions are written as one
 * text; a group in which there is more than one text differs.
 */
import { isTagType, type SubscriptionData } from "@orbitmq/wire";
import { isRetryTopic } from "../names.ts";

/** The same for what subscribes to the same, in whatever order; the group's own retry topic does not count. */
export function subscriptionText(subscriptions: readonly SubscriptionData[]): string {
  return subscriptions
    .filter(({ topic }) => !isRetryTopic(topic))
    .map((subscription) => `${subscription.topic} ${expressionText(subscription)}`)
    .sort()
    .join("; ");
}

function expressionText({ expressionType, subString, tagsSet }: SubscriptionData): string {
  if (!isTagType(expressionType)) return `${expressionType} ${subString}`;
  return tagsSet.size === 0 ? subString : [...tagsSet].sort().join(" || ");
}

/** How many members subscribe to what, by text. */
export class SubscriptionTexts {
  readonly #counts = new Map<string, number>();

  /** Different texts among the members. */
  get size(): number {
    return this.#counts.size;
  }

  /** Texts other than this one. */
  others(text: string): string[] {
    return [...this.#counts.keys()].filter((each) => each !== text);
  }

  /** Whether a member that gives up `old` for `text` leaves the group different. */
  wouldDiffer(old: string | undefined, text: string): boolean {
    for (const [each, count] of this.#counts) {
      if (each === text) continue;
      if (each !== old || count > 1) return true;
    }
    return false;
  }

  replace(old: string | undefined, text: string | undefined): void {
    if (old === text) return;
    if (old !== undefined) {
      const left = (this.#counts.get(old) ?? 0) - 1;
      if (left > 0) this.#counts.set(old, left);
      else this.#counts.delete(old);
    }
    if (text !== undefined) this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  }
}
