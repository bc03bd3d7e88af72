/**
 * DELETE_SUBSCRIPTION_GROUP_LIST (5003): forgets several consumer groups, and their offsets if wanted.
 *
 *   body      {"cleanOffset":false,"groupNameList":["G", …]}
 *   response  nothing
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export interface DeleteSubscriptionGroupListBody {
  readonly groupNameList: readonly string[];
  readonly cleanOffset: boolean;
}

export function encodeDeleteSubscriptionGroupListBody(value: DeleteSubscriptionGroupListBody): Uint8Array {
  return encodeFastjson(value);
}

/** Throws WireError JSON_MALFORMED. */
export function parseDeleteSubscriptionGroupListBody(bytes: Uint8Array): DeleteSubscriptionGroupListBody {
  const body = parseJsonObject(bytes, "DeleteSubscriptionGroupListRequestBody");
  return { groupNameList: body.strings("groupNameList"), cleanOffset: body.boolean("cleanOffset", false) };
}
