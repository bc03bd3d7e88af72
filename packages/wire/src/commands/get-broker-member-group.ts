/**
 * GET_BROKER_MEMBER_GROUP (901): the addresses of one broker name, master and slaves (RocketMQ:
 * GetBrokerMemberGroupResponseBody).
 *
 *   request   clusterName brokerName
 *   body      {"brokerMemberGroup":{"brokerAddrs":{0:"host:port"},"brokerName","cluster"}}
 */
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const getBrokerMemberGroupRequestHeader = defineHeader("GetBrokerMemberGroupRequestHeader", {
  clusterName: name(),
  brokerName: name(),
});
export type GetBrokerMemberGroupRequestHeader = HeaderValue<typeof getBrokerMemberGroupRequestHeader>;

export interface BrokerMemberGroup {
  readonly cluster: string;
  readonly brokerName: string;
  /** Broker id → `host:port`; empty for a broker nobody knows. */
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

export function encodeBrokerMemberGroup(brokerMemberGroup: BrokerMemberGroup): Uint8Array {
  return encodeFastjson({ brokerMemberGroup });
}

/** Throws WireError JSON_MALFORMED. */
export function parseBrokerMemberGroup(bytes: Uint8Array): BrokerMemberGroup {
  const group = parseJsonObject(bytes, "GetBrokerMemberGroupResponseBody").object("brokerMemberGroup");
  return {
    cluster: group.optionalString("cluster") ?? "",
    brokerName: group.optionalString("brokerName") ?? "",
    brokerAddrs: group.integerKeyedStrings("brokerAddrs"),
  };
}
