/**
 * One kind of traffic beside the ordinary producers and consumers: a file of its own, listed in the cluster. Its
 * processes are started, killed and cut off as all others are.
 */
import type { QueueKey } from "../checker/history.ts";
import type { SimNode } from "../cluster/sim-node.ts";

/**
 * Whether a broker may have lost, or removed, what it had taken at that time; for certain when it was at `place` and that
 * is removed.
 */
export type IsLost = (
  broker: string,
  sinceMs: number,
  place?: { readonly queue: QueueKey; readonly offset: number },
) => boolean;

export interface Workload {
  readonly nodes: readonly SimNode[];
  /**
   * Asked in the quiet phase: what has begun and is not at its end; undefined when all is. What a broker that
   * `isLost` had taken at that time may never come.
   */
  missing(isLost: IsLost): string | undefined;
  /** The quiet phase begins: nothing new is begun, what has begun goes on quickly. */
  calm(): void;
}
