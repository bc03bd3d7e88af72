/**
 * CHECK_CLIENT_CONFIG (46): a client asks whether a subscription that is no TAG one can be served.
 *
 *   request body   {"clientId","group","namespace","subscriptionData":SubscriptionData}
 *   response       nothing
 */

import {
  type SubscriptionData,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "../bodies/subscription-data.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export interface CheckClientBody {
  readonly clientId: string;
  readonly group: string;
  readonly subscription: SubscriptionData | undefined;
}

export function encodeCheckClientBody({ clientId, group, subscription }: CheckClientBody): Uint8Array {
  const subscriptionData = subscription === undefined ? undefined : subscriptionDataToJson(subscription);
  return encodeFastjson({ clientId, group, subscriptionData });
}

/** Throws WireError JSON_MALFORMED. */
export function parseCheckClientBody(bytes: Uint8Array): CheckClientBody {
  const body = parseJsonObject(bytes, "CheckClientRequestBody");
  const subscription = body.optionalObject("subscriptionData");
  return {
    clientId: body.optionalString("clientId") ?? "",
    group: body.optionalString("group") ?? "",
    subscription: subscription === undefined ? undefined : subscriptionDataFromJson(subscription),
  };
}
