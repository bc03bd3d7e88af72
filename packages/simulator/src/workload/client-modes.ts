/**
 * Further ways of the shipped client to consume, each in a share of the seeds and each a group of its own: push
 * consumers that pop what brokers assign to them, simple consumers, and broadcasting consumers.
 */
import type { Logger } from "@orbitmq/host";
import type { SimMachine } from "@orbitmq/host/sim";
import type { Subscriber } from "../checker/subscriber-check.ts";
import type { ClientModes } from "../client-modes.ts";
import type { NodeContext, SimNode } from "../cluster/sim-node.ts";
import { BROADCAST, BroadcastNode } from "./broadcast-node.ts";
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
  /** Nothing fails in this seed. */
  readonly faultless: boolean;
  readonly planOf: (group: string) => Omit<PopPlan, "isCalm" | "done" | "asked">;
}

export function clientModeWorkloads({
  modes,
  machines,
  contextOf,
  planOf,
  faultless,
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
  if (modes.broadcast) {
    machines.forEach((machine, i) => {
      const context = contextOf(`${BROADCAST}-${i}`);
      const member = broadcastMember(i);
      const newMember = (plan: PopPlan) => new BroadcastNode(context, machine, `watcher-${i}`, plan, setup);
      const workload = new Poppers(context, planOf(member), (plan) => [newMember(plan)]);
      workloads.push(workload);
      for (const node of workload.nodes) endOnce(context, node, faultless);
    });
  }
  return workloads;
}

/** A broadcasting member ends while messages come, and goes on from its own offsets. */
function endOnce({ world, random }: NodeContext, node: SimNode, faultless: boolean): void {
  const atMs = faultless ? random.between(28_000, 31_000) : random.between(5_000, 25_000);
  const isKilled = !faultless && random.chance(0.7);
  const restartMs = random.between(10, 1_000);
  world.after(atMs, () => {
    if (isKilled) node.kill(restartMs);
    else node.stop(restartMs);
  });
}

/** Each member of a broadcasting group is judged as a group of its own. */
const broadcastMember = (index: number): string => `${BROADCAST} ${index}`;

/** Who of them must in the end have had every message of `topic`. */
export function subscribersOf(modes: ClientModes, topic: string): readonly Subscriber[] {
  return [
    ...(modes.popPush ? [{ group: POP_PUSH, topic, listens: true }] : []),
    ...(modes.simple ? [{ group: SIMPLE, topic, listens: false }] : []),
    ...(modes.broadcast
      ? [0, 1].map((index) => ({ group: broadcastMember(index), topic, listens: false }))
      : []),
  ];
}
