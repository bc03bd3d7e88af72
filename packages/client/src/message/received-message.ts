/**
 * A message as a listener or reader gets it (RocketMQ: MessageExt). `T` is the type its topic's codec gives;
 * without a typed topic it is the body itself.
 */
import type { MessageQueue } from "./message.ts";
import { MessageBody } from "./message-body.ts";

/** Everything but the decoded value. */
export interface MessageMetadata {
  readonly topic: string;
  /** Where it lies. `queue.topic` may differ from `topic` for a message that is being retried. */
  readonly queue: MessageQueue;
  readonly queueOffset: number;
  /** Position in the broker's CommitLog. */
  readonly physicalOffset: number;
  /** The id its producer gave it (RocketMQ: UNIQ_KEY); the offset message id when there is none. */
  readonly msgId: string;
  /** The id that says where it is stored. */
  readonly offsetMsgId: string;
  readonly tag: string | undefined;
  readonly keys: readonly string[];
  /** All properties, RocketMQ's own included. */
  readonly properties: Readonly<Record<string, string>>;
  readonly flag: number;
  readonly sysFlag: number;
  /** Milliseconds since the epoch by the producer's clock, and by the broker's. */
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  /** `host:port` of the producer's connection and of the broker. */
  readonly bornHost: string;
  readonly storeHost: string;
  /** How often consuming it failed before. */
  readonly reconsumeTimes: number;
  /** Bytes of the whole record. */
  readonly storeSize: number;
}

/** Everything read, as a plain object. */
export function plainMetadata(message: MessageMetadata): MessageMetadata {
  const { topic, queue, queueOffset, physicalOffset, msgId, offsetMsgId, tag, keys, properties } = message;
  const { flag, sysFlag, bornTimestamp, storeTimestamp, bornHost, storeHost } = message;
  const { reconsumeTimes, storeSize } = message;
  return {
    ...{ topic, queue, queueOffset, physicalOffset, msgId, offsetMsgId, tag, keys, properties },
    ...{ flag, sysFlag, bornTimestamp, storeTimestamp, bornHost, storeHost, reconsumeTimes, storeSize },
  };
}

/** Where a body is, should somebody ask for it. */
export interface BodySource {
  readonly body: Uint8Array;
}

/** Said of a value that is the body itself. */
export const ITS_BODY = Symbol("its body");

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Its fields are read from the record when they are asked for: a listener that looks at few pays for few. */
export class ReceivedMessage<T = Uint8Array> implements MessageMetadata {
  readonly #metadata: MessageMetadata;
  readonly #source: BodySource | undefined;
  #body: MessageBody | undefined;
  readonly #value: T | typeof ITS_BODY;

  constructor(metadata: MessageMetadata, body: MessageBody | BodySource, value: T | typeof ITS_BODY) {
    this.#metadata = metadata;
    if (body instanceof MessageBody) {
      this.#source = undefined;
      this.#body = body;
    } else {
      this.#source = body;
      this.#body = undefined;
    }
    this.#value = value;
  }

  get topic(): string {
    return this.#metadata.topic;
  }

  get queue(): MessageQueue {
    return this.#metadata.queue;
  }

  get queueOffset(): number {
    return this.#metadata.queueOffset;
  }

  get physicalOffset(): number {
    return this.#metadata.physicalOffset;
  }

  get msgId(): string {
    return this.#metadata.msgId;
  }

  get offsetMsgId(): string {
    return this.#metadata.offsetMsgId;
  }

  get tag(): string | undefined {
    return this.#metadata.tag;
  }

  get keys(): readonly string[] {
    return this.#metadata.keys;
  }

  get properties(): Readonly<Record<string, string>> {
    return this.#metadata.properties;
  }

  get flag(): number {
    return this.#metadata.flag;
  }

  get sysFlag(): number {
    return this.#metadata.sysFlag;
  }

  get bornTimestamp(): number {
    return this.#metadata.bornTimestamp;
  }

  get storeTimestamp(): number {
    return this.#metadata.storeTimestamp;
  }

  get bornHost(): string {
    return this.#metadata.bornHost;
  }

  get storeHost(): string {
    return this.#metadata.storeHost;
  }

  get reconsumeTimes(): number {
    return this.#metadata.reconsumeTimes;
  }

  get storeSize(): number {
    return this.#metadata.storeSize;
  }

  /** The body, decompressed: bytes with `.text()` and `.json()`. */
  get body(): MessageBody {
    this.#body ??= MessageBody.over(this.#source!.body);
    return this.#body;
  }

  /** What the topic's codec made of the body; the body itself without a codec. */
  get value(): T {
    return this.#value === ITS_BODY ? (this.body as T) : (this.#value as T);
  }

  /** Short for `body.text()`. */
  text(): string {
    return this.body.text();
  }

  /** Short for `body.json()`. */
  json<J = unknown>(): J {
    return this.body.json<J>();
  }

  /** Everything, as a plain object: what JSON.stringify takes, and what to spread. */
  toJSON(): MessageMetadata & { readonly body: MessageBody; readonly value: T } {
    return { ...plainMetadata(this.#metadata), body: this.body, value: this.value };
  }

  /** For console.log. */
  [INSPECT](_depth: number, options: object, inspect: (value: object, options: object) => string): string {
    return `ReceivedMessage ${inspect(this.toJSON(), options)}`;
  }
}
