/** A push consumer's options, checked and completed. */

import { OrbitError } from "../errors/errors.ts";
import { checkGroup } from "../names/names.ts";
import { Namespace } from "../names/namespace.ts";
import { checkDuration, checkInteger } from "../options/option-checks.ts";
import {
  type ConsumeFrom,
  consumerDefaults,
  type MessageModel,
  type PushConsumerOptions,
} from "./consumer-options.ts";
import type { ConsumeHook, FilterHook } from "./listening/consume-hooks.ts";
import { allocateAveragely } from "./rebalance/allocate-averagely.ts";
import type { AllocateStrategy } from "./rebalance/allocate-strategy.ts";

export interface ConsumerSettings {
  /** As servers know it. */
  readonly group: string;
  readonly from: ConsumeFrom;
  readonly messageModel: MessageModel;
  readonly maxReconsumeTimes: number;
  /** Pulls commit on the way; false only where the application commits. */
  readonly autoCommit: boolean;
  readonly orderlyReconsumeTimesMax: number;
  readonly suspendCurrentQueueTimeMs: number;
  readonly concurrency: number;
  readonly consumeTimeoutMs: number;
  readonly reconsumeDelayMs: number;
  readonly pullBatchSize: number;
  readonly pullThresholdForQueue: number;
  readonly pullThresholdBytesForQueue: number;
  readonly pullThresholdForTopic: number | undefined;
  readonly pullThresholdBytesForTopic: number | undefined;
  readonly consumeSpanMax: number;
  readonly offsetPersistIntervalMs: number;
  readonly rebalanceIntervalMs: number;
  readonly allocateStrategy: AllocateStrategy;
  readonly clientRebalance: boolean;
  readonly popThresholdForQueue: number;
  readonly popBatchNums: number;
  readonly popInvisibleTimeMs: number;
  readonly consumeHooks: readonly ConsumeHook[];
  readonly filterHooks: readonly FilterHook[];
  readonly namespace: Namespace;
  readonly onConsumeFailure: PushConsumerOptions["onConsumeFailure"];
  readonly onSentBack: PushConsumerOptions["onSentBack"];
}

const INT32_MAX = 0x7fffffff;

/** Throws INVALID_ARGUMENT. */
export function consumerSettings(options: PushConsumerOptions): ConsumerSettings {
  checkGroup(options.group);
  const namespace = new Namespace(options.namespace);
  const from = options.from ?? consumerDefaults.from;
  checkFrom(from);
  const messageModel = options.messageModel ?? consumerDefaults.messageModel;
  if (messageModel !== "CLUSTERING" && messageModel !== "BROADCASTING") {
    throw new OrbitError("INVALID_ARGUMENT", "messageModel must be CLUSTERING or BROADCASTING");
  }
  type Name = Exclude<keyof typeof consumerDefaults, "from" | "messageModel">;
  const duration = (name: Name & keyof PushConsumerOptions) =>
    checkDuration(options as Record<typeof name, number | undefined>, name, consumerDefaults[name]);
  const count = (name: Name & keyof PushConsumerOptions, max?: number) =>
    checkInteger(options as Record<typeof name, number | undefined>, name, consumerDefaults[name], 1, max);
  return {
    group: namespace.wrap(options.group),
    namespace,
    from,
    messageModel,
    autoCommit: true,
    maxReconsumeTimes: checkInteger(options, "maxReconsumeTimes", consumerDefaults.maxReconsumeTimes, 0),
    orderlyReconsumeTimesMax: options.maxReconsumeTimes ?? INT32_MAX,
    suspendCurrentQueueTimeMs: duration("suspendCurrentQueueTimeMs"),
    concurrency: count("concurrency"),
    consumeTimeoutMs: duration("consumeTimeoutMs"),
    reconsumeDelayMs: duration("reconsumeDelayMs"),
    pullBatchSize: count("pullBatchSize", 1024),
    pullThresholdForQueue: count("pullThresholdForQueue"),
    pullThresholdBytesForQueue: count("pullThresholdBytesForQueue"),
    pullThresholdForTopic: optionalCount(options, "pullThresholdForTopic"),
    pullThresholdBytesForTopic: optionalCount(options, "pullThresholdBytesForTopic"),
    consumeSpanMax: count("consumeSpanMax"),
    offsetPersistIntervalMs: duration("offsetPersistIntervalMs"),
    rebalanceIntervalMs: duration("rebalanceIntervalMs"),
    allocateStrategy: options.allocateStrategy ?? allocateAveragely,
    clientRebalance: options.clientRebalance ?? true,
    popThresholdForQueue: count("popThresholdForQueue"),
    popBatchNums: count("popBatchNums", 32),
    popInvisibleTimeMs: checkInteger(
      options,
      "popInvisibleTimeMs",
      consumerDefaults.popInvisibleTimeMs,
      5_000,
      300_000,
    ),
    consumeHooks: options.consumeHooks ?? [],
    filterHooks: options.filterHooks ?? [],
    onConsumeFailure: options.onConsumeFailure,
    onSentBack: options.onSentBack,
  };
}

function optionalCount<K extends "pullThresholdForTopic" | "pullThresholdBytesForTopic">(
  options: Pick<PushConsumerOptions, K>,
  name: K,
): number | undefined {
  return options[name] === undefined ? undefined : checkInteger(options, name, 1, 1);
}

/** By what it can do and not its class: test runners give programs a `Date` of their own. */
export function isDate(from: ConsumeFrom): from is Date {
  return typeof from === "object" && typeof from.getTime === "function";
}

/** Throws INVALID_ARGUMENT. */
export function checkFrom(from: ConsumeFrom): void {
  if (from === "first" || from === "last") return;
  if (isDate(from) && Number.isFinite(from.getTime())) return;
  throw new OrbitError("INVALID_ARGUMENT", `from must be "first", "last" or a valid Date`);
}
