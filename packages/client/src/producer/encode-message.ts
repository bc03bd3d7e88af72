/**
 * From a message object to what a send request carries: body bytes, flags and the property string. Everything
 * that makes a message unsendable is found here, before anything leaves the process.
 */
import {
  type BodyCompression,
  checkProperty,
  compressBody,
  encodeBatchBody,
  KEY_SEPARATOR,
  MessageConst,
  MessageSysFlag,
  NAME_VALUE_SEPARATOR,
  PROPERTY_SEPARATOR,
  type UniqueIdGenerator,
} from "@orbitmq/wire";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { AnyMessage, MessageAttributes } from "../message/message.ts";
import type { Namespace } from "../names/namespace.ts";
import { REPLY_TYPE } from "./reply-message.ts";

export interface EncodeLimits {
  readonly messageBytesMax: number;
  readonly propertiesBytesMax: number;
  readonly compressOverBytes: number;
  readonly compressType: BodyCompression;
  readonly compressLevel: number;
  readonly namespace: Namespace;
}

export interface EncodedMessage {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly properties: string;
  readonly sysFlag: number;
  readonly flag: number;
  /** The unique id; of a batch all ids joined by commas. */
  readonly msgId: string;
  readonly isBatch: boolean;
  /** Of a batch. */
  readonly entries?: readonly BatchEntry[];
  /** It answers a request: the broker pushes it to the client that waits. */
  readonly isReply?: boolean;
  /** Of a message to a retry topic only: how often it failed, and how often it may. */
  readonly reconsumeTimes?: number;
  readonly maxReconsumeTimes?: number;
}

/** What asks a broker for a feature this client does not offer yet; stored as an ordinary message it would be wrong. */
const NOT_BUILT: ReadonlyMap<string, string> = new Map([["__STARTDELIVERTIME", "timed delivery"]]);

/** Names with a meaning that an application may set itself. */
const SETTABLE: ReadonlySet<string> = new Set([
  MessageConst.WAIT_STORE_MSG_OK,
  MessageConst.BUYER_ID,
  MessageConst.INSTANCE_ID,
  MessageConst.SHARDING_KEY,
  MessageConst.TRACE_SWITCH,
  MessageConst.TRACE_CONTEXT,
  MessageConst.CORRELATION_ID,
  MessageConst.MESSAGE_REPLY_TO_CLIENT,
  MessageConst.MESSAGE_TTL,
  MessageConst.MESSAGE_TYPE,
]);

/** Reserved names whose value a message has as a field. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  [MessageConst.TAGS, "tag"],
  [MessageConst.KEYS, "keys"],
  [MessageConst.DELAY_TIME_LEVEL, "delayLevel"],
  [MessageConst.TIMER_DELAY_SEC, "delayMs"],
  [MessageConst.TIMER_DELAY_MS, "delayMs"],
  [MessageConst.TIMER_DELIVER_MS, "deliverAtMs"],
  [MessageConst.TIMER_DEL_UNIQKEY, "recall"],
]);

const RESERVED: ReadonlySet<string> = new Set(
  Object.values(MessageConst).filter((name) => !SETTABLE.has(name)),
);

/** Any int32; a broker takes what is beyond its last level for the last one. */
const DELAY_LEVEL_MAX = 0x7fffffff;

const encoder = new TextEncoder();

/** Throws MESSAGE_INVALID, MESSAGE_TOO_LARGE, NOT_SUPPORTED_YET or ENCODE_FAILED. */
export function encodeMessage(
  message: AnyMessage<unknown>,
  limits: EncodeLimits,
  ids: UniqueIdGenerator,
): EncodedMessage {
  const msgId = ids.next();
  const properties = encodeProperties(message, msgId, limits);
  let body = encodeBody(message);
  checkBody(body, limits.messageBytesMax);
  let sysFlag = 0;
  if (body.length >= limits.compressOverBytes) {
    const compressed = compressBody(body, limits.compressType, limits.compressLevel);
    if (compressed.body.length < body.length) {
      body = compressed.body;
      sysFlag = compressed.sysFlagBits;
    }
  }
  const isReply = message.properties?.[MessageConst.MESSAGE_TYPE] === REPLY_TYPE;
  const flag = flagOf(message);
  // A reply goes to the cluster's reply topic, which is in no namespace.
  const topic = isReply ? nameOf(message) : limits.namespace.wrap(nameOf(message));
  return { topic, body, properties, sysFlag, flag, msgId, isBatch: false, isReply };
}

/** The half of a transaction of `group`. Throws MESSAGE_INVALID for one with a delay. */
export function halfOf(
  encoded: EncodedMessage,
  { delayLevel = 0 }: MessageAttributes,
  group: string,
): EncodedMessage {
  if (delayLevel !== 0 || encoded.isReply === true) {
    throw new OrbitError("MESSAGE_INVALID", "a message of a transaction has no delayLevel and is no reply");
  }
  const properties =
    encoded.properties +
    property(MessageConst.TRANSACTION_PREPARED, "true") +
    property(MessageConst.PRODUCER_GROUP, group);
  return { ...encoded, properties, sysFlag: encoded.sysFlag | MessageSysFlag.TRANSACTION_PREPARED_TYPE };
}

/** One message of a batch. */
export interface BatchEntry {
  readonly topic: string;
  readonly waits: boolean;
  readonly msgId: string;
  readonly flag: number;
  readonly body: Uint8Array;
  readonly properties: string;
}

/** As {@link encodeMessage}, for a message that goes with others; never compressed, and without delay. */
export function encodeEntry(
  message: AnyMessage<unknown>,
  limits: EncodeLimits,
  ids: UniqueIdGenerator,
): BatchEntry {
  if (isDelayed(message)) {
    throw new OrbitError("MESSAGE_INVALID", "a message of a batch has no delayLevel, delayMs or deliverAtMs");
  }
  const msgId = ids.next();
  const properties = encodeProperties(message, msgId, limits);
  const body = encodeBody(message);
  checkBody(body, limits.messageBytesMax);
  const topic = limits.namespace.wrap(nameOf(message));
  return { topic, waits: waitsForStore(message), msgId, flag: flagOf(message), body, properties };
}

/** Throws MESSAGE_TOO_LARGE; also MESSAGE_INVALID for an empty batch or one of several topics or WAIT flags. */
export function encodeEntries(entries: readonly BatchEntry[], limits: EncodeLimits): EncodedMessage {
  const first = entries[0];
  if (first === undefined) throw new OrbitError("MESSAGE_INVALID", "the batch is empty");
  const { topic, waits } = first;
  for (const entry of entries) {
    if (entry.topic !== topic) {
      throw new OrbitError("MESSAGE_INVALID", `a batch has one topic, not ${topic} and ${entry.topic}`);
    }
    if (entry.waits !== waits) {
      throw new OrbitError("MESSAGE_INVALID", "the messages of a batch have the same WAIT property");
    }
  }
  const body = encodeBatchBody(entries);
  if (body.length > limits.messageBytesMax) {
    throw new OrbitError(
      "MESSAGE_TOO_LARGE",
      `the batch of ${entries.length} messages has ${body.length} bytes, more than ${limits.messageBytesMax}`,
    );
  }
  const msgId = entries.map((entry) => entry.msgId).join(",");
  const properties = waits ? WAIT_TRUE : property(MessageConst.WAIT_STORE_MSG_OK, "false");
  return { topic, body, properties, sysFlag: 0, flag: 0, msgId, isBatch: true, entries };
}

/** Several messages as one. Throws as {@link encodeEntry} and {@link encodeEntries}. */
export function encodeBatch(
  messages: readonly AnyMessage<unknown>[],
  limits: EncodeLimits,
  ids: UniqueIdGenerator,
): EncodedMessage {
  return encodeEntries(
    messages.map((message) => encodeEntry(message, limits, ids)),
    limits,
  );
}

function nameOf(message: AnyMessage<unknown>): string {
  return typeof message.topic === "string" ? message.topic : message.topic.name;
}

function flagOf(message: MessageAttributes): number {
  const flag = message.flag ?? 0;
  if ((flag | 0) !== flag) throw new OrbitError("MESSAGE_INVALID", `flag ${String(flag)} is not an int32`);
  return flag;
}

function waitsForStore(message: MessageAttributes): boolean {
  return message.properties?.[MessageConst.WAIT_STORE_MSG_OK] !== "false";
}

function encodeBody(message: AnyMessage<unknown>): Uint8Array {
  if ("body" in message) {
    const { body } = message;
    if (typeof body === "string") return encoder.encode(body);
    if (isBytes(body)) return body;
    throw new OrbitError("MESSAGE_INVALID", "body is neither a string nor a Uint8Array");
  }
  if (typeof message.topic === "string") {
    throw new OrbitError("MESSAGE_INVALID", "a message to a topic without a codec has a body, not a value");
  }
  try {
    return message.topic.codec.encode(message.value);
  } catch (cause) {
    const { message: reason } = fromUnknown(cause);
    throw new OrbitError("ENCODE_FAILED", `the codec of ${message.topic.name}: ${reason}`, { cause });
  }
}

/** By its tag and not its class: test runners give programs a `Uint8Array` of their own. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

function checkBody(body: Uint8Array, bytesMax: number): void {
  if (body.length === 0) throw new OrbitError("MESSAGE_INVALID", "the body is empty");
  if (body.length > bytesMax) {
    throw new OrbitError("MESSAGE_TOO_LARGE", `the body has ${body.length} bytes, more than ${bytesMax}`);
  }
}

function property(name: string, value: string): string {
  return name + NAME_VALUE_SEPARATOR + value + PROPERTY_SEPARATOR;
}

const WAIT_TRUE = property(MessageConst.WAIT_STORE_MSG_OK, "true");

function encodeProperties(message: MessageAttributes, msgId: string, limits: EncodeLimits): string {
  const { propertiesBytesMax: bytesMax, namespace } = limits;
  let text = property(MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX, msgId);
  const { tag, keys, properties } = message;
  if (tag !== undefined) text += checkedProperty(MessageConst.TAGS, tag);
  if (keys !== undefined && !(Array.isArray(keys) && keys.length === 0)) {
    text += checkedProperty(MessageConst.KEYS, typeof keys === "string" ? keys : keys.join(KEY_SEPARATOR));
  }
  const { delayLevel } = message;
  if (delayLevel !== undefined && delayLevel !== 0) {
    if (!Number.isInteger(delayLevel) || delayLevel < 0 || delayLevel > DELAY_LEVEL_MAX) {
      const shown = String(delayLevel);
      throw new OrbitError(
        "MESSAGE_INVALID",
        `delayLevel ${shown} is no integer from 0 to ${DELAY_LEVEL_MAX}`,
      );
    }
    text += property(MessageConst.DELAY_TIME_LEVEL, String(delayLevel));
  }
  text += timerProperty(message);
  let waits = WAIT_TRUE;
  if (properties !== undefined) {
    for (const name of Object.keys(properties)) {
      checkName(name);
      if (name === MessageConst.WAIT_STORE_MSG_OK) waits = "";
      text += checkedProperty(name, properties[name]);
    }
  }
  text += waits;
  if (!namespace.isNone && properties?.[MessageConst.INSTANCE_ID] === undefined) {
    text += property(MessageConst.INSTANCE_ID, namespace.name);
  }
  // A UTF-16 unit is at most three bytes of UTF-8: short texts need no counting.
  if (text.length * 3 > bytesMax) {
    const length = encoder.encode(text).length;
    if (length > bytesMax) {
      throw new OrbitError("MESSAGE_TOO_LARGE", `the properties have ${length} bytes, more than ${bytesMax}`);
    }
  }
  return text;
}

/** Whether the message is to be delivered later. */
export function isDelayed({ delayLevel, delayMs, deliverAtMs }: MessageAttributes): boolean {
  return (delayLevel ?? 0) !== 0 || (delayMs ?? 0) !== 0 || deliverAtMs !== undefined;
}

function timerProperty({ delayLevel, delayMs, deliverAtMs }: MessageAttributes): string {
  const asked = [delayLevel ?? 0, delayMs ?? 0, deliverAtMs ?? 0].filter((value) => value !== 0);
  if (asked.length > 1) {
    throw new OrbitError("MESSAGE_INVALID", "a message has one of delayLevel, delayMs and deliverAtMs");
  }
  if (delayMs !== undefined && delayMs !== 0) {
    return property(MessageConst.TIMER_DELAY_MS, wholeMs("delayMs", delayMs));
  }
  if (deliverAtMs === undefined) return "";
  return property(MessageConst.TIMER_DELIVER_MS, wholeMs("deliverAtMs", deliverAtMs));
}

function wholeMs(name: string, value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new OrbitError("MESSAGE_INVALID", `${name} ${String(value)} is no whole number of milliseconds`);
  }
  return String(value);
}

function checkName(name: string): void {
  const feature = NOT_BUILT.get(name);
  if (feature !== undefined) {
    throw new OrbitError("NOT_SUPPORTED_YET", `the property ${name} asks for ${feature}`);
  }
  if (!RESERVED.has(name)) return;
  const field = FIELDS.get(name);
  const instead = field === undefined ? "" : `; use ${field}`;
  throw new OrbitError("MESSAGE_INVALID", `the property name ${name} is reserved${instead}`);
}

function checkedProperty(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw new OrbitError("MESSAGE_INVALID", `the property ${name} is not a string, or empty`);
  }
  try {
    checkProperty(name, value);
  } catch (cause) {
    throw new OrbitError("MESSAGE_INVALID", fromUnknown(cause).message, { cause });
  }
  return property(name, value);
}
