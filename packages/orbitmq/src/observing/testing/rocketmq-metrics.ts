/**
 * The metrics of RocketMQ 5.5.0's broker as its Prometheus endpoint names them, with their labels besides cluster,
 * node_type, node_id and otel_scope_name; those of RocksDB, the controller and the proxy aside.
 */

/** Name, kind, labels. */
export const rocketmqMetrics: readonly (readonly [string, "counter" | "gauge" | "histogram", string])[] = [
  ["rocketmq_processor_watermark", "gauge", "processor"],
  ["rocketmq_broker_permission", "gauge", ""],
  ["rocketmq_topic_number", "gauge", ""],
  ["rocketmq_consumer_group_number", "gauge", ""],
  ["rocketmq_messages_in_total", "counter", "topic message_type is_system"],
  ["rocketmq_messages_out_total", "counter", "topic consumer_group is_system is_retry"],
  ["rocketmq_throughput_in_total", "counter", "topic message_type is_system"],
  ["rocketmq_throughput_out_total", "counter", "topic consumer_group is_system is_retry"],
  ["rocketmq_message_size", "histogram", "topic message_type is_system"],
  ["rocketmq_topic_create_execution_time_milliseconds", "histogram", "invocation_status is_system"],
  ["rocketmq_consumer_group_create_execution_time_milliseconds", "histogram", "invocation_status"],
  ["rocketmq_producer_connections", "gauge", "language version protocol_type"],
  [
    "rocketmq_consumer_connections",
    "gauge",
    "consumer_group language version consume_mode protocol_type is_system",
  ],
  ["rocketmq_consumer_lag_messages", "gauge", "consumer_group topic is_retry is_system"],
  ["rocketmq_consumer_lag_latency_milliseconds", "gauge", "consumer_group topic is_retry is_system"],
  ["rocketmq_consumer_inflight_messages", "gauge", "consumer_group topic is_retry is_system"],
  ["rocketmq_consumer_queueing_latency_milliseconds", "gauge", "consumer_group topic is_retry is_system"],
  ["rocketmq_consumer_ready_messages", "gauge", "consumer_group topic is_retry is_system"],
  ["rocketmq_send_to_dlq_messages_total", "counter", "topic consumer_group is_system"],
  ["rocketmq_commit_messages_total", "counter", "topic"],
  ["rocketmq_rollback_messages_total", "counter", "topic"],
  ["rocketmq_finish_message_latency_milliseconds", "histogram", "topic"],
  ["rocketmq_half_messages", "gauge", "topic"],
  ["rocketmq_storage_size_bytes", "gauge", "storage_type storage_medium"],
  ["rocketmq_storage_flush_behind_bytes", "gauge", "storage_type storage_medium"],
  ["rocketmq_storage_dispatch_behind_bytes", "gauge", "storage_type storage_medium"],
  ["rocketmq_storage_message_reserve_time_milliseconds", "gauge", "storage_type storage_medium"],
  ["rocketmq_timer_enqueue_lag", "gauge", "storage_type storage_medium"],
  ["rocketmq_timer_enqueue_latency_milliseconds", "gauge", "storage_type storage_medium"],
  ["rocketmq_timer_dequeue_lag", "gauge", "storage_type storage_medium"],
  ["rocketmq_timer_dequeue_latency_milliseconds", "gauge", "storage_type storage_medium"],
  ["rocketmq_timing_messages", "gauge", "storage_type storage_medium"],
  ["rocketmq_timer_enqueue_total", "counter", "storage_type storage_medium topic"],
  ["rocketmq_timer_dequeue_total", "counter", "storage_type storage_medium topic"],
  ["rocketmq_timer_message_snapshot", "gauge", "storage_type storage_medium timer_bound_s"],
  ["rocketmq_delay_message_latency_seconds", "histogram", "storage_type storage_medium topic"],
  ["rocketmq_pop_revive_in_message_total", "counter", "consumer_group topic revive_message_type put_status"],
  ["rocketmq_pop_revive_retry_messages_total", "counter", "consumer_group topic put_status"],
  ["rocketmq_pop_checkpoint_buffer_size", "gauge", ""],
  ["rocketmq_pop_revive_lag_milliseconds", "gauge", "queue_id"],
  ["rocketmq_pop_revive_latency_milliseconds", "gauge", "queue_id"],
  [
    "rocketmq_rpc_latency_milliseconds",
    "histogram",
    "protocol_type request_code response_code is_long_polling result",
  ],
];

/** Of RocketMQ's, those that mean nothing here: docs/metrics.md says why. */
export const leftOut: readonly string[] = [
  "rocketmq_pop_buffer_scan_time_consume_milliseconds",
  "rocketmq_pop_offset_buffer_size",
  "rocketmq_pop_revive_out_message_total",
];
