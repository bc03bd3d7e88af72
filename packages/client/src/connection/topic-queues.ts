/**
 * What a route means to a producer and to a consumer: the queues that can be written to, and those that can be
 * read (RocketMQ: MQClientInstance.topicRouteData2TopicPublishInfo and …SubscribeInfo). Pure.
 */
import {
  compareMessageQueues,
  isReadable,
  isWritable,
  MASTER_ID,
  type MessageQueue,
  type TopicRouteData,
} from "@orbitmq/wire";

/** The topic whose existence allows brokers to create others on the first send (RocketMQ: AUTO_CREATE_TOPIC_KEY_TOPIC). */
export const DEFAULT_TOPIC = "TBW102";

/** Queues of writable topics on brokers that have a master, by broker name and queue id. */
export function publishQueues(topic: string, route: TopicRouteData): MessageQueue[] {
  if (route.orderTopicConf !== undefined && route.orderTopicConf !== "") {
    return orderedQueues(topic, route.orderTopicConf);
  }
  const withMaster = new Set(
    route.brokerDatas
      .filter((broker) => broker.brokerAddrs.has(MASTER_ID))
      .map((broker) => broker.brokerName),
  );
  return route.queueDatas
    .filter((queues) => isWritable(queues.perm) && withMaster.has(queues.brokerName))
    .flatMap((queues) => queuesOf(topic, queues.brokerName, queues.writeQueueNums))
    .sort(compareMessageQueues);
}

/** Queues of readable topics, in the order that rebalance depends on. */
export function subscribeQueues(topic: string, route: TopicRouteData): MessageQueue[] {
  return route.queueDatas
    .filter((queues) => isReadable(queues.perm))
    .flatMap((queues) => queuesOf(topic, queues.brokerName, queues.readQueueNums))
    .sort(compareMessageQueues);
}

/** The default topic's route as the route of a topic yet to be created: at most `queueNums` queues a broker. */
export function routeForNewTopic(defaultRoute: TopicRouteData, queueNums: number): TopicRouteData {
  return {
    ...defaultRoute,
    orderTopicConf: undefined,
    queueDatas: defaultRoute.queueDatas.map((queues) => {
      const nums = Math.min(queueNums, queues.readQueueNums);
      return { ...queues, readQueueNums: nums, writeQueueNums: nums };
    }),
  };
}

function queuesOf(topic: string, brokerName: string, count: number): MessageQueue[] {
  return Array.from({ length: Math.max(count, 0) }, (_, queueId) => ({ topic, brokerName, queueId }));
}

/** `broker-a:4;broker-b:4`; entries that are not of this form are skipped. */
function orderedQueues(topic: string, orderTopicConf: string): MessageQueue[] {
  return orderTopicConf.split(";").flatMap((entry) => {
    const [brokerName, count] = entry.split(":");
    return brokerName && /^\d{1,5}$/.test(count ?? "") ? queuesOf(topic, brokerName, Number(count)) : [];
  });
}

export function queueKey(queue: MessageQueue): string {
  return `${queue.topic}@${queue.brokerName}@${queue.queueId}`;
}

/** Whether two routes name the same queues on the same addresses. */
export function sameRoute(a: TopicRouteData, b: TopicRouteData): boolean {
  return routeText(a) === routeText(b);
}

function routeText(route: TopicRouteData): string {
  const queues = route.queueDatas.map(
    ({ brokerName, perm, readQueueNums, writeQueueNums }) =>
      `${brokerName} ${perm} ${readQueueNums} ${writeQueueNums}`,
  );
  const brokers = route.brokerDatas.map(({ brokerName, brokerAddrs }) => {
    const addresses = [...brokerAddrs].sort(([a], [b]) => a - b).map(([id, address]) => `${id}=${address}`);
    return `${brokerName} ${addresses.join(" ")}`;
  });
  return JSON.stringify([queues.sort(), brokers.sort(), route.orderTopicConf ?? ""]);
}
