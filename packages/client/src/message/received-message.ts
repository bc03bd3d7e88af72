/**
 * A message as a listener or reader gets it (RocketMQ: MessageExt). `T` is the type its topic's codec gives;
 * without a typed topic it is the body itself.
 */
import type { MessageQueue } from "./message.ts";
import type { MessageBody } from "./message-body.ts";

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

export class ReceivedMessage<T = Uint8Array> implements MessageMetadata {
  readonly topic: string;
  readonly queue: MessageQueue;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly msgId: string;
  readonly offsetMsgId: string;
  readonly tag: string | undefined;
  readonly keys: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  readonly bornHost: string;
  readonly storeHost: string;
  readonly reconsumeTimes: number;
  readonly storeSize: number;
  /** The body, decompressed: bytes with `.text()` and `.json()`. */
  readonly body: MessageBody;
  /** What the topic's codec made of the body; the body itself without a codec. */
  readonly value: T;

  constructor(metadata: MessageMetadata, body: MessageBody, value: T) {
    this.topic = metadata.topic;
    this.queue = metadata.queue;
    this.queueOffset = metadata.queueOffset;
    this.physicalOffset = metadata.physicalOffset;
    this.msgId = metadata.msgId;
    this.offsetMsgId = metadata.offsetMsgId;
    this.tag = metadata.tag;
    this.keys = metadata.keys;
    this.properties = metadata.properties;
    this.flag = metadata.flag;
    this.sysFlag = metadata.sysFlag;
    this.bornTimestamp = metadata.bornTimestamp;
    this.storeTimestamp = metadata.storeTimestamp;
    this.bornHost = metadata.bornHost;
    this.storeHost = metadata.storeHost;
    this.reconsumeTimes = metadata.reconsumeTimes;
    this.storeSize = metadata.storeSize;
    this.body = body;
    this.value = value;
  }

  /** Short for `body.text()`. */
  text(): string {
    return this.body.text();
  }

  /** Short for `body.json()`. */
  json<J = unknown>(): J {
    return this.body.json<J>();
  }
}
