/**
 * Every option of the NameServer with RocketMQ's name and default (RocketMQ: NamesrvConfig). Whole milliseconds.
 */
import type { RpcServerOptions } from "@orbitmq/wire";

export interface NameServerOptions {
  /** How often brokers that fell silent are looked for. Default 5000 (RocketMQ 4.9: 10,000). */
  readonly scanNotActiveBrokerInterval?: number;
  /** A broker not heard of for this long is removed, unless it names its own limit. Default 120,000. */
  readonly brokerChannelExpiredTime?: number;
  /** Brokers known at most; a further one is refused with 1 SYSTEM_ERROR. Default 10,000. */
  readonly brokersMax?: number;
  /** Topics known at most, over all brokers; topics beyond are left out and logged. Default 100,000. */
  readonly topicsMax?: number;
  /** Limits of the RPC layer. */
  readonly rpc?: RpcServerOptions;
}

export type ResolvedNameServerOptions = Required<Omit<NameServerOptions, "rpc">>;

export const nameServerDefaults: ResolvedNameServerOptions = {
  scanNotActiveBrokerInterval: 5_000,
  brokerChannelExpiredTime: 120_000,
  brokersMax: 10_000,
  topicsMax: 100_000,
};
