/**
 * Names of topics: GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206), GET_TOPICS_BY_CLUSTER (224), GET_SYSTEM_TOPIC_LIST_FROM_NS
 * (304), and by unit flags 311, 312, 313. All but 304 can be switched off by configuration, and are answered 1 then.
 */
import {
  encodeTopicList,
  getTopicsByClusterRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ResolvedNameServerOptions } from "../nameserver-options.ts";
import type { RouteTable } from "../route-table.ts";

interface TopicListNeeds {
  readonly table: RouteTable;
  readonly options: Pick<ResolvedNameServerOptions, "enableAllTopicList" | "enableTopicList">;
}

/** RocketMQ: TopicSysFlag. */
const UNIT = 1;
const UNIT_SUB = 2;

export function getAllTopicList({ table, options }: TopicListNeeds): RequestHandler {
  return (_request, exchange) => {
    assertEnabled(options.enableAllTopicList);
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeTopicList({ topicList: table.topics() })] });
  };
}

/** The topics of a cluster nobody knows are none. */
export function getTopicsByCluster({ table, options }: TopicListNeeds): RequestHandler {
  return (request, exchange) => {
    assertEnabled(options.enableTopicList);
    const { cluster } = getTopicsByClusterRequestHeader.decode(request.ext);
    const body = encodeTopicList({ topicList: table.topicsOfCluster(cluster) });
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}

/** Clusters and brokers, which are topics, too, and the address of a broker to ask for the rest (305). */
export function getSystemTopicListFromNs({ table }: TopicListNeeds): RequestHandler {
  return (_request, exchange) => {
    const { brokerAddrTable, clusterAddrTable } = table.clusterInfo();
    const topicList = [...clusterAddrTable].flatMap(([cluster, brokers]) => [cluster, ...brokers]);
    const [first] = brokerAddrTable.values();
    const brokerAddr = first?.brokerAddrs.values().next().value;
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeTopicList({ topicList, brokerAddr })] });
  };
}

const byFlags =
  (wanted: (flags: number) => boolean) =>
  ({ table, options }: TopicListNeeds): RequestHandler =>
  (_request, exchange) => {
    assertEnabled(options.enableTopicList);
    const body = encodeTopicList({ topicList: table.topicsWithFlags(wanted) });
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };

export const getUnitTopicList = byFlags((flags) => (flags & UNIT) !== 0);
export const getHasUnitSubTopicList = byFlags((flags) => (flags & UNIT_SUB) !== 0);
export const getHasUnitSubUnUnitTopicList = byFlags((flags) => (flags & (UNIT | UNIT_SUB)) === UNIT_SUB);

function assertEnabled(isEnabled: boolean): void {
  if (!isEnabled) throw new Refusal(ResponseCode.SYSTEM_ERROR, "disable");
}
