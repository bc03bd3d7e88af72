/** Which handler answers which request code; every other code is answered 3, a few of them with the reason. */
import type { Clock, Logger } from "@orbitmq/host";
import { RequestCode, type RequestHandler } from "@orbitmq/wire";
import { brokerHeartbeat } from "./handlers/broker-heartbeat.ts";
import { getBrokerClusterInfo } from "./handlers/get-broker-cluster-info.ts";
import { getBrokerMemberGroup } from "./handlers/get-broker-member-group.ts";
import { getRouteInfo } from "./handlers/get-route-info.ts";
import { deleteKvConfig, getKvConfig, getKvListByNamespace, putKvConfig } from "./handlers/kv-config.ts";
import { getNamesrvConfig, updateNamesrvConfig } from "./handlers/namesrv-config.ts";
import { notSupported } from "./handlers/not-supported.ts";
import { queryDataVersion } from "./handlers/query-data-version.ts";
import { registerBroker } from "./handlers/register-broker.ts";
import { deleteTopicInNamesrv, registerTopicInNamesrv } from "./handlers/topic-in-namesrv.ts";
import {
  getAllTopicList,
  getHasUnitSubTopicList,
  getHasUnitSubUnUnitTopicList,
  getSystemTopicListFromNs,
  getTopicsByCluster,
  getUnitTopicList,
} from "./handlers/topic-lists.ts";
import { unregisterBroker } from "./handlers/unregister-broker.ts";
import { addWritePermOfBroker, wipeWritePermOfBroker } from "./handlers/write-perm-of-broker.ts";
import type { KvConfig } from "./kv-config.ts";
import type { ResolvedNameServerOptions } from "./nameserver-options.ts";
import type { RouteTable } from "./route-table.ts";

export interface NameServerParts {
  readonly table: RouteTable;
  readonly kv: KvConfig;
  readonly options: ResolvedNameServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function requestHandlers(parts: NameServerParts): ReadonlyMap<number, RequestHandler> {
  return new Map<number, RequestHandler>([
    ...notSupported(),
    [RequestCode.REGISTER_BROKER, registerBroker(parts)],
    [RequestCode.UNREGISTER_BROKER, unregisterBroker(parts)],
    [RequestCode.BROKER_HEARTBEAT, brokerHeartbeat(parts)],
    [RequestCode.QUERY_DATA_VERSION, queryDataVersion(parts)],
    [RequestCode.GET_ROUTEINFO_BY_TOPIC, getRouteInfo(parts)],
    [RequestCode.GET_BROKER_CLUSTER_INFO, getBrokerClusterInfo(parts)],
    [RequestCode.GET_BROKER_MEMBER_GROUP, getBrokerMemberGroup(parts)],
    [RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, getAllTopicList(parts)],
    [RequestCode.GET_TOPICS_BY_CLUSTER, getTopicsByCluster(parts)],
    [RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS, getSystemTopicListFromNs(parts)],
    [RequestCode.GET_UNIT_TOPIC_LIST, getUnitTopicList(parts)],
    [RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST, getHasUnitSubTopicList(parts)],
    [RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST, getHasUnitSubUnUnitTopicList(parts)],
    [RequestCode.PUT_KV_CONFIG, putKvConfig(parts)],
    [RequestCode.GET_KV_CONFIG, getKvConfig(parts)],
    [RequestCode.DELETE_KV_CONFIG, deleteKvConfig(parts)],
    [RequestCode.GET_KVLIST_BY_NAMESPACE, getKvListByNamespace(parts)],
    [RequestCode.UPDATE_NAMESRV_CONFIG, updateNamesrvConfig(parts)],
    [RequestCode.GET_NAMESRV_CONFIG, getNamesrvConfig(parts)],
    [RequestCode.WIPE_WRITE_PERM_OF_BROKER, wipeWritePermOfBroker(parts)],
    [RequestCode.ADD_WRITE_PERM_OF_BROKER, addWritePermOfBroker(parts)],
    [RequestCode.DELETE_TOPIC_IN_NAMESRV, deleteTopicInNamesrv(parts)],
    [RequestCode.REGISTER_TOPIC_IN_NAMESRV, registerTopicInNamesrv(parts)],
  ]);
}
