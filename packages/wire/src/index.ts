/** Bytes between processes: frames, headers, codes, the message record, RPC. */

export type { DataVersion } from "./bodies/data-version.ts";
export {
  dataVersionFromJson,
  encodeDataVersion,
  formatDataVersion,
  newDataVersion,
  nextDataVersion,
  parseDataVersion,
  sameDataVersion,
} from "./bodies/data-version.ts";
export {
  decodeJavaProperties,
  formatJavaProperties,
  type JavaProperty,
  parseJavaProperties,
} from "./bodies/java-properties.ts";
export type { MessageQueue } from "./bodies/message-queue.ts";
export { compareMessageQueues, messageQueueFromJson } from "./bodies/message-queue.ts";
export type { RegisterBrokerBody } from "./bodies/register-broker-body.ts";
export { encodeRegisterBrokerBody, parseRegisterBrokerBody } from "./bodies/register-broker-body.ts";
export type { SubscriptionData } from "./bodies/subscription-data.ts";
export {
  EXPRESSION_SQL92,
  EXPRESSION_TAG,
  isTagType,
  matchesTag,
  matchesTagsCode,
  newSubscriptionData,
  SUB_ALL,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "./bodies/subscription-data.ts";
export type { TopicConfig, TopicConfigSerializeWrapper } from "./bodies/topic-config.ts";
export {
  encodeTopicConfigSerializeWrapper,
  newTopicConfig,
  parseTopicConfigSerializeWrapper,
  topicConfigFromJson,
  topicConfigSerializeWrapperFromJson,
  topicConfigSerializeWrapperToJson,
} from "./bodies/topic-config.ts";
export type { BrokerData, QueueData, TopicRouteData } from "./bodies/topic-route-data.ts";
export {
  brokerDataFromJson,
  brokerDataToJson,
  encodeTopicRouteData,
  MASTER_ID,
  parseTopicRouteData,
} from "./bodies/topic-route-data.ts";
export { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from "./bytes/big-endian.ts";
export { copyBytes } from "./bytes/copy-bytes.ts";
export { type AckMessageRequestHeader, ackMessageRequestHeader } from "./commands/ack-message.ts";
export {
  BATCH_ACK_SPAN_MAX,
  type BatchAck,
  type BatchAckBody,
  encodeBatchAckBody,
  parseBatchAckBody,
} from "./commands/batch-ack-message.ts";
export type { BrokerHeartbeatRequestHeader } from "./commands/broker-heartbeat.ts";
export { brokerHeartbeatRequestHeader } from "./commands/broker-heartbeat.ts";
export {
  type ChangeInvisibleTimeRequestHeader,
  type ChangeInvisibleTimeResponseHeader,
  changeInvisibleTimeRequestHeader,
  changeInvisibleTimeResponseHeader,
} from "./commands/change-message-invisibletime.ts";
export {
  type CheckClientBody,
  encodeCheckClientBody,
  parseCheckClientBody,
} from "./commands/check-client-config.ts";
export {
  type CheckTransactionStateRequestHeader,
  checkTransactionStateRequestHeader,
} from "./commands/check-transaction-state.ts";
export {
  type CloneGroupOffsetRequestHeader,
  cloneGroupOffsetRequestHeader,
} from "./commands/clone-group-offset.ts";
export {
  type ConsumeMessageDirectlyRequestHeader,
  type ConsumeMessageDirectlyResult,
  consumeMessageDirectlyRequestHeader,
  parseConsumeMessageDirectlyResult,
} from "./commands/consume-message-directly.ts";
export type { ConsumerSendMsgBackRequestHeader } from "./commands/consumer-send-msg-back.ts";
export { consumerSendMsgBackRequestHeader } from "./commands/consumer-send-msg-back.ts";
export {
  type DeleteSubscriptionGroupListBody,
  encodeDeleteSubscriptionGroupListBody,
  parseDeleteSubscriptionGroupListBody,
} from "./commands/delete-subscription-group-list.ts";
export {
  type DeleteSubscriptionGroupRequestHeader,
  deleteSubscriptionGroupRequestHeader,
} from "./commands/delete-subscriptiongroup.ts";
export {
  deleteTopicInBrokerRequestHeader,
  encodeDeleteTopicListBody,
  parseDeleteTopicListBody,
} from "./commands/delete-topic-in-broker.ts";
export {
  type EndTransactionRequestHeader,
  endTransactionRequestHeader,
} from "./commands/end-transaction.ts";
export {
  encodeProducerTable,
  type ProducerInfo,
  type ProducerTable,
  parseProducerTable,
} from "./commands/get-all-producer-info.ts";
export {
  type GetAllSubscriptionGroupRequestHeader,
  type GetAllSubscriptionGroupResponseHeader,
  getAllSubscriptionGroupRequestHeader,
  getAllSubscriptionGroupResponseHeader,
} from "./commands/get-all-subscriptiongroup-config.ts";
export type {
  GetAllTopicConfigRequestHeader,
  GetAllTopicConfigResponseHeader,
} from "./commands/get-all-topic-config.ts";
export {
  getAllTopicConfigRequestHeader,
  getAllTopicConfigResponseHeader,
} from "./commands/get-all-topic-config.ts";
export type { TopicList } from "./commands/get-all-topic-list.ts";
export { encodeTopicList, parseTopicList } from "./commands/get-all-topic-list.ts";
export type { ClusterInfo } from "./commands/get-broker-cluster-info.ts";
export { encodeClusterInfo, parseClusterInfo } from "./commands/get-broker-cluster-info.ts";
export { getBrokerConfigResponseHeader } from "./commands/get-broker-config.ts";
export {
  type BrokerConsumeStats,
  encodeBrokerConsumeStats,
  type GetBrokerConsumeStatsRequestHeader,
  getBrokerConsumeStatsRequestHeader,
  parseBrokerConsumeStats,
} from "./commands/get-broker-consume-stats.ts";
export {
  encodeHaStatus,
  type HaConnection,
  type HaStatus,
  parseHaStatus,
} from "./commands/get-broker-ha-status.ts";
export {
  type BrokerMemberGroup,
  encodeBrokerMemberGroup,
  getBrokerMemberGroupRequestHeader,
  parseBrokerMemberGroup,
} from "./commands/get-broker-member-group.ts";
export type { KvTable } from "./commands/get-broker-runtime-info.ts";
export { encodeKvTable, parseKvTable } from "./commands/get-broker-runtime-info.ts";
export {
  type ConsumeOffset,
  type ConsumeStats,
  encodeConsumeStats,
  type GetConsumeStatsRequestHeader,
  getConsumeStatsRequestHeader,
  parseConsumeStats,
} from "./commands/get-consume-stats.ts";
export {
  type ClientConnection,
  type ConsumerConnection,
  connectionLanguage,
  encodeConsumerConnection,
  type GetConsumerConnectionListRequestHeader,
  getConsumerConnectionListRequestHeader,
  parseConsumerConnection,
} from "./commands/get-consumer-connection-list.ts";
export type { GetConsumerListByGroupRequestHeader } from "./commands/get-consumer-list-by-group.ts";
export {
  encodeConsumerList,
  getConsumerListByGroupRequestHeader,
  parseConsumerList,
} from "./commands/get-consumer-list-by-group.ts";
export {
  type ConsumerRunningInfo,
  type GetConsumerRunningInfoRequestHeader,
  getConsumerRunningInfoRequestHeader,
  type HeldQueue,
  parseConsumerRunningInfo,
  type TopicConsumeStatus,
} from "./commands/get-consumer-running-info.ts";
export {
  type GetEarliestMsgStoretimeRequestHeader,
  type GetEarliestMsgStoretimeResponseHeader,
  getEarliestMsgStoretimeRequestHeader,
  getEarliestMsgStoretimeResponseHeader,
} from "./commands/get-earliest-msg-storetime.ts";
export type { GetMaxOffsetRequestHeader, GetMaxOffsetResponseHeader } from "./commands/get-max-offset.ts";
export { getMaxOffsetRequestHeader, getMaxOffsetResponseHeader } from "./commands/get-max-offset.ts";
export type {
  GetMessageWhereaboutsRequestHeader,
  MessageWhereabouts,
  PopWhereabouts,
  WhereaboutsBody,
} from "./commands/get-message-whereabouts.ts";
export {
  encodeWhereabouts,
  getMessageWhereaboutsRequestHeader,
  parseWhereabouts,
  WHEREABOUTS_POSITIONS_MAX,
} from "./commands/get-message-whereabouts.ts";
export type { GetMinOffsetRequestHeader, GetMinOffsetResponseHeader } from "./commands/get-min-offset.ts";
export { getMinOffsetRequestHeader, getMinOffsetResponseHeader } from "./commands/get-min-offset.ts";
export {
  encodeProducerConnection,
  type GetProducerConnectionListRequestHeader,
  getProducerConnectionListRequestHeader,
  parseProducerConnection,
} from "./commands/get-producer-connection-list.ts";
export type { GetRouteInfoRequestHeader } from "./commands/get-route-info.ts";
export { getRouteInfoRequestHeader, quotesRouteKeys } from "./commands/get-route-info.ts";
export type { GetSubscriptionGroupConfigRequestHeader } from "./commands/get-subscriptiongroup-config.ts";
export { getSubscriptionGroupConfigRequestHeader } from "./commands/get-subscriptiongroup-config.ts";
export type { GetTopicConfigRequestHeader } from "./commands/get-topic-config.ts";
export { getTopicConfigRequestHeader } from "./commands/get-topic-config.ts";
export type {
  GetTopicStatsInfoRequestHeader,
  TopicOffset,
  TopicStatsTable,
} from "./commands/get-topic-stats-info.ts";
export {
  encodeTopicStatsTable,
  getTopicStatsInfoRequestHeader,
  parseTopicStatsTable,
} from "./commands/get-topic-stats-info.ts";
export { getTopicsByClusterRequestHeader } from "./commands/get-topics-by-cluster.ts";
export type { ConsumerData, HeartBeatResponseHeader, HeartbeatData } from "./commands/heart-beat.ts";
export { encodeHeartbeatData, heartBeatResponseHeader, parseHeartbeatData } from "./commands/heart-beat.ts";
export {
  encodeClientStatus,
  encodeConsumerStatus,
  type GetConsumerStatusRequestHeader,
  getConsumerStatusRequestHeader,
  parseClientStatus,
  parseConsumerStatus,
} from "./commands/invoke-broker-to-get-consumer-status.ts";
export {
  type DeleteKvConfigRequestHeader,
  deleteKvConfigRequestHeader,
  type GetKvConfigRequestHeader,
  type GetKvConfigResponseHeader,
  type GetKvListByNamespaceRequestHeader,
  getKvConfigRequestHeader,
  getKvConfigResponseHeader,
  getKvListByNamespaceRequestHeader,
  ORDER_TOPIC_CONFIG,
  type PutKvConfigRequestHeader,
  putKvConfigRequestHeader,
} from "./commands/kv-config.ts";
export {
  encodeLockBatchBody,
  encodeLockBatchResponse,
  type LockBatchBody,
  parseLockBatchBody,
  parseLockBatchResponse,
} from "./commands/lock-batch-mq.ts";
export {
  type NotificationRequestHeader,
  type NotificationResponseHeader,
  notificationRequestHeader,
  notificationResponseHeader,
} from "./commands/notification.ts";
export type { NotifyConsumerIdsChangedRequestHeader } from "./commands/notify-consumer-ids-changed.ts";
export { notifyConsumerIdsChangedRequestHeader } from "./commands/notify-consumer-ids-changed.ts";
export { type PeekMessageRequestHeader, peekMessageRequestHeader } from "./commands/peek-message.ts";
export { PlainSend } from "./commands/plain-send.ts";
export {
  type PollingInfoRequestHeader,
  type PollingInfoResponseHeader,
  pollingInfoRequestHeader,
  pollingInfoResponseHeader,
} from "./commands/polling-info.ts";
export {
  ConsumeInitMode,
  type PopMessageRequestHeader,
  type PopMessageResponseHeader,
  popMessageRequestHeader,
  popMessageResponseHeader,
} from "./commands/pop-message.ts";
export type { PullMessageRequestHeader, PullMessageResponseHeader } from "./commands/pull-message.ts";
export { pullMessageRequestHeader, pullMessageResponseHeader } from "./commands/pull-message.ts";
export {
  type ReplyMessageRequestHeader,
  replyMessageRequestHeader,
} from "./commands/push-reply-message-to-client.ts";
export {
  encodeAssignments,
  encodeQueryAssignmentBody,
  type MessageQueueAssignment,
  type MessageRequestMode,
  parseAssignments,
  parseQueryAssignmentBody,
  type QueryAssignmentBody,
} from "./commands/query-assignment.ts";
export {
  type ConsumeQueueUnit,
  type ConsumeQueueView,
  encodeConsumeQueueView,
  parseConsumeQueueView,
  queryConsumeQueueRequestHeader,
} from "./commands/query-consume-queue.ts";
export {
  encodeConsumeTimeSpans,
  parseConsumeTimeSpans,
  type QueryConsumeTimeSpanRequestHeader,
  type QueueTimeSpan,
  queryConsumeTimeSpanRequestHeader,
} from "./commands/query-consume-time-span.ts";
export type {
  QueryConsumerOffsetRequestHeader,
  QueryConsumerOffsetResponseHeader,
} from "./commands/query-consumer-offset.ts";
export {
  queryConsumerOffsetRequestHeader,
  queryConsumerOffsetResponseHeader,
} from "./commands/query-consumer-offset.ts";
export type {
  QueryDataVersionRequestHeader,
  QueryDataVersionResponseHeader,
} from "./commands/query-data-version.ts";
export {
  queryDataVersionRequestHeader,
  queryDataVersionResponseHeader,
} from "./commands/query-data-version.ts";
export type { QueryMessageRequestHeader, QueryMessageResponseHeader } from "./commands/query-message.ts";
export {
  queryMessageRequestHeader,
  queryMessageResponseHeader,
  UNIQUE_KEY_QUERY,
} from "./commands/query-message.ts";
export {
  encodeConsumerSubscription,
  parseConsumerSubscription,
  type QuerySubscriptionByConsumerRequestHeader,
  querySubscriptionByConsumerRequestHeader,
} from "./commands/query-subscription-by-consumer.ts";
export {
  encodeGroupList,
  parseGroupList,
  type QueryTopicConsumeByWhoRequestHeader,
  queryTopicConsumeByWhoRequestHeader,
} from "./commands/query-topic-consume-by-who.ts";
export {
  encodeConsumedTopics,
  type QueryTopicsByConsumerRequestHeader,
  queryTopicsByConsumerRequestHeader,
} from "./commands/query-topics-by-consumer.ts";
export {
  decodeRecallHandle,
  encodeRecallHandle,
  type RecallHandle,
  type RecallMessageRequestHeader,
  recallMessageRequestHeader,
  recallMessageResponseHeader,
} from "./commands/recall-message.ts";
export type {
  RegisterBrokerRequestHeader,
  RegisterBrokerResponseHeader,
} from "./commands/register-broker.ts";
export { registerBrokerRequestHeader, registerBrokerResponseHeader } from "./commands/register-broker.ts";
export {
  encodeResetOffsetBody,
  encodeResetOffsetBodyForC,
  parseResetOffsetBody,
  type QueueOffsets,
  type ResetOffsetRequestHeader,
  resetOffsetRequestHeader,
} from "./commands/reset-consumer-client-offset.ts";
export {
  type ResumeCheckHalfMessageRequestHeader,
  resumeCheckHalfMessageRequestHeader,
} from "./commands/resume-check-half-message.ts";
export type {
  SearchOffsetByTimestampRequestHeader,
  SearchOffsetByTimestampResponseHeader,
} from "./commands/search-offset-by-timestamp.ts";
export {
  searchOffsetByTimestampRequestHeader,
  searchOffsetByTimestampResponseHeader,
} from "./commands/search-offset-by-timestamp.ts";
export type {
  SendMessageRequestHeader,
  SendMessageResponseHeader,
  SendMessageV2RequestHeader,
} from "./commands/send-message.ts";
export {
  decodeSendMessageRequestHeader,
  sendMessageRequestHeader,
  sendMessageResponseHeader,
  sendMessageV2RequestHeader,
} from "./commands/send-message.ts";
export { type SendMessageAnswer, SendMessageAnswers } from "./commands/send-message-answer.ts";
export {
  encodeMessageRequestMode,
  encodeMessageRequestModes,
  type MessageRequestModeSetting,
  messageRequestModesToJson,
  parseMessageRequestMode,
  parseMessageRequestModes,
} from "./commands/set-message-request-mode.ts";
export {
  deleteTopicInNamesrvRequestHeader,
  registerTopicInNamesrvRequestHeader,
} from "./commands/topic-in-namesrv.ts";
export type { UnregisterBrokerRequestHeader } from "./commands/unregister-broker.ts";
export { unregisterBrokerRequestHeader } from "./commands/unregister-broker.ts";
export type { UnregisterClientRequestHeader } from "./commands/unregister-client.ts";
export { unregisterClientRequestHeader } from "./commands/unregister-client.ts";
export type { UpdateAndCreateTopicRequestHeader } from "./commands/update-and-create-topic.ts";
export { updateAndCreateTopicRequestHeader } from "./commands/update-and-create-topic.ts";
export { encodeTopicConfigList, parseTopicConfigList } from "./commands/update-and-create-topic-list.ts";
export {
  encodeGroupForbidden,
  parseGroupReadable,
  type UpdateGroupForbiddenRequestHeader,
  updateGroupForbiddenRequestHeader,
} from "./commands/update-and-get-group-forbidden.ts";
export type { UpdateConsumerOffsetRequestHeader } from "./commands/update-consumer-offset.ts";
export { updateConsumerOffsetRequestHeader } from "./commands/update-consumer-offset.ts";
export {
  type BrokerStatsData,
  type BrokerStatsItem,
  encodeBrokerStatsData,
  parseBrokerStatsData,
  type ViewBrokerStatsDataRequestHeader,
  viewBrokerStatsDataRequestHeader,
} from "./commands/view-broker-stats-data.ts";
export type { ViewMessageByIdRequestHeader } from "./commands/view-message-by-id.ts";
export { viewMessageByIdRequestHeader } from "./commands/view-message-by-id.ts";
export {
  addWritePermOfBrokerRequestHeader,
  addWritePermOfBrokerResponseHeader,
  wipeWritePermOfBrokerRequestHeader,
  wipeWritePermOfBrokerResponseHeader,
} from "./commands/write-perm-of-broker.ts";
export { decodeCommand } from "./frame/decode-command.ts";
export type { FrameCallback } from "./frame/frame.ts";
export { asBuffer, FRAME_BYTES_MAX, FRAME_PREFIX_BYTES, FrameDecoder } from "./frame/frame.ts";
export type { FrameBuffer } from "./frame/frame-buffer.ts";
export { FrameChunkPool } from "./frame/frame-chunk-pool.ts";
export type { FrameWriterOptions, OutgoingFrame, PreparedFrame } from "./frame/frame-writer.ts";
export { FrameBatch, FrameWriter } from "./frame/frame-writer.ts";
export type {
  FieldKind,
  HeaderBuilder,
  HeaderValue,
  OptionalField,
  RequiredField,
} from "./frame/header-schema.ts";
export {
  bool,
  defineHeader,
  HeaderSchema,
  int32,
  int64,
  name,
  optional,
  renamed,
  string,
} from "./frame/header-schema.ts";
export { PreparedWords } from "./frame/prepared-words.ts";
export type { ExtFields, ExtSink, RemotingCommand, SerializeType } from "./frame/remoting-command.ts";
export {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  isOneway,
  isResponse,
  SERIALIZE_JSON,
  SERIALIZE_ROCKETMQ,
} from "./frame/remoting-command.ts";
export type { FastjsonOptions } from "./json/fastjson.ts";
export {
  encodeFastjson,
  formatFastjson,
  formatScalar,
  parseFastjson,
  quoted,
  sortedKeys,
} from "./json/fastjson.ts";
export type { JsonFile } from "./json/json-file.ts";
export { parseJsonFile } from "./json/json-file.ts";
export type { BatchEntry, ReceivedBatchEntry } from "./message/batch-body.ts";
export { BATCH_ENTRIES_MAX, BatchReader, decodeBatchBody, encodeBatchBody } from "./message/batch-body.ts";
export { bodyCrc, bodyCrcBetween, joinedCrc32, plainCrc32, rangeCrc32 } from "./message/crc32.ts";
export { EncodedProperties, type TimerTrigger } from "./message/encoded-properties.ts";
export {
  decodeHostBytes,
  encodeHostBytes,
  formatAddress,
  formatHostBytes,
  parseAddress,
  parseV4,
  parseV6,
} from "./message/host-address.ts";
export { javaHash } from "./message/java-hash.ts";
export type { BodyCompression, CompressedBody } from "./message/message-body.ts";
export {
  BODY_BYTES_MAX,
  bodyCompression,
  compressBody,
  decompressBody,
  inflateBounded,
  loadBodyCodec,
} from "./message/message-body.ts";
export type { UniqueIdSource } from "./message/message-id.ts";
export {
  decodeOffsetMessageId,
  encodeOffsetMessageId,
  encodeOffsetMessageIds,
  UniqueIdGenerator,
} from "./message/message-id.ts";
export {
  appendProperty,
  checkProperty,
  formatProperties,
  getProperty,
  KEY_SEPARATOR,
  MessageConst,
  NAME_VALUE_SEPARATOR,
  PROPERTIES_BYTES_MAX,
  PROPERTY_SEPARATOR,
  parseProperties,
  propertiesObject,
} from "./message/message-properties.ts";
export type { MessageRecord, RecordInput, RecordPosition, RecordSource } from "./message/message-record.ts";
export {
  bodyLengthAt,
  MAGIC_BLANK,
  MAGIC_V1,
  MAGIC_V2,
  patchRecord,
  RECORD_BYTES_MIN,
  RecordField,
  recordSize,
  storeTimestampAt,
  writeBlank,
  writeRecord,
} from "./message/message-record.ts";
export { FAILURE_CHARS_MAX, failureText, OrbitProperty } from "./message/orbit-properties.ts";
export type { CheckOptions, ReadOptions, RecordCheck } from "./message/read-record.ts";
export {
  checkRecord,
  type RecordContent,
  readContent,
  readRecord,
  readRecords,
} from "./message/read-record.ts";
export { isBodyWhole, RecordView, viewRecords } from "./message/record-view.ts";
export {
  COMPRESSION_MASK,
  MessageSysFlag,
  PullSysFlag,
  TopicSysFlag,
  transactionType,
  withTransactionType,
} from "./message/sys-flag.ts";
export {
  formatMsgOffsetInfo,
  formatOrderCountInfo,
  formatStartOffsetInfo,
  type PopMessageOffsets,
  type PopOrderCount,
  type PopStartOffset,
  parseMsgOffsetInfo,
  parseOrderCountInfo,
  parseStartOffsetInfo,
} from "./pop/pop-offset-info.ts";
export {
  type PopTopicType,
  popNormalTopicOf,
  popRetryTopicV1,
  popRetryTopicV2,
  popTopicOfType,
  popTopicTypeOf,
} from "./pop/pop-retry-topic.ts";
export {
  formatReceiptHandle,
  POP_ORDER_REVIVE_QUEUE,
  PROPERTY_FIRST_POP_TIME,
  PROPERTY_POP_CK,
  parseReceiptHandle,
  type ReceiptHandle,
} from "./pop/receipt-handle.ts";
export { inProcessNetwork } from "./rpc/in-process-transport.ts";
export type {
  Exchange,
  OutgoingRequest,
  OutgoingResponse,
  Peer,
  RequestHandler,
  ResponseCallback,
} from "./rpc/peer.ts";
export { Refusal } from "./rpc/peer.ts";
export type { RpcClientStatus } from "./rpc/rpc-client.ts";
export { RpcClient } from "./rpc/rpc-client.ts";
export type { RpcOutcome, RpcResult } from "./rpc/rpc-latency.ts";
export { RPC_LATENCY_BOUNDS_MS, RpcLatency } from "./rpc/rpc-latency.ts";
export type { RpcClientOptions, RpcOptions, RpcServerOptions } from "./rpc/rpc-options.ts";
export { rpcClientDefaults, rpcServerDefaults } from "./rpc/rpc-options.ts";
export type { RpcServerStatus } from "./rpc/rpc-server.ts";
export { RpcServer } from "./rpc/rpc-server.ts";
export { LANGUAGE_UNKNOWN, LanguageCode, languageCode, languageName } from "./tables/language-code.ts";
export { MQ_VERSION_CURRENT, MQVersion, mqVersion, mqVersionName } from "./tables/mq-version.ts";
export { isInherited, isReadable, isWritable, Perm, permName } from "./tables/perm.ts";
export { RequestCode, requestCodeName } from "./tables/request-code.ts";
export { ResponseCode, responseCodeName } from "./tables/response-code.ts";
export type { WireErrorCode } from "./wire-error.ts";
export { WireError, wireErrors } from "./wire-error.ts";
