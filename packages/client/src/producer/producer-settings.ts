/** A producer's options, checked and completed. */
import { compressBody } from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import { checkGroup } from "../names/names.ts";
import { Namespace } from "../names/namespace.ts";
import { checkDuration, checkInteger } from "../options/option-checks.ts";
import type { AccumulatorLimits } from "./accumulator.ts";
import type { RoomLimits } from "./async-room.ts";
import type { EncodeLimits } from "./encode-message.ts";
import { type LatencyTables, latencyTables } from "./faults/fault-table.ts";
import { type ProducerOptions, producerDefaults } from "./producer-options.ts";

const MEBIBYTE = 1024 * 1024;
const BATCH_DELAY_MAX_MS = 30_000;

export interface ProducerSettings {
  /** As servers know it. */
  readonly group: string;
  readonly retryTimes: number;
  readonly retryTimesAsync: number;
  readonly sendTimeoutMs: number;
  readonly attemptTimeoutMs: number | undefined;
  readonly retriesStoredBadly: boolean;
  readonly defaultTopicQueueNums: number;
  readonly sendsInFlightMax: number;
  readonly limits: EncodeLimits;
  /** `undefined`: latencies do not matter. */
  readonly latency: LatencyTables | undefined;
  /** `undefined`: nobody asks brokers that failed. */
  readonly detector: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  /** `undefined`: asynchronous sends do not wait. */
  readonly room: RoomLimits | undefined;
  /** `undefined`: messages do not wait for each other. */
  readonly accumulator: AccumulatorLimits | undefined;
}

/** Throws INVALID_ARGUMENT. */
export function producerSettings(options: ProducerOptions): ProducerSettings {
  const defaults = producerDefaults;
  const group = options.group ?? defaults.group;
  checkGroup(group);
  const namespace = new Namespace(options.namespace);
  const integer = (name: IntegerName, min: number, max?: number) =>
    checkInteger(options as Readonly<Partial<Record<IntegerName, number>>>, name, defaults[name], min, max);
  const messageBytesMax = integer("messageBytesMax", 1);
  const watchesLatency = options.sendLatencyFaultEnable ?? false;
  return {
    group: namespace.wrap(group),
    retryTimes: integer("retryTimes", 0),
    retryTimesAsync: integer("retryTimesAsync", 0),
    sendTimeoutMs: checkDuration(options, "sendTimeoutMs", defaults.sendTimeoutMs),
    attemptTimeoutMs:
      options.sendTimeoutPerRequestMs === undefined
        ? undefined
        : checkDuration(options, "sendTimeoutPerRequestMs", defaults.sendTimeoutMs),
    retriesStoredBadly: options.retryAnotherBrokerWhenNotStoreOK ?? false,
    defaultTopicQueueNums: integer("defaultTopicQueueNums", 1),
    sendsInFlightMax: integer("sendsInFlightMax", 1),
    limits: {
      messageBytesMax,
      propertiesBytesMax: defaults.propertiesBytesMax,
      compressOverBytes: options.compressOverBytes ?? defaults.compressOverBytes,
      compressType: checkedCompression(options),
      compressLevel: integer("compressLevel", 1, 9),
      namespace,
    },
    latency: watchesLatency ? checkedTables(options) : undefined,
    detector:
      watchesLatency && options.startDetectorEnable === true
        ? {
            intervalMs: checkDuration(options, "detectIntervalMs", defaults.detectIntervalMs),
            timeoutMs: checkDuration(options, "detectTimeoutMs", defaults.detectTimeoutMs),
          }
        : undefined,
    room:
      options.asyncBackPressure === true
        ? { messagesMax: integer("asyncSendsMax", 10), bytesMax: integer("asyncSendBytesMax", MEBIBYTE) }
        : undefined,
    accumulator:
      options.autoBatch === true
        ? {
            delayMs: integer("batchMaxDelayMs", 1, BATCH_DELAY_MAX_MS),
            batchBytes: integer("batchMaxBytes", 1, 2 * MEBIBYTE),
            totalBytes: integer("totalBatchMaxBytes", 1),
            bodyBytesMax: messageBytesMax,
          }
        : undefined,
  };
}

type IntegerName = {
  [K in keyof typeof producerDefaults & keyof ProducerOptions]-?: (typeof producerDefaults)[K] extends number
    ? K
    : never;
}[keyof typeof producerDefaults & keyof ProducerOptions];

function checkedCompression(options: ProducerOptions): EncodeLimits["compressType"] {
  const compressType = options.compressType ?? producerDefaults.compressType;
  if (compressType !== "ZLIB" && compressType !== "LZ4" && compressType !== "ZSTD") {
    throw new OrbitError("INVALID_ARGUMENT", `compressType must be ZLIB, LZ4 or ZSTD, not ${compressType}`);
  }
  try {
    // Better now than with the first long message.
    compressBody(Uint8Array.of(0), compressType);
  } catch (cause) {
    throw new OrbitError("INVALID_ARGUMENT", `compressType: ${fromUnknown(cause).message}`, { cause });
  }
  return compressType;
}

function checkedTables(options: ProducerOptions): LatencyTables {
  const latencyMaxMs = options.latencyMaxMs ?? latencyTables.latencyMaxMs;
  const notAvailableMs = options.notAvailableDurationMs ?? latencyTables.notAvailableMs;
  const isDuration = (ms: number) => Number.isFinite(ms) && ms >= 0;
  if (latencyMaxMs.length !== notAvailableMs.length || latencyMaxMs.length === 0) {
    const message = "latencyMaxMs and notAvailableDurationMs have as many entries, one or more";
    throw new OrbitError("INVALID_ARGUMENT", message);
  }
  const ascends = latencyMaxMs.every((ms, i) => i === 0 || ms > latencyMaxMs[i - 1]!);
  if (!ascends || !latencyMaxMs.every(isDuration) || !notAvailableMs.every(isDuration)) {
    const message = "latencyMaxMs ascends, and it and notAvailableDurationMs are ms of 0 or more";
    throw new OrbitError("INVALID_ARGUMENT", message);
  }
  return { latencyMaxMs, notAvailableMs };
}
