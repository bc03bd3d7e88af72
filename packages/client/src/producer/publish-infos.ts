/**
 * The topics a producer has sent to (RocketMQ: topicPublishInfoTable). A topic nobody knows borrows the route of
 * the default topic TBW102: the first send to one of its brokers creates it there.
 */
import type { Random } from "@orbitmq/host";
import type { RouteCache } from "../connection/route-cache.ts";
import { DEFAULT_TOPIC, routeForNewTopic } from "../connection/topic-queues.ts";
import { OrbitError } from "../errors/errors.ts";
import { TopicPublishInfo } from "./topic-publish-info.ts";

export class PublishInfos {
  readonly #routes: RouteCache;
  readonly #random: Random;
  readonly #queueNums: number;
  readonly #infos = new Map<string, TopicPublishInfo>();

  constructor(routes: RouteCache, random: Random, defaultTopicQueueNums: number) {
    this.#routes = routes;
    this.#random = random;
    this.#queueNums = defaultTopicQueueNums;
    routes.onChange((topic, route) => {
      if (this.#infos.has(topic)) {
        this.#infos.set(topic, new TopicPublishInfo(topic, route, false, random));
      }
      if (topic === DEFAULT_TOPIC) this.#forgetNewTopics();
    });
  }

  /** What is known without asking. */
  get(topic: string): TopicPublishInfo | undefined {
    return this.#infos.get(topic);
  }

  /** Asks; rejects with TOPIC_ROUTE_NOT_FOUND, or as NameServers.route. The result may be without queues. */
  async find(topic: string): Promise<TopicPublishInfo> {
    const info = (await this.#existing(topic)) ?? (await this.#new(topic));
    if (info === undefined) {
      throw new OrbitError("TOPIC_ROUTE_NOT_FOUND", `no NameServer knows ${topic} or ${DEFAULT_TOPIC}`);
    }
    this.#infos.set(topic, info);
    return info;
  }

  async #existing(topic: string): Promise<TopicPublishInfo | undefined> {
    const route = await this.#routes.refresh(topic);
    if (route === undefined) return undefined;
    const known = this.#infos.get(topic);
    if (known !== undefined && !known.isNewTopic) return known;
    return new TopicPublishInfo(topic, route, false, this.#random);
  }

  async #new(topic: string): Promise<TopicPublishInfo | undefined> {
    const known = this.#infos.get(topic);
    if (known !== undefined) return known;
    const route = this.#routes.get(DEFAULT_TOPIC) ?? (await this.#routes.refresh(DEFAULT_TOPIC));
    if (route === undefined) return undefined;
    return new TopicPublishInfo(topic, routeForNewTopic(route, this.#queueNums), true, this.#random);
  }

  #forgetNewTopics(): void {
    for (const [topic, info] of this.#infos) {
      if (info.isNewTopic) this.#infos.delete(topic);
    }
  }
}
