/**
 * Every way in which OrbitMQ's metrics differ from the original's with the same data. A line that differs and is not here
 * fails the comparison, and so does one here that does not differ any more. A line is `# TYPE name kind`, or a sample with
 * its labels in order of their names: `name{label="value",…} 1`.
 */

export interface ExplainedDifference {
  /** Lines only OrbitMQ has. */
  readonly ours?: RegExp;
  /** Lines only the original has. */
  readonly theirs?: RegExp;
  readonly why: string;
}

const NO_POP_BUFFER = "popped messages are kept in memory, and no buffer is scanned";

export const explainedDifferences: readonly ExplainedDifference[] = [
  { theirs: /^(# TYPE )?target_info\b/, why: "it says nothing, without attributes" },
  { theirs: /^(# TYPE )?rocketmq_pop_buffer_scan_time_consume_milliseconds/, why: NO_POP_BUFFER },
  { theirs: /^(# TYPE )?rocketmq_pop_offset_buffer_size\b/, why: NO_POP_BUFFER },
  {
    theirs: /^(# TYPE )?rocketmq_pop_revive_out_message_total\b/,
    why: "the revive log is read at the start only",
  },
  {
    theirs: /^rocketmq_processor_watermark\{.*processor="(?!send"|pull")/,
    why: "there are no thread pools: only what waits for the disk waits",
  },
  {
    ours: /^rocketmq_topic_number\{/,
    theirs: /^rocketmq_topic_number\{/,
    why: "the original has two topics for transactions kept in RocksDB",
  },
  {
    ours: /^rocketmq_message_size_(bucket|count|sum)\{.*topic="batches"/,
    theirs: /^rocketmq_message_size_(bucket|count|sum)\{.*topic="batches"/,
    why: "a batch counts as so many messages; the original counts it as one",
  },
  {
    theirs:
      /^rocketmq_(messages_in_total|throughput_in_total|message_size_\w+)\{.*topic="%RETRY%retrying"\} \d+$/,
    why: "retry topics are left out; the original leaves them out but where a delay level delivers to one",
  },
  {
    theirs:
      /^rocketmq_\w+_out_total\{.*consumer_group="(SCHEDULE_CONSUMER|CID_RMQ_SYS_TRANS|CID_RMQ_SYS_REVIVE_GROUP)"/,
    why: "the broker reads its own topics without being a group",
  },
  {
    theirs: /^rocketmq_(delay_message|timer|timing)\w+\{.*topic="rmq_sys_REVIVE_LOG_DefaultCluster"/,
    why: "the original puts checkpoints of popped messages into the timer's wheel",
  },
  {
    ours: /^rocketmq_timing_messages\{[^}]*storage_type="local"\} 2$/,
    theirs: /^rocketmq_timing_messages\{.*topic="later"\} 2$/,
    why: "all topics together: by topic they would have to be counted anew at every start",
  },
  {
    ours: /^rocketmq_throughput_out_total\{.*topic="decided"/,
    theirs: /^rocketmq_throughput_out_total\{.*topic="decided"/,
    why: "a committed message keeps the properties REAL_TOPIC and REAL_QID, which 5.5.0 takes away",
  },
  {
    ours: /^rocketmq_throughput_out_total\{.*is_retry="true".*topic="poppedTwice"/,
    theirs: /^rocketmq_throughput_out_total\{.*is_retry="true".*topic="poppedTwice"/,
    why: "5.5.0 gives a message that was popped in vain the property ORIGIN_GROUP",
  },
  {
    theirs: /^rocketmq_rpc_latency_\w+\{.*request_code="get_broker_cluster_info"/,
    why: "the test asks the original whether it is ready",
  },
];

/** Values that follow from the clock, the disk or the order of things: which samples there are is compared, not they. */
export const notCompared: readonly (readonly [samples: RegExp, why: string])[] = [
  [/^rocketmq_consumer_(lag|queueing)_latency_milliseconds\{.*consumer_group="behind"/, "ages"],
  [/^rocketmq_storage_message_reserve_time_milliseconds\{/, "an age"],
  [/^rocketmq_storage_size_bytes\{/, "the disk's use"],
  [/^rocketmq_storage_(flush|dispatch)_behind_bytes\{/, "what is written just now"],
  [/^rocketmq_timer_(en|de)queue_(lag|latency_milliseconds)\{/, "the original's checkpoints go through it"],
  [/^rocketmq_timer_message_snapshot\{.*timer_bound_s="(5|60|300)"/, "the original's checkpoints are in it"],
  [/^rocketmq_pop_revive_(lag|latency)_milliseconds\{/, "the original reads its revive log every second"],
  [/^rocketmq_delay_message_latency_seconds_sum\{/, "whole seconds, rounded down"],
  [/^rocketmq_\w+_create_execution_time_milliseconds_(bucket|sum)\{/, "durations"],
  [/^rocketmq_finish_message_latency_milliseconds_(bucket|sum)\{/, "durations"],
  [/^rocketmq_rpc_latency_milliseconds_(bucket|sum)\{/, "durations"],
];

/** Requests whose numbers and answers the data determines; of the others it is compared that there were some. */
export const countedRequests: readonly string[] = [
  "send_message_v2",
  "send_batch_message",
  "consumer_send_msg_back",
  "ack_message",
  "change_message_invisibletime",
  "update_and_create_topic",
  "update_and_create_subscriptiongroup",
];

/** Labels of ours that the original has on some samples only. */
export const extraLabels: readonly (readonly [samples: RegExp, label: string, why: string])[] = [
  [
    /^rocketmq_(messages|throughput)_out_total\{.*consumer_group="(?!poppers"|refusers").*is_retry="false"/,
    'is_retry="false",',
    "the original has it with POP only",
  ],
];
