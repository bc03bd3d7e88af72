/**
 * One kind of traffic beside the ordinary producers and consumers: a file of its own, listed in the cluster. Its
 * processes are started, killed and cut off as all others are.
 */
import type { SimNode } from "../cluster/sim-node.ts";

export interface Workload {
  readonly nodes: readonly SimNode[];
  /**
   * Asked in the quiet phase: what has begun and is not at its end; undefined when all is. What a broker that
   * `isLost` had taken at that time may never come.
   */
  missing(isLost: (broker: string, sinceMs: number) => boolean): string | undefined;
  /** The quiet phase begins: nothing new is begun, what has begun goes on quickly. */
  calm(): void;
}
