/**
 * Requests of RocketMQ's tools that ask for what is not here: refused (3) with what that is, instead of "not
 * supported" alone, so that whoever runs a tool knows where to look.
 */
import { RequestCode, type RequestHandler, ResponseCode } from "@orbitmq/wire";

const REASONS: readonly (readonly [reason: string, codes: readonly number[]])[] = [
  [
    "there is no controller here: each broker is a master of its own, and nothing is elected",
    [
      RequestCode.CONTROLLER_ELECT_MASTER,
      RequestCode.CONTROLLER_GET_METADATA_INFO,
      RequestCode.CONTROLLER_GET_SYNC_STATE_DATA,
      RequestCode.UPDATE_CONTROLLER_CONFIG,
      RequestCode.GET_CONTROLLER_CONFIG,
      RequestCode.CLEAN_BROKER_DATA,
      RequestCode.GET_BROKER_EPOCH_CACHE,
    ],
  ],
  [
    "there are no slaves here, hence no replication to steer",
    [
      RequestCode.RESET_MASTER_FLUSH_OFFSET,
      RequestCode.EXCHANGE_BROKER_HA_INFO,
      RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE,
      RequestCode.NOTIFY_BROKER_ROLE_CHANGED,
    ],
  ],
  [
    "this is no broker container: each process runs one broker; start another process for another broker",
    [RequestCode.ADD_BROKER, RequestCode.REMOVE_BROKER],
  ],
  [
    "nothing is kept in RocksDB: ConsumeQueues and settings are RocketMQ's files",
    [RequestCode.CHECK_ROCKSDB_CQ_WRITE_PROGRESS, RequestCode.EXPORT_ROCKSDB_CONFIG_TO_JSON],
  ],
  [
    "old messages are read in bounded lanes of their own, so that there is no cold-data flow control to set",
    [
      RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG,
      RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG,
      RequestCode.GET_COLD_DATA_FLOW_CTR_INFO,
      RequestCode.SET_COMMITLOG_READ_MODE,
    ],
  ],
  [
    "there are no users and access rules yet: everybody who reaches the port may do everything",
    [
      RequestCode.AUTH_CREATE_USER,
      RequestCode.AUTH_UPDATE_USER,
      RequestCode.AUTH_DELETE_USER,
      RequestCode.AUTH_GET_USER,
      RequestCode.AUTH_LIST_USER,
      RequestCode.AUTH_CREATE_ACL,
      RequestCode.AUTH_UPDATE_ACL,
      RequestCode.AUTH_DELETE_ACL,
      RequestCode.AUTH_GET_ACL,
      RequestCode.AUTH_LIST_ACL,
      RequestCode.UPDATE_AND_CREATE_ACL_CONFIG,
      RequestCode.DELETE_ACL_CONFIG,
      RequestCode.GET_BROKER_CLUSTER_ACL_INFO,
      RequestCode.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG,
      RequestCode.GET_BROKER_CLUSTER_ACL_CONFIG,
    ],
  ],
  [
    "there are no static topics: a topic's queues are those of its brokers",
    [RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC],
  ],
  [
    "there are no lite topics",
    [
      RequestCode.POP_LITE_MESSAGE,
      RequestCode.LITE_SUBSCRIPTION_CTL,
      RequestCode.ACK_LITE_MESSAGE,
      RequestCode.GET_BROKER_LITE_INFO,
      RequestCode.GET_PARENT_TOPIC_INFO,
      RequestCode.GET_LITE_TOPIC_INFO,
      RequestCode.GET_LITE_CLIENT_INFO,
      RequestCode.GET_LITE_GROUP_INFO,
      RequestCode.TRIGGER_LITE_DISPATCH,
    ],
  ],
  [
    "pops are kept in the revive topic only; there is no other place to roll back from",
    [RequestCode.POP_ROLLBACK],
  ],
  [
    "messages that wait for a time are not counted by topic; brokerStatus tells how many there are",
    [RequestCode.GET_TIMER_METRICS],
  ],
  [
    "timers are kept in files (timerwheel, timerlog) only; there is no other engine to switch to",
    [RequestCode.SWITCH_TIMER_ENGINE],
  ],
];

export function notSupported(): readonly (readonly [number, RequestHandler])[] {
  return REASONS.flatMap(([reason, codes]) => {
    const refuse: RequestHandler = (_request, exchange) =>
      exchange.reply({
        code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
        remark: `not supported: ${reason}`,
      });
    return codes.map((code) => [code, refuse] as const);
  });
}
