/** Messages in and out, by topic and group. RocketMQ does not count those of retry and dead-letter topics, and so do we. */
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import { popNormalTopicOf } from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { isDlqTopic, isRetryTopic } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import { isSystemTopic } from "../topics/system-topics.ts";
import { isSystemGroup } from "./consumer-lag.ts";
import type { Incoming } from "./counted.ts";
import { family, map, single } from "./families.ts";

interface MessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly stats: BrokerStats;
}

export function* messageFamilies({ options, stats }: MessageNeeds): Generator<MetricFamily> {
  const { counted, named } = stats;
  const incoming = function* (value: (of: Incoming) => MetricPoint["value"]): Generator<MetricPoint> {
    for (const [topic, message_type, of] of counted.allIncoming()) {
      if (isRetryTopic(topic) || isDlqTopic(topic)) continue;
      const is_system = String(isSystemTopic(topic, options));
      yield { labels: { topic, message_type, is_system }, value: value(of) };
    }
  };
  const outgoing = function* (name: "GROUP_GET_NUMS" | "GROUP_GET_SIZE"): Generator<MetricPoint> {
    for (const [key, { sum }] of named.all(name)) {
      const [from = "", consumer_group = ""] = key.split("@");
      const topic = popNormalTopicOf(from, consumer_group);
      if (isRetryTopic(topic) || isDlqTopic(topic)) continue;
      const is_system = String(isSystemTopic(topic, options) || isSystemGroup(consumer_group));
      yield { labels: { topic, consumer_group, is_system, is_retry: String(from !== topic) }, value: sum };
    }
  };
  const dead = ([key, { sum }]: [string, { readonly sum: number }]): MetricPoint => {
    const [topic = "", consumer_group = ""] = key.split("@");
    const is_system = String(isSystemTopic(topic, options) || isSystemGroup(consumer_group));
    return { labels: { topic, consumer_group, is_system }, value: sum };
  };
  const bytesIn = incoming((of) => of.bytes);
  const bytesOut = outgoing("GROUP_GET_SIZE");
  const sizes = incoming((of) => of.sizes);
  const deadLetters = map(named.all("DLQ_PUT_NUMS"), dead);
  yield family(
    "rocketmq_messages_in_total",
    "counter",
    "Messages taken",
    incoming((of) => of.messages),
  );
  yield family("rocketmq_messages_out_total", "counter", "Messages given out", outgoing("GROUP_GET_NUMS"));
  yield family("rocketmq_throughput_in_total", "counter", "Bytes of messages taken, as stored", bytesIn);
  yield family("rocketmq_throughput_out_total", "counter", "Bytes of messages given out", bytesOut);
  yield family("rocketmq_message_size", "histogram", "Bytes of messages taken, as stored", sizes);
  yield family("rocketmq_send_to_dlq_messages_total", "counter", "Messages put to dead letters", deadLetters);
  yield single("orbitmq_sent_back_total", "counter", "Messages consumers sent back", stats.sentBack);
}
