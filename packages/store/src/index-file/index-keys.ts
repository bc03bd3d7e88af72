/**
 * Which keys a message is found by, and their hashes (RocketMQ: IndexService.buildIndex, 5.5):
 *
 *   topic "#" UNIQ_KEY           topic "#" each word of KEYS           topic "#T#" TAGS
 *
 * hashed as Java hashes strings. No string is built for it: the hash of the topic's part is kept from message to
 * message, and goes on over the characters of the value where it stands, in text or in bytes as they arrived.
 */
import {
  type EncodedProperties,
  getProperty,
  javaHash,
  MessageConst,
  MessageSysFlag,
  transactionType,
} from "@orbitmq/wire";
import { keyHashOf } from "./index-layout.ts";

const UNIQ_KEY = `${MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX}\u0001`;
const KEYS = `${MessageConst.KEYS}\u0001`;
const TAGS = `${MessageConst.TAGS}\u0001`;
const SEPARATOR = 2;
const SPACE = 32;
const HASH_SIGN = "#".charCodeAt(0);
const TAG_SIGN = "T".charCodeAt(0);

/** The index types of RocketMQ 5.5; `K` finds by KEYS and by UNIQ_KEY, as Java does. */
export type IndexType = "K" | "U" | "T";

/** Rolled back transactions are not indexed; half messages are, under their own topic. */
export function isIndexed(sysFlag: number): boolean {
  return transactionType(sysFlag) !== MessageSysFlag.TRANSACTION_ROLLBACK_TYPE;
}

/** The hash under which a key is looked up. */
export function hashOfKey(topic: string, key: string, indexType: IndexType): number {
  return keyHashOf(javaHash(indexType === "T" ? `${topic}#T#${key}` : `${topic}#${key}`));
}

/** Whether a record with these properties is meant by a query: hashes collide, keys do not. */
export function hasKey(properties: string, key: string, indexType: IndexType): boolean {
  if (indexType === "T") return getProperty(properties, MessageConst.TAGS) === key;
  if (getProperty(properties, MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX) === key) return true;
  const keys = getProperty(properties, MessageConst.KEYS);
  return keys !== undefined && (keys === key || ` ${keys} `.includes(` ${key} `)) && !key.includes(" ");
}

/** Hashes of one message after the other; what `collect` has found is valid until it is called again. */
export class IndexKeys {
  hashes = new Int32Array(64);
  count = 0;
  #topic: string | undefined;
  #keyPrefix = 0;
  #tagPrefix = 0;

  /** Fills `hashes` with the message's keys, in RocketMQ's order; returns how many there are. */
  collect(topic: string, properties: string | EncodedProperties): number {
    if (topic !== this.#topic) {
      this.#topic = topic;
      // A hash goes on where the one of the text before has ended.
      this.#keyPrefix = (Math.imul(31, javaHash(topic)) + HASH_SIGN) | 0;
      const typed = (Math.imul(31, this.#keyPrefix) + TAG_SIGN) | 0;
      this.#tagPrefix = (Math.imul(31, typed) + HASH_SIGN) | 0;
    }
    this.count = 0;
    if (typeof properties !== "string") {
      const { bytes, uniqKeyStart, uniqKeyEnd, keysStart, keysEnd, tagsStart, tagsEnd } = properties;
      const isPlain =
        this.#bytes(bytes, uniqKeyStart, uniqKeyEnd, this.#keyPrefix, false) &&
        this.#bytes(bytes, keysStart, keysEnd, this.#keyPrefix, true) &&
        this.#bytes(bytes, tagsStart, tagsEnd, this.#tagPrefix, false);
      if (isPlain) return this.count;
      // Java hashes UTF-16 units, not bytes.
      return this.collect(topic, properties.text());
    }
    const uniqueAt = valueAt(properties, UNIQ_KEY);
    if (uniqueAt >= 0) this.#value(properties, uniqueAt, this.#keyPrefix);
    const keysAt = valueAt(properties, KEYS);
    if (keysAt >= 0) this.#words(properties, keysAt);
    const tagsAt = valueAt(properties, TAGS);
    if (tagsAt >= 0) this.#value(properties, tagsAt, this.#tagPrefix);
    return this.count;
  }

  /** As `#value` or, word by word, `#words`; `false` when there are characters of more than one byte. */
  #bytes(bytes: Buffer, start: number, end: number, prefix: number, isWords: boolean): boolean {
    if (start < 0) return true;
    let hash = prefix;
    let length = 0;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at]!;
      if (byte > 0x7f) return false;
      if (isWords && byte === SPACE) {
        if (length > 0) this.#add(hash);
        hash = prefix;
        length = 0;
      } else {
        hash = (Math.imul(31, hash) + byte) | 0;
        length += 1;
      }
    }
    if (length > 0) this.#add(hash);
    return true;
  }

  #value(text: string, from: number, prefix: number): void {
    let hash = prefix;
    let at = from;
    for (; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === SEPARATOR) break;
      hash = (Math.imul(31, hash) + unit) | 0;
    }
    if (at > from) this.#add(hash);
  }

  #words(text: string, from: number): void {
    let hash = this.#keyPrefix;
    let length = 0;
    for (let at = from; ; at += 1) {
      const unit = at < text.length ? text.charCodeAt(at) : SEPARATOR;
      if (unit !== SPACE && unit !== SEPARATOR) {
        hash = (Math.imul(31, hash) + unit) | 0;
        length += 1;
        continue;
      }
      if (length > 0) this.#add(hash);
      if (unit === SEPARATOR) return;
      hash = this.#keyPrefix;
      length = 0;
    }
  }

  #add(hash: number): void {
    if (this.count === this.hashes.length) {
      const grown = new Int32Array(this.hashes.length * 2);
      grown.set(this.hashes);
      this.hashes = grown;
    }
    this.hashes[this.count] = keyHashOf(hash);
    this.count += 1;
  }
}

/** Where the value of a property begins, its name given with the separator behind it; -1 when it is not there. The last of a name wins. */
function valueAt(text: string, label: string): number {
  for (let at = text.lastIndexOf(label); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(label, at - 1)) {
    if (at === 0 || text.charCodeAt(at - 1) === SEPARATOR) return at + label.length;
  }
  return -1;
}
