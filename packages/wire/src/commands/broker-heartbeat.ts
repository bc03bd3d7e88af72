/**
 * BROKER_HEARTBEAT (904): a broker is alive; it changes nothing but the time of its last sign of life.
 *
 *   request   clusterName brokerAddr brokerName brokerId? epoch? maxOffset? confirmOffset?
 *             heartbeatTimeoutMills? electionPriority?
 *   response  nothing
 */
import { defineHeader, type HeaderValue, int32, int64, name, optional } from "../frame/header-schema.ts";

export const brokerHeartbeatRequestHeader = defineHeader("BrokerHeartbeatRequestHeader", {
  clusterName: name(),
  brokerAddr: name(),
  brokerName: name(),
  brokerId: optional(int64()),
  epoch: optional(int32()),
  maxOffset: optional(int64()),
  confirmOffset: optional(int64()),
  heartbeatTimeoutMills: optional(int64()),
  electionPriority: optional(int32()),
});
export type BrokerHeartbeatRequestHeader = HeaderValue<typeof brokerHeartbeatRequestHeader>;
