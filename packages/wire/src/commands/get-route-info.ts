/**
 * GET_ROUTEINFO_BY_TOPIC (105): where a topic's queues are (RocketMQ: GetRouteInfoRequestHeader).
 *
 *   request   topic acceptStandardJsonOnly?
 *   body      TopicRouteData (see topic-route-data)     or TOPIC_NOT_EXIST (17)
 *
 * Integer keys in the body are quoted when the client is V4_9_4 or later or asks for standard JSON only.
 */
import { bool, defineHeader, type HeaderValue, name, optional } from "../frame/header-schema.ts";
import { MQVersion } from "../tables/mq-version.ts";

export const getRouteInfoRequestHeader = defineHeader("GetRouteInfoRequestHeader", {
  topic: name(),
  acceptStandardJsonOnly: optional(bool()),
});
export type GetRouteInfoRequestHeader = HeaderValue<typeof getRouteInfoRequestHeader>;

/** Whether the route for this client is written as standard JSON. */
export function quotesRouteKeys(header: GetRouteInfoRequestHeader, clientVersion: number): boolean {
  return clientVersion >= MQVersion.V4_9_4 || header.acceptStandardJsonOnly === true;
}
