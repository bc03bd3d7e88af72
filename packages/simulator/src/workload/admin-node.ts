/**
 * A process that does what operators do: creates the topics, then asks NameServers and brokers for whatever
 * they answer, so that every handler runs under faults. Its answers are not checked, only that they come.
 */
import { OrbitError } from "@orbitmq/client";
import { Admin } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import {
  type ExtSink,
  getConsumerListByGroupRequestHeader,
  getMinOffsetRequestHeader,
  queryConsumerOffsetRequestHeader,
  RequestCode,
  RpcClient,
  searchOffsetByTimestampRequestHeader,
} from "@orbitmq/wire";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { Scenario } from "../scenario.ts";
import { GROUP } from "./consumer-node.ts";
import { sleep } from "./producer-node.ts";

export interface AdminPlan {
  readonly scenario: Scenario;
  readonly namesrv: readonly string[];
  readonly brokers: readonly string[];
}

interface Question {
  readonly code: number;
  readonly header?: (sink: ExtSink) => void;
}

export class AdminNode extends SimNode {
  readonly #plan: AdminPlan;
  readonly #created = new Set<string>();

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: AdminPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const admin = new Admin(host, { namesrv: this.#plan.namesrv, waitForever: true });
    await admin.start();
    const rpc = new RpcClient(host);
    const { random } = this.context;
    for (;;) {
      for (const topic of this.#plan.scenario.topics) await this.#create(admin, topic.name, topic.queues);
      await sleep(host, random.between(300, 3_000));
      await this.#look(admin);
      const { code, header } = random.pick(this.#questions());
      await new Promise<void>((resolve) =>
        rpc.request(random.pick(this.#plan.brokers), { code, header }, 2_000, () => resolve()),
      );
    }
  }

  protected async finish(): Promise<void> {}

  protected forget(): void {}

  async #create(admin: Admin, topic: string, queues: number): Promise<void> {
    if (queues === 0 || this.#created.has(topic)) return;
    try {
      await admin.createTopic(topic, { queues });
      this.#created.add(topic);
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
    }
  }

  async #look(admin: Admin): Promise<void> {
    const { random } = this.context;
    const topic = random.pick(this.#plan.scenario.topics).name;
    try {
      await random.pick([
        () => admin.topicList(),
        () => admin.topicRoute(topic),
        () => admin.topicStatus(topic),
        () => admin.clusterInfo(),
      ])();
    } catch (error) {
      if (!(error instanceof OrbitError)) throw error;
    }
  }

  #questions(): Question[] {
    const topic = this.context.random.pick(this.#plan.scenario.topics).name;
    const queueId = 0;
    const timestamp = 1_700_000_000_000 + this.context.random.int(60_000);
    return [
      { code: RequestCode.GET_ALL_TOPIC_CONFIG },
      { code: RequestCode.GET_BROKER_RUNTIME_INFO },
      { code: RequestCode.QUERY_MESSAGE },
      {
        code: RequestCode.GET_MIN_OFFSET,
        header: (sink) => getMinOffsetRequestHeader.encode({ topic, queueId }, sink),
      },
      {
        code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
        header: (sink) => searchOffsetByTimestampRequestHeader.encode({ topic, queueId, timestamp }, sink),
      },
      {
        code: RequestCode.QUERY_CONSUMER_OFFSET,
        header: (sink) =>
          queryConsumerOffsetRequestHeader.encode({ consumerGroup: GROUP, topic, queueId }, sink),
      },
      {
        code: RequestCode.GET_CONSUMER_LIST_BY_GROUP,
        header: (sink) => getConsumerListByGroupRequestHeader.encode({ consumerGroup: GROUP }, sink),
      },
    ];
  }
}
