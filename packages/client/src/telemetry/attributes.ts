/** Names and values of the semantic conventions of messaging, for RocketMQ. */
import { MessageConst } from "@orbitmq/wire";
import type { AnyMessage, MessageQueue } from "../message/message.ts";
import type { MessageMetadata } from "../message/received-message.ts";
import { isDelayed } from "../producer/encode-message.ts";
import type { TelemetryAttributes } from "./telemetry-api.ts";

/** Boundaries the conventions ask for, in seconds. */
export const DURATION_ADVICE = {
  explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
};

export type Operation = "send" | "process" | "receive" | "poll";

const TYPES = { send: "send", process: "process", receive: "receive", poll: "receive" } as const;

/** What spans and metrics of an operation both say. */
export function operationAttributes(operation: Operation, topic: string): TelemetryAttributes {
  return {
    "messaging.system": "rocketmq",
    "messaging.operation.name": operation,
    "messaging.operation.type": TYPES[operation],
    "messaging.destination.name": topic,
  };
}

export function sentAttributes(message: AnyMessage<unknown>, isHalf: boolean): TelemetryAttributes {
  const { tag, keys, delayLevel, deliverAtMs, properties } = message;
  const shardingKey = properties?.[MessageConst.SHARDING_KEY];
  const attributes: TelemetryAttributes = {
    "messaging.rocketmq.message.type": isHalf
      ? "transaction"
      : isDelayed(message)
        ? "delay"
        : shardingKey !== undefined
          ? "fifo"
          : "normal",
  };
  if (tag !== undefined) attributes["messaging.rocketmq.message.tag"] = tag;
  if (keys !== undefined) attributes["messaging.rocketmq.message.keys"] = keyList(keys);
  if (shardingKey !== undefined) attributes["messaging.rocketmq.message.group"] = shardingKey;
  if (delayLevel !== undefined) attributes["messaging.rocketmq.message.delay_time_level"] = delayLevel;
  if (deliverAtMs !== undefined) attributes["messaging.rocketmq.message.delivery_timestamp"] = deliverAtMs;
  const bytes = bodyBytes(message);
  if (bytes !== undefined) attributes["messaging.message.body.size"] = bytes;
  return attributes;
}

export function receivedAttributes(message: MessageMetadata, bytes: number): TelemetryAttributes {
  const attributes: TelemetryAttributes = {
    "messaging.message.id": message.msgId,
    "messaging.message.body.size": bytes,
    "orbitmq.message.reconsume_times": message.reconsumeTimes,
  };
  if (message.tag !== undefined) attributes["messaging.rocketmq.message.tag"] = message.tag;
  if (message.keys.length > 0) attributes["messaging.rocketmq.message.keys"] = [...message.keys];
  return attributes;
}

export function queueAttributes({ brokerName, queueId }: MessageQueue): TelemetryAttributes {
  return { "messaging.destination.partition.id": String(queueId), "orbitmq.broker.name": brokerName };
}

export function topicOf({ topic }: AnyMessage<unknown>): string {
  return typeof topic === "string" ? topic : topic.name;
}

function keyList(keys: string | readonly string[]): string[] {
  return typeof keys === "string" ? keys.split(" ").filter((key) => key !== "") : [...keys];
}

/** Not known before a codec has encoded it. */
function bodyBytes(message: AnyMessage<unknown>): number | undefined {
  if (!("body" in message)) return undefined;
  return typeof message.body === "string" ? Buffer.byteLength(message.body) : message.body.length;
}
