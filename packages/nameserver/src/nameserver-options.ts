/**
 * Every option of the NameServer with RocketMQ's name and default (RocketMQ: NamesrvConfig). Whole milliseconds.
 */
import type { RpcServerOptions } from "@orbitmq/wire";
import type { ConfigurationPort } from "./configuration-port.ts";
import type { KeptFile } from "./kv-config.ts";

export interface NameServerOptions {
  /** How often brokers that fell silent are looked for. Default 5000 (RocketMQ 4.9: 10,000). */
  readonly scanNotActiveBrokerInterval?: number;
  /** A broker not heard of for this long is removed, unless it names its own limit. Default 120,000. */
  readonly brokerChannelExpiredTime?: number;
  /** Brokers known at most; a further one is refused with 1 SYSTEM_ERROR. Default 10,000. */
  readonly brokersMax?: number;
  /** Topics known at most, over all brokers; topics beyond are left out and logged. Default 100,000. */
  readonly topicsMax?: number;
  /** Whether routes name the order of ordered topics (KV configuration, ORDER_TOPIC_CONFIG). Default false. */
  readonly orderMessageEnable?: boolean;
  /** Whether brokers that register are told the ordered topics. Default true. */
  readonly returnOrderTopicConfigToBroker?: boolean;
  /** false: the list of all topics (206) is refused. Default true. */
  readonly enableAllTopicList?: boolean;
  /** false: the lists of topics by cluster and unit (224, 311-313) are refused. Default true. */
  readonly enableTopicList?: boolean;
  /** Characters of the KV configuration at most; more are refused with 1 SYSTEM_ERROR. Default 4,194,304. */
  readonly kvConfigCharactersMax?: number;
  /** kvConfig.json; absent: the KV configuration is forgotten at stop. */
  readonly kvConfigFile?: KeptFile | undefined;
  /** What administrators see and change (318, 319); absent: both are refused. */
  readonly configuration?: ConfigurationPort | undefined;
  /** Limits of the RPC layer. */
  readonly rpc?: RpcServerOptions;
}

export type ResolvedNameServerOptions = Required<
  Omit<NameServerOptions, "rpc" | "kvConfigFile" | "configuration">
> &
  Pick<NameServerOptions, "configuration">;

/** What can change while a NameServer runs. */
export type RuntimeNameServerOptions = Partial<
  Pick<
    ResolvedNameServerOptions,
    "orderMessageEnable" | "returnOrderTopicConfigToBroker" | "enableAllTopicList" | "enableTopicList"
  >
>;

export const nameServerDefaults: ResolvedNameServerOptions = {
  scanNotActiveBrokerInterval: 5_000,
  brokerChannelExpiredTime: 120_000,
  brokersMax: 10_000,
  topicsMax: 100_000,
  orderMessageEnable: false,
  returnOrderTopicConfigToBroker: true,
  enableAllTopicList: true,
  enableTopicList: true,
  kvConfigCharactersMax: 4_194_304,
};
