/**
 * Messages for a time, beside the ordinary ones. Once the faults have stopped they must come, whatever was done to the
 * brokers' clocks: where one shows a time long before something is due there, somebody puts it right.
 */
import type { Logger } from "@orbitmq/host";
import type { SimMachine } from "@orbitmq/host/sim";
import type { NodeContext } from "../../cluster/sim-node.ts";
import type { Scenario } from "../../scenario.ts";
import type { TimerMode } from "../../timer-mode.ts";
import type { MessageFactory } from "../message-factory.ts";
import type { IsLost, Workload } from "../workload.ts";
import { TimedNode } from "./timed-node.ts";
import type { TimedPlan } from "./timed-plan.ts";

export interface TimedMessagesParts {
  readonly context: NodeContext;
  readonly machine: SimMachine;
  readonly mode: TimerMode;
  readonly scenario: Pick<Scenario, "busyMs" | "topics">;
  readonly brokers: readonly { readonly name: string; readonly machine: SimMachine }[];
  readonly namesrv: readonly string[];
  readonly factory: MessageFactory;
  readonly logger: Logger;
  readonly consumed: ReadonlySet<string>;
  readonly stepWallClock: (machine: SimMachine, byMs: number) => void;
}

/** Longer than the faults' end is worth waiting for. */
const DUE_SOON_MS = 45_000;
/** From its time, which lies within a second, until it is delivered and consumed. */
const DELIVERED_MS = 4_000;

export class TimedMessages implements Workload {
  readonly nodes: readonly TimedNode[];
  readonly #plan: TimedPlan;
  readonly #parts: TimedMessagesParts;

  constructor(parts: TimedMessagesParts) {
    const { context, machine, mode, scenario, brokers, namesrv, factory, logger } = parts;
    this.#parts = parts;
    this.#plan = {
      left: mode.sends,
      pauseMs: Math.round((2 * scenario.busyMs) / mode.sends),
      isCalm: false,
      topics: scenario.topics.map(({ name }) => name),
      waiting: new Map(),
      ...{ brokers, namesrv, factory, logger },
    };
    this.nodes = [new TimedNode(context, machine, "timed", this.#plan)];
  }

  calm(): void {
    this.#plan.isCalm = true;
    this.#plan.pauseMs = 0;
  }

  missing(isLost: IsLost): string | undefined {
    const { left, waiting } = this.#plan;
    if (left > 0) return `${left} messages for a time could not even be sent`;
    const inFlight = this.nodes.reduce((sum, node) => sum + node.inFlight, 0);
    if (inFlight > 0) return `${inFlight} messages for a time are still being sent, or recalled`;
    for (const broker of this.#parts.brokers) this.#putClockRight(broker);
    for (const [id, { broker, acknowledgedMs, isRecalled, dueWallMs }] of waiting) {
      const isGone = broker !== undefined && isLost(broker, acknowledgedMs);
      if (this.#parts.consumed.has(id) || isGone) waiting.delete(id);
      else if (broker !== undefined && !isRecalled) return `${id}, for a time, is not delivered and consumed`;
      else if (!this.#isPast(broker, dueWallMs)) return `${id}, which may be delivered, is not due yet`;
      else waiting.delete(id);
    }
    return undefined;
  }

  #isPast(broker: string | undefined, dueWallMs: number): boolean {
    return this.#parts.brokers.every(
      ({ name, machine }) =>
        (broker !== undefined && name !== broker) || machine.wallMs() >= dueWallMs + DELIVERED_MS,
    );
  }

  #putClockRight({ name, machine }: { readonly name: string; readonly machine: SimMachine }): void {
    let latestMs = 0;
    for (const { broker, dueWallMs } of this.#plan.waiting.values()) {
      if (broker === undefined || broker === name) latestMs = Math.max(latestMs, dueWallMs);
    }
    const aheadMs = latestMs - machine.wallMs();
    if (aheadMs > DUE_SOON_MS) this.#parts.stepWallClock(machine, aheadMs);
  }
}
