/** Messages that wait for their time. */
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import type { BrokerStats } from "../stats.ts";
import type { TimerService } from "../timer/timer-service.ts";
import type { TopicTimers } from "./counted.ts";
import { family, map } from "./families.ts";
import { storageLabels } from "./store-families.ts";
import { type StoreReading, TIMER_BOUNDS_S } from "./store-reading.ts";

export interface TimerFamiliesNeeds {
  readonly stats: BrokerStats;
  readonly timed: Pick<TimerService, "behind" | "counts">;
}

export function* timerFamilies(
  { stats, timed }: TimerFamiliesNeeds,
  reading: StoreReading,
): Generator<MetricFamily> {
  const labels = storageLabels(reading);
  const { offsets, enqueueMs, readSeconds, overdue, waiting } = timed.behind();
  const one = (name: string, help: string, value: number, unit?: string): MetricFamily =>
    family(`rocketmq_${name}`, "gauge", help, [{ labels, value }], unit);
  const byTopic = (value: (of: TopicTimers) => MetricPoint["value"]): Iterable<MetricPoint> =>
    map(stats.counted.timers.entries(), ([topic, of]) => ({
      labels: { ...labels, topic },
      value: value(of),
    }));
  const late = readSeconds * 1_000;
  yield one("timer_enqueue_lag", "Messages not put into the wheel yet", offsets);
  yield one("timer_enqueue_latency", "How long the first of them has waited", enqueueMs, "milliseconds");
  yield one("timer_dequeue_lag", "Messages of the second that is being delivered", overdue);
  yield one("timer_dequeue_latency", "How late that second is", late, "milliseconds");
  yield one("timing_messages", "Messages that wait for their time, all topics together", waiting);
  const enqueued = byTopic((of) => of.enqueued);
  const dequeued = byTopic((of) => of.dequeued);
  yield family("rocketmq_timer_enqueue_total", "counter", "Messages put into the wheel", enqueued);
  yield family("rocketmq_timer_dequeue_total", "counter", "Messages delivered at their time", dequeued);
  yield family(
    "rocketmq_timer_message_snapshot",
    "gauge",
    "Messages due within so many seconds, and not within the bound before; read once a minute",
    TIMER_BOUNDS_S.map((bound, index) => ({
      labels: { ...labels, timer_bound_s: String(bound) },
      value: reading.timerCounts[index] ?? 0,
    })),
  );
  yield family(
    "rocketmq_delay_message_latency",
    "histogram",
    "How far ahead messages are sent",
    byTopic((of) => of.delayS),
    "seconds",
  );
  yield family(
    "orbitmq_timer_messages_total",
    "counter",
    "What became of messages that waited for their time",
    map(Object.entries(timed.counts), ([outcome, value]) => ({ labels: { outcome }, value })),
  );
}
