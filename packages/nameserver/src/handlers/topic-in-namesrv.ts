/**
 * DELETE_TOPIC_IN_NAMESRV (216): routes of a topic are forgotten until a broker registers it anew.
 * REGISTER_TOPIC_IN_NAMESRV (217): queues are added by hand; 29 when they name a broker nobody knows (RocketMQ answers
 * success and changes nothing).
 */
import type { Logger } from "@orbitmq/host";
import {
  deleteTopicInNamesrvRequestHeader,
  parseTopicRouteData,
  Refusal,
  type RequestHandler,
  ResponseCode,
  registerTopicInNamesrvRequestHeader,
} from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

interface TopicInNamesrvNeeds {
  readonly table: RouteTable;
  readonly logger: Logger;
}

export function deleteTopicInNamesrv({ table, logger }: TopicInNamesrvNeeds): RequestHandler {
  return (request, exchange) => {
    const { topic, clusterName } = deleteTopicInNamesrvRequestHeader.decode(request.ext);
    table.deleteTopic(topic, clusterName);
    logger.info({ topic, clusterName, by: exchange.peer.address }, "topic deleted from the routes");
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}

export function registerTopicInNamesrv({ table, logger }: TopicInNamesrvNeeds): RequestHandler {
  return (request, exchange) => {
    const { topic } = registerTopicInNamesrvRequestHeader.decode(request.ext);
    const { queueDatas } = parseTopicRouteData(request.body);
    const problem = table.registerTopic(topic, queueDatas);
    if (problem === "") throw new Refusal(ResponseCode.SYSTEM_ERROR, "the table of topics is full");
    if (problem !== undefined)
      throw new Refusal(ResponseCode.INVALID_PARAMETER, `no broker ${problem} is registered`);
    logger.info({ topic, by: exchange.peer.address }, "topic registered by hand");
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
