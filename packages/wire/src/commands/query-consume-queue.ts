/**
 * QUERY_CONSUME_QUEUE (321): units of a ConsumeQueue as they are on disk, for looking into (RocketMQ:
 * QueryConsumeQueueResponseBody).
 *
 *   request   topic queueId index count consumerGroup?
 *   body      {"filterData"?,"maxQueueIndex","minQueueIndex","queueData":[ConsumeQueueData],"subscriptionData"?}
 *   ConsumeQueueData   {"eval","physicOffset","physicSize","tagsCode"}
 */
import {
  type SubscriptionData,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "../bodies/subscription-data.ts";
import { defineHeader, type HeaderValue, int32, int64, name, optional } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const queryConsumeQueueRequestHeader = defineHeader("QueryConsumeQueueRequestHeader", {
  topic: name(),
  queueId: int32(),
  index: int64(),
  count: int32(),
  consumerGroup: optional(name()),
});
export type QueryConsumeQueueRequestHeader = HeaderValue<typeof queryConsumeQueueRequestHeader>;

export interface ConsumeQueueUnit {
  readonly physicOffset: number;
  readonly physicSize: number;
  readonly tagsCode: number;
}

export interface ConsumeQueueView {
  readonly minQueueIndex: number;
  readonly maxQueueIndex: number;
  /** `undefined`: there is no such index. */
  readonly queueData: readonly ConsumeQueueUnit[] | undefined;
  /** Of the group asked about, when it is online. */
  readonly subscriptionData?: SubscriptionData | undefined;
  /** The group's filter, or a sentence about why there is none. */
  readonly filterData?: string | undefined;
}

export function encodeConsumeQueueView(value: ConsumeQueueView): Uint8Array {
  const { filterData, maxQueueIndex, minQueueIndex, subscriptionData } = value;
  return encodeFastjson({
    filterData,
    maxQueueIndex,
    minQueueIndex,
    queueData: value.queueData?.map((unit) => ({ eval: false, ...unit })),
    subscriptionData: subscriptionData === undefined ? undefined : subscriptionDataToJson(subscriptionData),
  });
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumeQueueView(bytes: Uint8Array): ConsumeQueueView {
  const body = parseJsonObject(bytes, "QueryConsumeQueueResponseBody");
  const subscription = body.optionalObject("subscriptionData");
  return {
    minQueueIndex: body.integer("minQueueIndex"),
    maxQueueIndex: body.integer("maxQueueIndex"),
    queueData:
      body.raw("queueData") === undefined
        ? undefined
        : body.objectList("queueData").map((unit) => ({
            physicOffset: unit.integer("physicOffset"),
            physicSize: unit.integer("physicSize"),
            tagsCode: unit.int64("tagsCode", 0),
          })),
    subscriptionData: subscription && subscriptionDataFromJson(subscription),
    filterData: body.optionalString("filterData"),
  };
}
