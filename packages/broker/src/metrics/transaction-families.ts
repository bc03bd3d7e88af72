/** Transactions by the topic their messages are for. */
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import type { BrokerStats } from "../stats.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";
import type { TopicTransactions } from "./counted.ts";
import { family, map } from "./families.ts";

export function* transactionFamilies({
  stats,
  transactions,
}: {
  readonly stats: BrokerStats;
  readonly transactions: Pick<TransactionService, "halves">;
}): Generator<MetricFamily> {
  const byTopic = (value: (of: TopicTransactions) => MetricPoint["value"]): Iterable<MetricPoint> =>
    map(stats.counted.transactions.entries(), ([topic, of]) => ({ labels: { topic }, value: value(of) }));
  const halves = map(transactions.halves.byTopic, ([topic, value]) => ({ labels: { topic }, value }));
  const commits = byTopic((of) => of.commits);
  const rollbacks = byTopic((of) => of.rollbacks);
  yield family("rocketmq_commit_messages_total", "counter", "Transactions committed", commits);
  yield family("rocketmq_rollback_messages_total", "counter", "Transactions rolled back", rollbacks);
  yield family(
    "rocketmq_finish_message_latency",
    "histogram",
    "Seconds (RocketMQ calls them milliseconds) from a half's birth to its commit",
    byTopic((of) => of.finishS),
    "milliseconds",
  );
  yield family("rocketmq_half_messages", "gauge", "Transactions neither committed nor rolled back", halves);
}
