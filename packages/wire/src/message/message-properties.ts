/**
 * The properties of a message (RocketMQ: MessageConst, MessageDecoder.string2messageProperties): one string,
 *
 *   properties = { name U+0001 value U+0002 }
 *
 * the last separator optional when read, entries without U+0001 or with an empty name skipped. (RocketMQ drops
 * empty values, too, when it reads; here they are kept.)
 */
import { WireError } from "../wire-error.ts";

export const NAME_VALUE_SEPARATOR = "\u0001";
export const PROPERTY_SEPARATOR = "\u0002";
/** Between the keys in KEYS. */
export const KEY_SEPARATOR = " ";
/** A record's properties, in bytes. */
export const PROPERTIES_BYTES_MAX = 32_767;

/** Names RocketMQ gives a meaning. */
export const MessageConst = {
  KEYS: "KEYS",
  TAGS: "TAGS",
  WAIT_STORE_MSG_OK: "WAIT",
  BUYER_ID: "BUYER_ID",
  INSTANCE_ID: "INSTANCE_ID",
  MSG_REGION: "MSG_REGION",
  TRACE_SWITCH: "TRACE_ON",
  UNIQ_CLIENT_MESSAGE_ID_KEYIDX: "UNIQ_KEY",
  EXTEND_UNIQ_INFO: "EXTEND_UNIQ_INFO",
  CLUSTER: "CLUSTER",
  TRACE_CONTEXT: "TRACE_CONTEXT",
  BORN_HOST: "__BORNHOST",
  BORN_TIMESTAMP: "BORN_TIMESTAMP",
  SHARDING_KEY: "__SHARDINGKEY",
  DUP_INFO: "DUP_INFO",
  DELAY_TIME_LEVEL: "DELAY",
  TIMER_DELAY_SEC: "TIMER_DELAY_SEC",
  TIMER_DELAY_MS: "TIMER_DELAY_MS",
  TIMER_DELIVER_MS: "TIMER_DELIVER_MS",
  TIMER_ENQUEUE_MS: "TIMER_ENQUEUE_MS",
  TIMER_DEQUEUE_MS: "TIMER_DEQUEUE_MS",
  TIMER_ROLL_TIMES: "TIMER_ROLL_TIMES",
  TIMER_OUT_MS: "TIMER_OUT_MS",
  TIMER_DEL_UNIQKEY: "TIMER_DEL_UNIQKEY",
  TIMER_DELAY_LEVEL: "TIMER_DELAY_LEVEL",
  REAL_TOPIC: "REAL_TOPIC",
  REAL_QUEUE_ID: "REAL_QID",
  RETRY_TOPIC: "RETRY_TOPIC",
  ORIGIN_MESSAGE_ID: "ORIGIN_MESSAGE_ID",
  DLQ_ORIGIN_TOPIC: "DLQ_ORIGIN_TOPIC",
  DLQ_ORIGIN_MESSAGE_ID: "DLQ_ORIGIN_MESSAGE_ID",
  TRANSFER_FLAG: "TRANSFER_FLAG",
  CORRECTION_FLAG: "CORRECTION_FLAG",
  MQ2_FLAG: "MQ2_FLAG",
  FORWARD_QUEUE_ID: "PROPERTY_FORWARD_QUEUE_ID",
  REDIRECT: "REDIRECT",
  RECONSUME_TIME: "RECONSUME_TIME",
  MAX_RECONSUME_TIMES: "MAX_RECONSUME_TIMES",
  MIN_OFFSET: "MIN_OFFSET",
  MAX_OFFSET: "MAX_OFFSET",
  CONSUME_START_TIMESTAMP: "CONSUME_START_TIME",
  POP_CK: "POP_CK",
  POP_CK_OFFSET: "POP_CK_OFFSET",
  FIRST_POP_TIME: "1ST_POP_TIME",
  TRANSACTION_PREPARED: "TRAN_MSG",
  PRODUCER_GROUP: "PGROUP",
  TRANSACTION_PREPARED_QUEUE_OFFSET: "TRAN_PREPARED_QUEUE_OFFSET",
  TRANSACTION_ID: "__transactionId__",
  TRANSACTION_CHECK_TIMES: "TRANSACTION_CHECK_TIMES",
  CHECK_IMMUNITY_TIME_IN_SECONDS: "CHECK_IMMUNITY_TIME_IN_SECONDS",
  CORRELATION_ID: "CORRELATION_ID",
  MESSAGE_REPLY_TO_CLIENT: "REPLY_TO_CLIENT",
  MESSAGE_TTL: "TTL",
  REPLY_MESSAGE_ARRIVE_TIME: "ARRIVE_TIME",
  PUSH_REPLY_TIME: "PUSH_REPLY_TIME",
  MESSAGE_TYPE: "MSG_TYPE",
  INNER_NUM: "INNER_NUM",
  INNER_BASE: "INNER_BASE",
  INNER_MULTI_DISPATCH: "INNER_MULTI_DISPATCH",
  INNER_MULTI_QUEUE_OFFSET: "INNER_MULTI_QUEUE_OFFSET",
  CRC32: "__CRC32#",
} as const;

/** All entries, later ones winning over earlier ones of the same name. Never throws. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  eachProperty(text, (name, value) => properties.set(name, value));
  return properties;
}

/** As {@link parseProperties}, as an object; `skipped` is left out. */
export function propertiesObject(text: string, skipped?: string): Record<string, string> {
  const properties: Record<string, string> = {};
  eachProperty(text, (name, value) => {
    if (name === skipped) return;
    if (name !== PROTOTYPE) properties[name] = value;
    else
      Object.defineProperty(properties, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  });
  return properties;
}

/** To assign it would set the object's prototype. */
const PROTOTYPE = "__proto__";

function eachProperty(text: string, visit: (name: string, value: string) => void): void {
  let middle = -1;
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf(PROPERTY_SEPARATOR, at);
    if (end < 0) end = text.length;
    // Looked for again only when the last one is behind us: a text without any is read once, not again and again.
    if (middle < at) middle = text.indexOf(NAME_VALUE_SEPARATOR, at);
    if (middle < 0) break;
    if (middle > at && middle < end) visit(text.slice(at, middle), text.slice(middle + 1, end));
    at = end + 1;
  }
}

/** One property without building the map; `undefined` when it is not there. The last of a name wins. */
export function getProperty(text: string, name: string): string | undefined {
  const label = name + NAME_VALUE_SEPARATOR;
  const { length } = label;
  let valueAt = -1;
  // The engine searches forwards in half the time, and most often there is none, or one.
  for (let at = text.indexOf(label); at >= 0; at = text.indexOf(label, at + length)) {
    if (at === 0 || text[at - 1] === PROPERTY_SEPARATOR) valueAt = at + length;
  }
  if (valueAt < 0) return undefined;
  const end = text.indexOf(PROPERTY_SEPARATOR, valueAt);
  return text.slice(valueAt, end < 0 ? text.length : end);
}

/**
 * Writes the entries in order; `undefined` values are left out.
 * Throws WireError PROPERTIES_MALFORMED when a name or value contains a separator or a name is empty.
 */
export function formatProperties(properties: Iterable<readonly [string, string | undefined]>): string {
  let text = "";
  for (const [name, value] of properties) {
    if (value !== undefined) text = appendProperty(text, name, value);
  }
  return text;
}

/** `text` with one more property at its end. Throws WireError PROPERTIES_MALFORMED. */
export function appendProperty(text: string, name: string, value: string): string {
  checkProperty(name, value);
  const start = text === "" || text.endsWith(PROPERTY_SEPARATOR) ? text : text + PROPERTY_SEPARATOR;
  return `${start}${name}${NAME_VALUE_SEPARATOR}${value}${PROPERTY_SEPARATOR}`;
}

/** Throws WireError PROPERTIES_MALFORMED unless both can be written without harm to their neighbours. */
export function checkProperty(name: string, value: string): void {
  if (name === "") throw new WireError("PROPERTIES_MALFORMED", "a property has an empty name");
  if (hasSeparator(name) || hasSeparator(value)) {
    throw new WireError("PROPERTIES_MALFORMED", `the property ${JSON.stringify(name)} contains a separator`);
  }
}

function hasSeparator(text: string): boolean {
  return text.includes(NAME_VALUE_SEPARATOR) || text.includes(PROPERTY_SEPARATOR);
}
