/**
 * OrbitMQ's client: producer, push consumer, reader and admin for OrbitMQ and Apache RocketMQ. This door runs
 * them on the real machine.
 */
import type { Host } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { Admin as HostedAdmin } from "./admin/admin.ts";
import { DeadLetters as HostedDeadLetters } from "./admin/dead-letters/dead-letters.ts";
import type { PushConsumerOptions } from "./consumer/consumer-options.ts";
import { LitePullConsumer as HostedLitePullConsumer } from "./consumer/lite-pull-consumer.ts";
import type { LitePullConsumerOptions } from "./consumer/lite-pull-options.ts";
import { PushConsumer as HostedPushConsumer } from "./consumer/push-consumer.ts";
import { Reader as HostedReader } from "./consumer/reader/reader.ts";
import { SimpleConsumer as HostedSimpleConsumer } from "./consumer/simple-consumer.ts";
import type { SimpleConsumerOptions } from "./consumer/simple-consumer-options.ts";
import type { ClientOptions } from "./options/client-options.ts";
import { Producer as HostedProducer } from "./producer/producer.ts";
import type { ProducerOptions } from "./producer/producer-options.ts";
import type { TransactionProducerOptions } from "./producer/transactions/local-transaction.ts";
import { TransactionProducer as HostedTransactionProducer } from "./producer/transactions/transaction-producer.ts";

export type {
  BrokerOverview,
  BrokerTarget,
  ClusterOverview,
  CreatedTopic,
  CreateTopicOptions,
  GroupMember,
  GroupQueueStatus,
  GroupStatus,
  GroupSubscription,
  QueryMessageOptions,
  TopicQueueStatus,
  TopicRoute,
  TopicRouteQueues,
  TopicStatus,
} from "./admin/admin-types.ts";
export type { BrokerRuntime, BrokerRuntimes, BrokerStats, GroupTopicProgress } from "./admin/brokers.ts";
export type { BrokerSubscription, ConsumerSubscription } from "./admin/consumer-subscription.ts";
export type {
  ClientConnection,
  ConsumeDirectlyOptions,
  ConsumerConnections,
  ConsumeTimeSpan,
  MemberQueue,
  MemberRunningInfo,
} from "./admin/consumers.ts";
export type { DeadLetter, DeadLetterState } from "./admin/dead-letters/dead-letter.ts";
export type {
  DeadLetterFailure,
  DeadLetterProgress,
  DeadLetterTopic,
  DeadLetterWorkOptions,
  DeadLetterWorkResult,
  ReadDeadLettersOptions,
  RedriveOptions,
} from "./admin/dead-letters/dead-letter-options.ts";
export type { DeadLetterSelection } from "./admin/dead-letters/selection.ts";
export type { DeleteGroupOptions } from "./admin/delete-groups.ts";
export type { DeletedTopic } from "./admin/delete-topics.ts";
export type { BrokerGroupSettings, GroupSettings } from "./admin/group-settings.ts";
export type { ForbidOptions, GroupList, RequestModeOptions } from "./admin/groups.ts";
export type { MessageTraceEvent, MessageTraceOptions } from "./admin/message-trace.ts";
export type { ConsumeQueueOptions } from "./admin/messages.ts";
export type { FromNameServers } from "./admin/name-servers.ts";
export type {
  CloneOffsetsOptions,
  PlannedReset,
  QueueBounds,
  ResetOffset,
  ResetOptions,
  ResetTo,
} from "./admin/offsets.ts";
export type { OnlineProducer, ProducerConnections, ProducerList } from "./admin/producers.ts";
export type { TopicSettings } from "./admin/topics.ts";
export type {
  DelayWhere,
  GroupState,
  GroupWhere,
  MessageState,
  MessageWhere,
  SearchedBroker,
  StoredAt,
  TimelineEvent,
  TransactionWhere,
  WhereQuery,
  WhereResult,
  WhereSearched,
} from "./admin/where/where-types.ts";
export type { ConsumeFrom, MessageModel, PushConsumerOptions } from "./consumer/consumer-options.ts";
export type {
  ListenBatchOptions,
  ListenerContext,
  ListenerReturn,
  ListenOptions,
  MessageBatchListener,
  MessageListener,
  OrderlyListenerContext,
  OrderlyListenerReturn,
  OrderlyMessageBatchListener,
  OrderlyMessageListener,
} from "./consumer/listener.ts";
export { ConsumeResult, OrderlyResult } from "./consumer/listener.ts";
export type {
  ConsumeHook,
  ConsumeHookContext,
  ConsumeOutcome,
  FilterHook,
} from "./consumer/listening/consume-hooks.ts";
export type { LitePullConsumerOptions, MessagesOptions, PollOptions } from "./consumer/lite-pull-options.ts";
export type { SelectorOptions, SqlExpression } from "./consumer/message-selector.ts";
export { sql } from "./consumer/message-selector.ts";
export type { PopQueueStatus, PushConsumerStatus, QueueStatus } from "./consumer/push-consumer-status.ts";
export type { ReadOptions } from "./consumer/reader/reader-options.ts";
export { allocateAveragely } from "./consumer/rebalance/allocate-averagely.ts";
export { allocateAveragelyByCircle } from "./consumer/rebalance/allocate-by-circle.ts";
export { allocateByConfig } from "./consumer/rebalance/allocate-by-config.ts";
export { allocateByMachineRoom } from "./consumer/rebalance/allocate-by-machine-room.ts";
export { allocateByConsistentHash } from "./consumer/rebalance/allocate-consistent-hash.ts";
export { allocateNearby, type MachineRooms } from "./consumer/rebalance/allocate-nearby.ts";
export type { AllocateInput, AllocateStrategy } from "./consumer/rebalance/allocate-strategy.ts";
export type { ReceiveOptions, SimpleConsumerOptions } from "./consumer/simple-consumer-options.ts";
export type { OrbitErrorCode, SendOutcome, ServerFailure } from "./errors/errors.ts";
export { OrbitError, orbitErrors } from "./errors/errors.ts";
export type { Codec } from "./message/codecs.ts";
export { bytes, json, text } from "./message/codecs.ts";
export type {
  AnyMessage,
  Message,
  MessageAttributes,
  MessageQueue,
  TypedMessage,
} from "./message/message.ts";
export { MessageBody } from "./message/message-body.ts";
export type { MessageMetadata } from "./message/received-message.ts";
export { ReceivedMessage } from "./message/received-message.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./message/standard-schema.ts";
export type { Topic } from "./message/typed-topic.ts";
export { topic } from "./message/typed-topic.ts";
export type {
  ClientClock,
  ClientOptions,
  ClientState,
  ShutdownOptions,
  ShutdownResult,
} from "./options/client-options.ts";
export type { ProducerStatus } from "./producer/producer.ts";
export type { ProducerOptions, QueueSelector, SendOptions } from "./producer/producer-options.ts";
export type { RecallOptions } from "./producer/recall.ts";
export type { ReplyOptions } from "./producer/reply-message.ts";
export { selectByHash, selectByRandom } from "./producer/selectors.ts";
export type {
  CheckForbiddenContext,
  CheckForbiddenHook,
  SendHook,
  SendHookContext,
} from "./producer/send-hooks.ts";
export type { SendCallback, SendResult } from "./producer/send-result.ts";
export type {
  LocalTransaction,
  SendInTransactionOptions,
  TransactionProducerOptions,
  TransactionSendResult,
} from "./producer/transactions/local-transaction.ts";
export { LocalTransactionState } from "./producer/transactions/local-transaction.ts";
export type {
  TelemetryApi,
  TelemetryMeter,
  TelemetryPropagator,
  TelemetryTracer,
} from "./telemetry/telemetry-api.ts";
export type { TelemetryOptions } from "./telemetry/telemetry-options.ts";
export type {
  EndTransactionTrace,
  PubTrace,
  RecallTrace,
  SubAfterTrace,
  SubBeforeTrace,
  TraceContext,
  TraceMessageType,
  TraceOutcome,
} from "./trace/trace-context.ts";
export type { TraceOptions } from "./trace/trace-options.ts";

let host: Host | undefined;

/** One for all clients of the process, but for those with a clock of their own. */
function machine({ clock }: ClientOptions): Host {
  host ??= nodeHost();
  if (clock === undefined) return host;
  return { ...host, clock: clock.clock, timers: clock.timers, network: clock.watch(host.network) };
}

export class Producer extends HostedProducer {
  constructor(options: ProducerOptions = {}) {
    super(machine(options), options);
  }
}

export class TransactionProducer<A = unknown> extends HostedTransactionProducer<A> {
  constructor(options: TransactionProducerOptions<A>) {
    super(machine(options), options);
  }
}

export class PushConsumer extends HostedPushConsumer {
  constructor(options: PushConsumerOptions) {
    super(machine(options), options);
  }
}

export class LitePullConsumer extends HostedLitePullConsumer {
  constructor(options: LitePullConsumerOptions) {
    super(machine(options), options);
  }
}

export class SimpleConsumer extends HostedSimpleConsumer {
  constructor(options: SimpleConsumerOptions) {
    super(machine(options), options);
  }
}

export class Reader extends HostedReader {
  constructor(options: ClientOptions = {}) {
    super(machine(options), options);
  }
}

export class Admin extends HostedAdmin {
  constructor(options: ClientOptions = {}) {
    super(machine(options), options);
  }
}

export class DeadLetters extends HostedDeadLetters {
  constructor(options: ClientOptions = {}) {
    super(machine(options), options);
  }
}
