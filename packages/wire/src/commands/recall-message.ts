/**
 * RECALL_MESSAGE (370): takes back a message that waits for its time (RocketMQ: RecallMessageRequestHeader).
 *
 *   request   topic recallHandle producerGroup?
 *   response  msgId, the unique id of the message; MSG_REGION?, by which clients know that it may be traced
 *
 * A recall handle is base64url, padded, of `v1 topic brokerName timestamp uniqueId`; timestamp is the wall ms of
 * delivery.
 */
import { defineHeader, type HeaderValue, name, optional, string } from "../frame/header-schema.ts";
import { WireError } from "../wire-error.ts";

export const recallMessageRequestHeader = defineHeader("RecallMessageRequestHeader", {
  producerGroup: optional(string()),
  topic: name(),
  recallHandle: string(),
});

export type RecallMessageRequestHeader = HeaderValue<typeof recallMessageRequestHeader>;

export const recallMessageResponseHeader = defineHeader("RecallMessageResponseHeader", {
  msgId: string(),
  MSG_REGION: optional(name()),
});

export interface RecallHandle {
  readonly topic: string;
  readonly brokerName: string;
  /** Wall ms of delivery. */
  readonly timestampMs: number;
  readonly uniqKey: string;
}

const VERSION = "v1";
const HANDLE_LENGTH_MAX = 1_024;

export function encodeRecallHandle({ topic, brokerName, timestampMs, uniqKey }: RecallHandle): string {
  const text = `${VERSION} ${topic} ${brokerName} ${timestampMs} ${uniqKey}`;
  const encoded = Buffer.from(text).toString("base64url");
  return encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=");
}

/** Throws WireError HEADER_FIELD_INVALID. */
export function decodeRecallHandle(handle: string): RecallHandle {
  const isText = handle.length <= HANDLE_LENGTH_MAX && /^[A-Za-z0-9_-]+={0,2}$/.test(handle);
  const parts = isText ? Buffer.from(handle, "base64url").toString("utf8").split(" ") : [];
  const [version, topic, brokerName, timestamp, uniqKey] = parts;
  const isWhole = parts.length === 5 && version === VERSION && parts.every((part) => part !== "");
  if (!isWhole || !/^[\x21-\x7e]{1,255}$/.test(uniqKey!) || !/^\d{1,15}$/.test(timestamp!)) {
    throw new WireError("HEADER_FIELD_INVALID", "the recall handle is none");
  }
  return { topic: topic!, brokerName: brokerName!, timestampMs: Number(timestamp), uniqKey: uniqKey! };
}
