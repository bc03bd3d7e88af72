/** Which further ways of the shipped client to consume take part in a seed: each in a share of them. */
import { SeededRandom } from "@orbitmq/host/sim";

export interface ClientModes {
  /** Push consumers that pop what brokers assign to them. */
  readonly popPush: boolean;
  /** Simple consumers. */
  readonly simple: boolean;
  /** Who pops by requests of its own acknowledges some messages together. */
  readonly popBatches: boolean;
  /** Broadcasting consumers. */
  readonly broadcast: boolean;
}

export function clientModesOf(seed: number): ClientModes {
  const random = new SeededRandom(seed, "client-modes");
  return {
    popPush: random.chance(0.12),
    simple: random.chance(0.12),
    popBatches: random.chance(0.5),
    broadcast: random.chance(0.12),
  };
}
