/** What heartbeats say of a consumer (RocketMQ: ConsumerData). */
import type { ConsumerData, SubscriptionData } from "@orbitmq/wire";
import type { ConsumeFrom, MessageModel } from "./consumer-options.ts";

export interface ConsumerIdentity {
  /** As servers know it. */
  readonly group: string;
  readonly from: ConsumeFrom;
  readonly messageModel: MessageModel;
}

export function consumerData(
  { group, from, messageModel }: ConsumerIdentity,
  consumeType: "CONSUME_PASSIVELY" | "CONSUME_ACTIVELY" | "CONSUME_POP",
  subscriptionDataSet: readonly SubscriptionData[],
): ConsumerData {
  const consumeFromWhere =
    from === "first"
      ? "CONSUME_FROM_FIRST_OFFSET"
      : from === "last"
        ? "CONSUME_FROM_LAST_OFFSET"
        : "CONSUME_FROM_TIMESTAMP";
  return {
    groupName: group,
    consumeType,
    messageModel,
    consumeFromWhere,
    subscriptionDataSet: [...subscriptionDataSet],
    unitMode: false,
  };
}
