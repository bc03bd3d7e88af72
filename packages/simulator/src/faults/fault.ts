/** What one kind of fault is, and how it finds its victim. */
import type { SeededRandom } from "@orbitmq/host/sim";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimNode } from "../cluster/sim-node.ts";

/** Does it now; returns whether it found a victim. */
export type Fault = (cluster: Cluster, random: SeededRandom) => boolean;

/** How long a supervisor waits. */
export const restartMs = (random: SeededRandom): number =>
  random.chance(0.5) ? random.between(10, 300) : random.between(300, 4_000);

export function victim<T extends SimNode>(nodes: readonly T[], random: SeededRandom): T | undefined {
  const running = nodes.filter((node) => node.running);
  return running.length === 0 ? undefined : random.pick(running);
}
