/** How far behind consumers are, from the rows of consumer-lag. */
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { isSystemTopic } from "../topics/system-topics.ts";
import { type ConsumerLag, isSystemGroup, type LagRow } from "./consumer-lag.ts";
import { family, map } from "./families.ts";

export function* lagFamilies(
  { rows, offline }: Pick<ConsumerLag, "rows" | "offline">,
  options: ResolvedBrokerOptions,
  nowMs: number,
): Generator<MetricFamily> {
  const points = function* (value: (row: LagRow) => number | undefined): Generator<MetricPoint> {
    for (const row of rows) {
      const known = value(row);
      if (known === undefined) continue;
      const { group: consumer_group, topic } = row;
      const is_system = String(isSystemTopic(topic, options) || isSystemGroup(consumer_group));
      yield { labels: { consumer_group, topic, is_retry: String(row.isRetry), is_system }, value: known };
    }
  };
  const age = (sinceMs: number | undefined): number | undefined =>
    sinceMs === undefined || sinceMs === 0 ? sinceMs : Math.max(0, nowMs - sinceMs);
  const gauge = (
    name: string,
    help: string,
    value: (row: LagRow) => number | undefined,
    unit?: string,
  ): MetricFamily => family(`rocketmq_consumer_${name}`, "gauge", help, points(value), unit);
  yield gauge("lag_messages", "Messages not consumed yet", (row) => row.lag);
  yield gauge(
    "lag_latency",
    "How long ago the oldest message not consumed was stored",
    (row) => age(row.unconsumedSinceMs),
    "milliseconds",
  );
  yield gauge("inflight_messages", "Messages given out and not consumed yet", (row) => row.inflight);
  yield gauge(
    "queueing_latency",
    "How long ago the oldest message not given out was stored",
    (row) => age(row.unpulledSinceMs),
    "milliseconds",
  );
  yield gauge("ready_messages", "Messages not given out yet", (row) => row.ready);
  yield family(
    "orbitmq_consumer_offline_lag_messages",
    "gauge",
    "Messages that wait for a group nobody of which is online",
    map(offline, ({ group: consumer_group, topic, lag }) => ({
      labels: { consumer_group, topic },
      value: lag,
    })),
  );
}
