/**
 * Further ways of the shipped client to consume, each in a share of the seeds and each a group of its own: push
 * consumers that pop what brokers assign to them, simple consumers, and broadcasting consumers.
 */
import type { Logger } from "@orbitmq/host";
import type { SimMachine } from "@orbitmq/host/sim";
import type { Subscriber } from "../checker/subscriber-check.ts";
import type { ClientModes } from "../client-modes.ts";
import type { NodeContext } from "../cluster/sim-node.ts";
import { PopPushNode } from "./pop-push-node.ts";
import { type PopPlan, Poppers } from "./poppers.ts";
import { SimpleNode } from "./simple-node.ts";
import type { Workload } from "./workload.ts";

/** Its members listen to what they pop. */
export const POP_PUSH = "pop-pushers";
/** Its members ask for messages, and acknowledge them one by one. */
export const SIMPLE = "receivers";

/** What programs of applications are given. */
export interface ClientSetup {
  readonly namesrv: readonly string[];
  readonly logger: (name: string) => Logger;
}

export interface ClientModeParts extends ClientSetup {
  readonly modes: ClientModes;
  readonly machines: readonly SimMachine[];
  readonly contextOf: (label: string) => NodeContext;
  readonly planOf: (group: string) => Omit<PopPlan, "isCalm" | "done" | "asked">;
}

export function clientModeWorkloads({
  modes,
  machines,
  contextOf,
  planOf,
  namesrv,
  logger,
}: ClientModeParts): readonly Workload[] {
  const workloads: Workload[] = [];
  const setup = { namesrv, logger };
  if (modes.popPush) {
    const context = contextOf(POP_PUSH);
    workloads.push(
      new Poppers(context, planOf(POP_PUSH), (plan) =>
        machines.map((machine, i) => new PopPushNode(context, machine, `pop-pusher-${i}`, plan, setup)),
      ),
    );
  }
  if (modes.simple) {
    const context = contextOf(SIMPLE);
    workloads.push(
      new Poppers(context, planOf(SIMPLE), (plan) =>
        machines.map((machine, i) => new SimpleNode(context, machine, `receiver-${i}`, plan, setup)),
      ),
    );
  }
  return workloads;
}

/** Who of them must in the end have had every message of `topic`. */
export function subscribersOf(modes: ClientModes, topic: string): readonly Subscriber[] {
  return [
    ...(modes.popPush ? [{ group: POP_PUSH, topic, listens: true }] : []),
    ...(modes.simple ? [{ group: SIMPLE, topic, listens: false }] : []),
  ];
}
