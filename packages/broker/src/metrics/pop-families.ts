/** Messages popped and brought back (RocketMQ: PopMetricsManager; what concerns its buffers is left out). */
import type { Clock, MetricFamily, MetricPoint } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { PopService } from "../popping/pop-service.ts";
import { REVIVE_GROUP } from "../popping/revive-log.ts";
import type { BrokerStats } from "../stats.ts";
import { family, single } from "./families.ts";

export interface PopFamiliesNeeds {
  readonly clock: Clock;
  readonly store: Pick<MessageStore, "readableEnd">;
  readonly options: ResolvedBrokerOptions;
  readonly offsets: OffsetRegistry;
  readonly stats: BrokerStats;
  readonly popping: Pick<PopService, "log">;
}

const PUT_OK = "PUT_OK";

export function* popFamilies(needs: PopFamiliesNeeds): Generator<MetricFamily> {
  const { stats, popping } = needs;
  const { table } = popping.log;
  const into = function* (): Generator<MetricPoint> {
    for (const [consumer_group, topic, { checkPoints, acknowledgements }] of stats.counted.allPops()) {
      const labels = { consumer_group, topic, put_status: PUT_OK };
      yield { labels: { ...labels, revive_message_type: "CK" }, value: checkPoints };
      yield { labels: { ...labels, revive_message_type: "ACK" }, value: acknowledgements };
    }
  };
  const retried = function* (): Generator<MetricPoint> {
    for (const [consumer_group, topic, { retries }] of stats.counted.allPops()) {
      yield { labels: { consumer_group, topic, put_status: PUT_OK }, value: retries };
    }
  };
  const help = "Checkpoints and acknowledgements appended to the revive log";
  yield family("rocketmq_pop_revive_in_message_total", "counter", help, into());
  yield family(
    "rocketmq_pop_revive_retry_messages_total",
    "counter",
    "Popped messages put to be retried",
    retried(),
  );
  yield single("rocketmq_pop_checkpoint_buffer_size", "gauge", "Pops not acknowledged yet", table.size);
  const lags = byQueue(needs, (queueId, end, committed) => (isOverdue(needs, queueId) ? end - committed : 0));
  const late = byQueue(needs, (queueId) => overdueMs(needs, queueId));
  const behind = "Records of the revive log not done with, where one is overdue (RocketMQ's name says ms)";
  yield family("rocketmq_pop_revive_lag", "gauge", behind, lags, "milliseconds");
  const overdue = "How long the oldest pop of the queue should have come again";
  yield family("rocketmq_pop_revive_latency", "gauge", overdue, late, "milliseconds");
}

function* byQueue(
  { store, options, offsets, popping }: PopFamiliesNeeds,
  value: (queueId: number, end: number, committed: number) => number,
): Generator<MetricPoint> {
  const { topic } = popping.log;
  for (let queueId = 0; queueId < options.reviveQueueNum; queueId++) {
    const end = store.readableEnd(topic, queueId);
    const committed = offsets.get(REVIVE_GROUP, topic, queueId) ?? 0;
    yield { labels: { queue_id: String(queueId) }, value: Math.max(0, value(queueId, end, committed)) };
  }
}

function isOverdue(needs: PopFamiliesNeeds, queueId: number): boolean {
  return overdueMs(needs, queueId) > 0;
}

function overdueMs({ clock, popping }: PopFamiliesNeeds, queueId: number): number {
  const oldest = popping.log.table.oldest(queueId)?.checkPoint;
  if (oldest === undefined || oldest.isAcked) return 0;
  return Math.max(0, Math.floor(clock.monotonicMs() - oldest.deadlineMs));
}
