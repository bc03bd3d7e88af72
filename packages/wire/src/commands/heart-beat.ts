/**
 * HEART_BEAT (34): a client tells every broker it talks to who it is: its producer groups, its consumer groups
 * and what they subscribe to (RocketMQ: HeartbeatData).
 *
 *   request body   {"clientID","consumerDataSet":[ConsumerData],"heartbeatFingerprint","producerDataSet":
 *                  [{"groupName"}],"withoutSub"}
 *   ConsumerData   {"consumeFromWhere","consumeType","groupName","messageModel","subscriptionDataSet":
 *                  [SubscriptionData],"unitMode"}
 *   response       IS_SUPPORT_HEART_BEAT_V2? IS_SUB_CHANGE?
 */

import {
  type SubscriptionData,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "../bodies/subscription-data.ts";
import { bool, defineHeader, type HeaderValue, optional } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const heartBeatResponseHeader = defineHeader("HeartbeatResponseHeader", {
  IS_SUPPORT_HEART_BEAT_V2: optional(bool()),
  IS_SUB_CHANGE: optional(bool()),
});
export type HeartBeatResponseHeader = HeaderValue<typeof heartBeatResponseHeader>;

export interface ConsumerData {
  readonly groupName: string;
  /** CONSUME_ACTIVELY (pull), CONSUME_PASSIVELY (push) or CONSUME_POP. */
  readonly consumeType: string;
  /** CLUSTERING or BROADCASTING. */
  readonly messageModel: string;
  /** CONSUME_FROM_LAST_OFFSET, CONSUME_FROM_FIRST_OFFSET or CONSUME_FROM_TIMESTAMP. */
  readonly consumeFromWhere: string;
  readonly subscriptionDataSet: readonly SubscriptionData[];
  readonly unitMode: boolean;
}

export interface HeartbeatData {
  readonly clientID: string;
  /** Names of producer groups. */
  readonly producerGroups: readonly string[];
  readonly consumerDataSet: readonly ConsumerData[];
  readonly heartbeatFingerprint: number;
  /** Subscriptions are left out because the broker knows the fingerprint. */
  readonly withoutSub: boolean;
}

export function encodeHeartbeatData(value: HeartbeatData): Uint8Array {
  return encodeFastjson({
    clientID: value.clientID,
    consumerDataSet: value.consumerDataSet.map((consumer) => ({
      ...consumer,
      subscriptionDataSet: consumer.subscriptionDataSet.map(subscriptionDataToJson),
    })),
    heartbeatFingerprint: value.heartbeatFingerprint,
    producerDataSet: value.producerGroups.map((groupName) => ({ groupName })),
    withoutSub: value.withoutSub,
  });
}

/** Throws WireError JSON_MALFORMED. */
export function parseHeartbeatData(bytes: Uint8Array): HeartbeatData {
  const body = parseJsonObject(bytes, "HeartbeatData");
  return {
    clientID: body.string("clientID"),
    producerGroups: body.objectList("producerDataSet").map((producer) => producer.string("groupName")),
    consumerDataSet: body.objectList("consumerDataSet").map((consumer) => ({
      groupName: consumer.string("groupName"),
      consumeType: consumer.optionalString("consumeType") ?? "CONSUME_PASSIVELY",
      messageModel: consumer.optionalString("messageModel") ?? "CLUSTERING",
      consumeFromWhere: consumer.optionalString("consumeFromWhere") ?? "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: consumer.objectList("subscriptionDataSet").map(subscriptionDataFromJson),
      unitMode: consumer.boolean("unitMode", false),
    })),
    heartbeatFingerprint: body.integer("heartbeatFingerprint", 0),
    withoutSub: body.boolean("withoutSub", false),
  };
}
