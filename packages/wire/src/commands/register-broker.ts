/**
 * REGISTER_BROKER (103): a broker tells a NameServer its address and its topics.
 *
 *   request   brokerName brokerAddr clusterName haServerAddr? brokerId heartbeatTimeoutMillis?
 *             enableActingMaster? compressed? bodyCrc32?
 *   body      RegisterBrokerBody, plain or compressed (see register-broker-body)
 *   response  haServerAddr? masterAddr?          body? KVTable of ordered topics
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  string,
} from "../frame/header-schema.ts";

export const registerBrokerRequestHeader = defineHeader("RegisterBrokerRequestHeader", {
  brokerName: name(),
  brokerAddr: name(),
  clusterName: name(),
  haServerAddr: optional(string()),
  brokerId: int64(),
  /** Absent means 120,000. */
  heartbeatTimeoutMillis: optional(int64()),
  enableActingMaster: optional(bool()),
  /** Java 5.x brokers always say false; look at the body instead. */
  compressed: optional(bool()),
  /** CRC-32 of the body as transmitted, without the sign bit; 0 or absent is unchecked. */
  bodyCrc32: optional(int32()),
});
export type RegisterBrokerRequestHeader = HeaderValue<typeof registerBrokerRequestHeader>;

export const registerBrokerResponseHeader = defineHeader("RegisterBrokerResponseHeader", {
  haServerAddr: optional(string()),
  masterAddr: optional(string()),
});
export type RegisterBrokerResponseHeader = HeaderValue<typeof registerBrokerResponseHeader>;
