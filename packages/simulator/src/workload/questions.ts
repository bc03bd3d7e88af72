/** What operators and other brokers ask NameServers and brokers; the answers are not checked, only that they come. */
import type { SeededRandom } from "@orbitmq/host/sim";
import {
  brokerHeartbeatRequestHeader,
  type ExtSink,
  encodeDataVersion,
  getConsumerListByGroupRequestHeader,
  getMaxOffsetRequestHeader,
  getMinOffsetRequestHeader,
  queryConsumerOffsetRequestHeader,
  queryDataVersionRequestHeader,
  RequestCode,
  searchOffsetByTimestampRequestHeader,
} from "@orbitmq/wire";
import { GROUP } from "./consumer-node.ts";

export interface Question {
  readonly to: "namesrv" | "broker";
  readonly code: number;
  readonly header?: (sink: ExtSink) => void;
  readonly body?: readonly Uint8Array[];
}

/** Removes what is older than fileReservedTime. */
export const DELETE_EXPIRED: Question = { to: "broker", code: RequestCode.DELETE_EXPIRED_COMMITLOG };

/** A random one about `topic`, or about the broker at `brokerAddr`. */
export function randomQuestion(random: SeededRandom, topic: string, brokerAddr: string): Question {
  const queueId = random.int(2);
  const timestamp = 1_700_000_000_000 + random.int(60_000);
  const brokerName = "broker-a";
  const clusterName = "DefaultCluster";
  return random.pick<Question>([
    { to: "broker", code: RequestCode.GET_ALL_TOPIC_CONFIG },
    { to: "broker", code: RequestCode.GET_BROKER_RUNTIME_INFO },
    { to: "broker", code: RequestCode.QUERY_MESSAGE },
    { to: "broker", code: RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE },
    DELETE_EXPIRED,
    {
      to: "broker",
      code: RequestCode.GET_MIN_OFFSET,
      header: (sink) => getMinOffsetRequestHeader.encode({ topic, queueId }, sink),
    },
    {
      to: "broker",
      code: RequestCode.GET_MAX_OFFSET,
      header: (sink) => getMaxOffsetRequestHeader.encode({ topic, queueId }, sink),
    },
    {
      to: "broker",
      code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
      header: (sink) => searchOffsetByTimestampRequestHeader.encode({ topic, queueId, timestamp }, sink),
    },
    {
      to: "broker",
      code: RequestCode.QUERY_CONSUMER_OFFSET,
      header: (sink) =>
        queryConsumerOffsetRequestHeader.encode({ consumerGroup: GROUP, topic, queueId }, sink),
    },
    {
      to: "broker",
      code: RequestCode.GET_CONSUMER_LIST_BY_GROUP,
      header: (sink) => getConsumerListByGroupRequestHeader.encode({ consumerGroup: GROUP }, sink),
    },
    {
      to: "namesrv",
      code: RequestCode.QUERY_DATA_VERSION,
      header: (sink) =>
        queryDataVersionRequestHeader.encode({ brokerName, brokerAddr, clusterName, brokerId: 0 }, sink),
      body: [encodeDataVersion({ stateVersion: 0, timestamp, counter: random.int(5) })],
    },
    {
      to: "namesrv",
      code: RequestCode.BROKER_HEARTBEAT,
      header: (sink) =>
        brokerHeartbeatRequestHeader.encode({ brokerName, brokerAddr, clusterName, brokerId: 0 }, sink),
    },
  ]);
}
