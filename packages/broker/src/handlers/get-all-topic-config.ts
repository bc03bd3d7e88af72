/**
 * GET_ALL_TOPIC_CONFIG (21): all topics of this broker; in pages when the client asks for pages and names the
 * version of those it already has.
 */
import {
  encodeTopicConfigSerializeWrapper,
  type GetAllTopicConfigRequestHeader,
  getAllTopicConfigRequestHeader,
  getAllTopicConfigResponseHeader,
  parseDataVersion,
  type RequestHandler,
  ResponseCode,
  sameDataVersion,
  type TopicConfig,
} from "@orbitmq/wire";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { Topics } from "../topics/topics.ts";

/** RocketMQ: splitMetadataSize. */
const PAGE_MAX = 2_000;

export function getAllTopicConfig({ topics: { topics } }: { topics: TopicRegistry }): RequestHandler {
  return (request, exchange) => {
    const header = getAllTopicConfigRequestHeader.decode(request.ext);
    const topicConfigTable = header.maxTopicNum === undefined ? topics.table : page(topics, header);
    const body = encodeTopicConfigSerializeWrapper({ topicConfigTable, dataVersion: topics.dataVersion });
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => getAllTopicConfigResponseHeader.encode({ totalTopicNum: topics.size }, sink),
      body: [body],
    });
  };
}

/** From `topicSeq` in the order of names; from the start when the table has changed since the first page. */
function page(topics: Topics, header: GetAllTopicConfigRequestHeader): Map<string, TopicConfig> {
  const { dataVersion, topicSeq = 0, maxTopicNum = PAGE_MAX } = header;
  const unchanged =
    dataVersion !== undefined && sameDataVersion(parseDataVersion(dataVersion), topics.dataVersion);
  const start = unchanged ? Math.max(0, topicSeq) : 0;
  const count = Math.max(1, Math.min(maxTopicNum, PAGE_MAX));
  const names = [...topics.table.keys()].sort().slice(start, start + count);
  return new Map(names.map((name) => [name, topics.table.get(name)!]));
}
