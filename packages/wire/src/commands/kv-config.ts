/**
 * PUT_KV_CONFIG (100), GET_KV_CONFIG (101), DELETE_KV_CONFIG (102) and GET_KVLIST_BY_NAMESPACE (219): what a NameServer
 * keeps by namespace and key, ordered topics in ORDER_TOPIC_CONFIG among them.
 *
 *   100   request   namespace key value      response  nothing
 *   101   request   namespace key            response  value, or 22 QUERY_NOT_FOUND
 *   102   request   namespace key            response  nothing
 *   219   request   namespace                body      KVTable, or 22 QUERY_NOT_FOUND
 */
import { defineHeader, type HeaderValue, string } from "../frame/header-schema.ts";

/** RocketMQ: NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG; key: topic, value: `broker-a:4;broker-b:4`. */
export const ORDER_TOPIC_CONFIG = "ORDER_TOPIC_CONFIG";

export const putKvConfigRequestHeader = defineHeader("PutKVConfigRequestHeader", {
  namespace: string(),
  key: string(),
  value: string(),
});
export type PutKvConfigRequestHeader = HeaderValue<typeof putKvConfigRequestHeader>;

export const getKvConfigRequestHeader = defineHeader("GetKVConfigRequestHeader", {
  namespace: string(),
  key: string(),
});
export type GetKvConfigRequestHeader = HeaderValue<typeof getKvConfigRequestHeader>;

export const getKvConfigResponseHeader = defineHeader("GetKVConfigResponseHeader", { value: string() });
export type GetKvConfigResponseHeader = HeaderValue<typeof getKvConfigResponseHeader>;

export const deleteKvConfigRequestHeader = defineHeader("DeleteKVConfigRequestHeader", {
  namespace: string(),
  key: string(),
});
export type DeleteKvConfigRequestHeader = HeaderValue<typeof deleteKvConfigRequestHeader>;

export const getKvListByNamespaceRequestHeader = defineHeader("GetKVListByNamespaceRequestHeader", {
  namespace: string(),
});
export type GetKvListByNamespaceRequestHeader = HeaderValue<typeof getKvListByNamespaceRequestHeader>;
