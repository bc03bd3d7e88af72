/**
 * A process that does what operators do: creates the topics, then asks NameServers and brokers for whatever
 * they answer, so that every handler runs under faults. Now and then it sends as an old client would.
 */
import { OrbitError } from "@orbitmq/client";
import { Admin } from "@orbitmq/client/internal";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { RpcClient } from "@orbitmq/wire";
import { type NodeContext, SimNode } from "../cluster/sim-node.ts";
import type { Scenario } from "../scenario.ts";
import type { MessageFactory } from "./message-factory.ts";
import { OldProducer } from "./old-producer.ts";
import { sleep } from "./producer-node.ts";
import { DELETE_EXPIRED, randomQuestion } from "./questions.ts";
import type { Place } from "./queue-reader.ts";

export interface AdminPlan {
  readonly scenario: Scenario;
  readonly namesrv: readonly string[];
  readonly brokers: readonly string[];
  readonly factory: MessageFactory;
  readonly places: () => readonly Place[];
}

export class AdminNode extends SimNode {
  readonly #plan: AdminPlan;
  readonly #created = new Set<string>();
  #oldSends = 0;

  constructor(context: NodeContext, machine: SimMachine, name: string, plan: AdminPlan) {
    super(context, machine, name);
    this.#plan = plan;
  }

  protected async begin(host: SimHost): Promise<void> {
    const { namesrv, factory, places, scenario } = this.#plan;
    const admin = new Admin(host, { namesrv, waitForever: true });
    await admin.start();
    const rpc = new RpcClient(host);
    const oldProducer = new OldProducer(this.context, host, factory);
    const { random } = this.context;
    for (;;) {
      for (const topic of scenario.topics) await this.#create(admin, topic.name, topic.queues);
      await sleep(host, random.between(300, 3_000));
      await this.#look(admin);
      await this.#ask(rpc);
      const known = places();
      if (known.length === 0 || !random.chance(0.3)) continue;
      const id = `old-${String(this.#oldSends++).padStart(4, "0")}`;
      await oldProducer.send(id, random.pick(known));
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

  #ask(rpc: RpcClient): Promise<void> {
    const { random } = this.context;
    const { scenario, brokers, namesrv } = this.#plan;
    const broker = random.pick(brokers);
    const isCleaning = scenario.expiries > 0 && random.chance(0.3);
    const topic = random.pick(scenario.topics).name;
    const question = isCleaning ? DELETE_EXPIRED : randomQuestion(random, topic, broker);
    const { to, code, header, body } = question;
    const address = to === "broker" ? broker : random.pick(namesrv);
    return new Promise((resolve) => rpc.request(address, { code, header, body }, 2_000, () => resolve()));
  }
}
