/** Whether transactions take part in a seed, and how soon its brokers ask about them. */
import { SeededRandom } from "@orbitmq/host/sim";

export interface TransactionMode {
  /** Transactions over all producers of the group. */
  readonly sends: number;
  readonly producers: number;
  /** The brokers' options of these names, ms; much shorter than RocketMQ's, lest seeds wait for checks. */
  readonly transactionTimeOut: number;
  readonly transactionCheckInterval: number;
  readonly transactionCheckMax: number;
  readonly transactionOpBatchInterval: number;
}

/** Drawn from a stream of its own: the other seeds stay what they were. */
export function transactionModeOf(seed: number): TransactionMode | undefined {
  const random = new SeededRandom(seed, "transactions");
  if (!random.chance(0.28)) return undefined;
  return {
    sends: random.between(20, 32),
    producers: random.pick([1, 2, 2]),
    transactionTimeOut: random.between(300, 2_000),
    transactionCheckInterval: random.between(500, 2_500),
    transactionCheckMax: random.between(2, 5),
    transactionOpBatchInterval: random.pick([300, 3_000]),
  };
}

/** What brokers are told of it. */
export function transactionOptions({
  transactionTimeOut,
  transactionCheckInterval,
  transactionCheckMax,
  transactionOpBatchInterval,
}: TransactionMode): Omit<TransactionMode, "sends" | "producers"> {
  return {
    transactionTimeOut,
    transactionCheckInterval,
    transactionCheckMax,
    transactionOpBatchInterval,
  };
}
