/**
 * CHECK_CLIENT_CONFIG (46): a client asks whether a subscription that is no TAG one can be served.
 *
 *   request body   {"clientId","group","namespace","subscriptionData":SubscriptionData}
 *   response       nothing
 */
import { parseJsonObject } from "../json-value.ts";
import { type SubscriptionData, subscriptionDataFromJson } from "../subscription-data.ts";

export interface CheckClientBody {
  readonly clientId: string;
  readonly group: string;
  readonly subscription: SubscriptionData | undefined;
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
