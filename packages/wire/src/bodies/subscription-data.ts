/**
 * What a consumer group wants of a topic (RocketMQ: SubscriptionData, FilterAPI). A TAG expression is `*` or
 * tags joined by `||`; brokers compare the hash of a message's tag with `codeSet`, clients the tag itself with
 * `tagsSet`, because hashes collide. Other expression types (SQL92) pass through as text.
 */

import type { JsonObject } from "../json/json-value.ts";
import { javaHash } from "../message/java-hash.ts";
import { WireError } from "../wire-error.ts";

export const SUB_ALL = "*";
export const EXPRESSION_TAG = "TAG";
export const EXPRESSION_SQL92 = "SQL92";

export interface SubscriptionData {
  readonly topic: string;
  readonly subString: string;
  /** Empty for `*` and for other expression types. */
  readonly tagsSet: ReadonlySet<string>;
  readonly codeSet: ReadonlySet<number>;
  /** Wall ms at which this subscription was made; a newer one replaces it. */
  readonly subVersion: number;
  /** TAG or SQL92. */
  readonly expressionType: string;
  readonly classFilterMode: boolean;
}

export function isTagType(expressionType: string | undefined): boolean {
  return expressionType === undefined || expressionType === "" || expressionType === EXPRESSION_TAG;
}

/**
 * Builds a subscription from an expression; `undefined`, `""` and `*` mean everything.
 * Throws WireError HEADER_FIELD_INVALID when a TAG expression contains no tag at all (`||`).
 */
export function newSubscriptionData(
  topic: string,
  expression: string | undefined,
  subVersion: number,
  expressionType: string = EXPRESSION_TAG,
): SubscriptionData {
  const classFilterMode = false;
  if (!isTagType(expressionType)) {
    const subString = expression ?? "";
    return { topic, subString, ...NO_TAGS, subVersion, expressionType, classFilterMode };
  }
  expressionType = EXPRESSION_TAG;
  if (expression === undefined || expression === "" || expression === SUB_ALL) {
    const { tagsSet, codeSet } = NO_TAGS;
    return { topic, subString: SUB_ALL, tagsSet, codeSet, subVersion, expressionType, classFilterMode };
  }
  const tagsSet = new Set(splitTags(expression));
  const codeSet = new Set([...tagsSet].map(javaHash));
  return { topic, subString: expression, tagsSet, codeSet, subVersion, expressionType, classFilterMode };
}

/** A pull may carry its subscription each time, and most want everything. */
const NO_TAGS: Pick<SubscriptionData, "tagsSet" | "codeSet"> = { tagsSet: new Set(), codeSet: new Set() };

function splitTags(expression: string): string[] {
  const tags = expression
    .split("||")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  if (tags.length === 0) {
    throw new WireError("HEADER_FIELD_INVALID", `the expression ${JSON.stringify(expression)} names no tag`);
  }
  return tags;
}

/** Whether a TAG subscription wants a message by its ConsumeQueue tags code; collisions are left to the client. */
export function matchesTagsCode(subscription: SubscriptionData, tagsCode: number): boolean {
  return subscription.subString === SUB_ALL || subscription.codeSet.has(tagsCode);
}

/** Whether a TAG subscription wants a message with this tag. */
export function matchesTag(subscription: SubscriptionData, tag: string | undefined): boolean {
  if (subscription.tagsSet.size === 0) return true;
  return tag !== undefined && subscription.tagsSet.has(tag);
}

export function subscriptionDataToJson(value: SubscriptionData): object {
  return { ...value };
}

export function subscriptionDataFromJson(json: JsonObject): SubscriptionData {
  return {
    topic: json.string("topic"),
    subString: json.optionalString("subString") ?? SUB_ALL,
    tagsSet: new Set(json.strings("tagsSet")),
    codeSet: new Set(json.integers("codeSet")),
    // Java's clients count milliseconds, Go's nanoseconds.
    subVersion: json.int64("subVersion", 0),
    expressionType: json.optionalString("expressionType") ?? EXPRESSION_TAG,
    classFilterMode: json.boolean("classFilterMode", false),
  };
}
