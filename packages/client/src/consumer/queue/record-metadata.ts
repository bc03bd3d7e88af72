/** What a listener may ask of a message, read from its record when it does. */
import {
  encodeOffsetMessageId,
  formatHostBytes,
  getProperty,
  KEY_SEPARATOR,
  MessageConst,
  type MessageQueue,
  type MessageRecord,
  propertiesObject,
} from "@orbitmq/wire";
import type { MessageMetadata } from "../../message/received-message.ts";
import type { Namespace } from "../../names/namespace.ts";
import { messageIdOf, tagOf, topicOf } from "./pulled-record.ts";

export class RecordMetadata implements MessageMetadata {
  readonly #record: MessageRecord;
  readonly #queue: MessageQueue;
  readonly #attempts: number;
  readonly #namespace: Namespace;
  #properties: Record<string, string> | undefined = undefined;
  #keys: readonly string[] | undefined = undefined;
  #msgId: string | undefined = undefined;

  /** `attempts`: how often this consumer has failed it already, beyond what the record says. */
  constructor(record: MessageRecord, queue: MessageQueue, attempts: number, namespace: Namespace) {
    this.#record = record;
    this.#queue = queue;
    this.#attempts = attempts;
    this.#namespace = namespace;
  }

  get topic(): string {
    return this.#namespace.unwrap(topicOf(this.#record));
  }

  get queue(): MessageQueue {
    return this.#namespace.unwrapQueue(this.#queue);
  }

  get queueOffset(): number {
    return this.#record.queueOffset;
  }

  get physicalOffset(): number {
    return this.#record.physicalOffset;
  }

  get msgId(): string {
    this.#msgId ??= messageIdOf(this.#record);
    return this.#msgId;
  }

  get offsetMsgId(): string {
    return encodeOffsetMessageId(this.#record.storeHost, this.#record.physicalOffset);
  }

  get tag(): string | undefined {
    return tagOf(this.#record);
  }

  get keys(): readonly string[] {
    this.#keys ??= keysIn(getProperty(this.#record.properties, MessageConst.KEYS));
    return this.#keys;
  }

  /** Without the checksum of the record in the store's log, which says nothing to an application. */
  get properties(): Readonly<Record<string, string>> {
    this.#properties ??= propertiesObject(this.#record.properties, MessageConst.CRC32);
    return this.#properties;
  }

  get flag(): number {
    return this.#record.flag;
  }

  get sysFlag(): number {
    return this.#record.sysFlag;
  }

  get bornTimestamp(): number {
    return this.#record.bornTimestamp;
  }

  get storeTimestamp(): number {
    return this.#record.storeTimestamp;
  }

  get bornHost(): string {
    return formatHostBytes(this.#record.bornHost);
  }

  get storeHost(): string {
    return formatHostBytes(this.#record.storeHost);
  }

  get reconsumeTimes(): number {
    return this.#record.reconsumeTimes + this.#attempts;
  }

  get storeSize(): number {
    return this.#record.totalSize;
  }
}

function keysIn(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(KEY_SEPARATOR).filter((key) => key !== "");
}
