/** Transactions beside the ordinary messages: each ends as its local transaction did, or is parked when nobody can tell. */
import type { Logger } from "@orbitmq/host";
import type { SimMachine } from "@orbitmq/host/sim";
import type { NodeContext } from "../../cluster/sim-node.ts";
import type { Scenario } from "../../scenario.ts";
import type { TransactionMode } from "../../transaction-mode.ts";
import type { MessageFactory } from "../message-factory.ts";
import type { BrokerAt } from "../pop-client.ts";
import type { IsLost, Workload } from "../workload.ts";
import { LocalDatabase } from "./local-database.ts";
import { ParkedNode } from "./parked-node.ts";
import { TransactionNode } from "./transaction-node.ts";
import type { TransactionPlan } from "./transaction-plan.ts";

export interface TransactionsParts {
  readonly context: NodeContext;
  readonly machines: readonly SimMachine[];
  readonly mode: TransactionMode;
  readonly scenario: Pick<Scenario, "busyMs" | "topics">;
  readonly brokers: readonly BrokerAt[];
  readonly namesrv: readonly string[];
  readonly factory: MessageFactory;
  readonly logger: Logger;
  /** Ids the group of consumers is done with. */
  readonly consumed: ReadonlySet<string>;
}

export class Transactions implements Workload {
  readonly nodes: readonly (TransactionNode | ParkedNode)[];
  readonly producers: readonly TransactionNode[];
  readonly #plan: TransactionPlan;
  readonly #consumed: ReadonlySet<string>;

  constructor({ context, machines, mode, scenario, consumed, ...parts }: TransactionsParts) {
    this.#consumed = consumed;
    this.#plan = {
      ...parts,
      left: mode.sends,
      pauseMs: Math.round((2 * scenario.busyMs * mode.producers) / mode.sends),
      isCalm: false,
      topics: scenario.topics.map(({ name }) => name),
      database: new LocalDatabase(context.recorder),
      halves: new Map(),
      leftParked: new Set(),
    };
    const machineOf = (index: number) => machines[index % machines.length] as SimMachine;
    this.producers = Array.from(
      { length: mode.producers },
      (_, i) => new TransactionNode(context, machineOf(i), `transactor-${i}`, this.#plan),
    );
    this.nodes = [...this.producers, new ParkedNode(context, machineOf(1), "operator", this.#plan)];
  }

  calm(): void {
    this.#plan.isCalm = true;
    this.#plan.pauseMs = 0;
  }

  missing(isLost: IsLost): string | undefined {
    const { left, halves, database, leftParked } = this.#plan;
    if (left > 0) return `${left} transactions could not even be begun`;
    const inFlight = this.producers.reduce((sum, producer) => sum + producer.inFlight, 0);
    if (inFlight > 0) return `${inFlight} transactions are still in flight`;
    for (const [id, { broker, atMs }] of halves) {
      const decision = database.decisionOf(id);
      const isOver =
        decision === "rollback" ||
        (decision === "commit" && this.#consumed.has(id)) ||
        (database.isOpen(id) && leftParked.has(id));
      if (isOver || isLost(broker, atMs)) halves.delete(id);
      else if (decision === "commit") return `${id}, committed, is not consumed`;
      else if (database.isOpen(id))
        return `${id}, which nobody can tell about, is not parked, or not looked at`;
      else return `nobody was asked about ${id} on ${broker}`;
    }
    return undefined;
  }
}
