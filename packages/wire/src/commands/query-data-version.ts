/**
 * QUERY_DATA_VERSION (322): does the NameServer know this version of a broker's topics? Counts as a sign of life.
 *
 *   request   brokerName brokerAddr clusterName brokerId          body  DataVersion of the broker
 *   response  changed                                             body? DataVersion the NameServer has
 */
import { bool, defineHeader, type HeaderValue, int64, name } from "../frame/header-schema.ts";

export const queryDataVersionRequestHeader = defineHeader("QueryDataVersionRequestHeader", {
  brokerName: name(),
  brokerAddr: name(),
  clusterName: name(),
  brokerId: int64(),
});
export type QueryDataVersionRequestHeader = HeaderValue<typeof queryDataVersionRequestHeader>;

export const queryDataVersionResponseHeader = defineHeader("QueryDataVersionResponseHeader", {
  changed: bool(),
});
export type QueryDataVersionResponseHeader = HeaderValue<typeof queryDataVersionResponseHeader>;
