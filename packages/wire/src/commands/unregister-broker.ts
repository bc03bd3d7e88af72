/**
 * UNREGISTER_BROKER (104): a broker leaves a NameServer (RocketMQ: UnRegisterBrokerRequestHeader).
 *
 *   request   brokerName brokerAddr clusterName brokerId
 *   response  nothing
 */
import { defineHeader, type HeaderValue, int64, name } from "../frame/header-schema.ts";

export const unregisterBrokerRequestHeader = defineHeader("UnRegisterBrokerRequestHeader", {
  brokerName: name(),
  brokerAddr: name(),
  clusterName: name(),
  brokerId: int64(),
});
export type UnregisterBrokerRequestHeader = HeaderValue<typeof unregisterBrokerRequestHeader>;
