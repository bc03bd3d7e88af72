/**
 * The last step before a listener: decompresses the body and lets the topic's codec make a value of it. What goes
 * wrong here is a failed consumption with a code of its own, and the listener never sees the message.
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import type { Codec } from "../../message/codecs.ts";
import {
  type BodySource,
  ITS_BODY,
  type MessageMetadata,
  ReceivedMessage,
} from "../../message/received-message.ts";
import { type Namespace, NO_NAMESPACE } from "../../names/namespace.ts";
import { RecordMetadata } from "../queue/record-metadata.ts";
import { readBody } from "./message-body.ts";

export class Undecodable {
  readonly error: OrbitError;

  constructor(error: OrbitError) {
    this.error = error;
  }
}

export type Decoded = ReceivedMessage<unknown> | Undecodable;

/** Never throws or rejects. A promise only when decompressing or the codec takes one. */
export function decodeMessage(
  record: MessageRecord,
  queue: MessageQueue,
  attempts: number,
  codec: Codec<unknown> | undefined,
  namespace: Namespace = NO_NAMESPACE,
): Decoded | Promise<Decoded> {
  const metadata = new RecordMetadata(record, queue, attempts, namespace);
  let body: BodySource | Promise<BodySource>;
  try {
    body = readBody(record);
  } catch (cause) {
    return unreadable(cause);
  }
  if (body === record || !isPromise(body)) return withValue(metadata, body as BodySource, codec);
  return body.then((source) => withValue(metadata, source, codec), unreadable);
}

function withValue(
  metadata: MessageMetadata,
  body: BodySource,
  codec: Codec<unknown> | undefined,
): Decoded | Promise<Decoded> {
  if (codec === undefined) return new ReceivedMessage<unknown>(metadata, body, ITS_BODY);
  const message = new ReceivedMessage<unknown>(metadata, body, ITS_BODY);
  const undecodable = (cause: unknown) =>
    new Undecodable(
      new OrbitError("DECODE_FAILED", `${metadata.topic}: ${fromUnknown(cause).message}`, { cause }),
    );
  try {
    const value = codec.decode(message.body);
    if (!isPromise(value)) return new ReceivedMessage<unknown>(metadata, message.body, value);
    return value.then(
      (awaited) => new ReceivedMessage<unknown>(metadata, message.body, awaited),
      undecodable,
    );
  } catch (cause) {
    return undecodable(cause);
  }
}

function unreadable(cause: unknown): Undecodable {
  return new Undecodable(new OrbitError("BODY_UNREADABLE", fromUnknown(cause).message, { cause }));
}

/** The message with its raw body, or, when that cannot be read, with the bytes as stored. */
export function rawMessage(
  record: MessageRecord,
  queue: MessageQueue,
  attempts: number,
  namespace: Namespace = NO_NAMESPACE,
): ReceivedMessage {
  const decoded = decodeMessage(record, queue, attempts, undefined, namespace);
  if (decoded instanceof ReceivedMessage) return decoded as ReceivedMessage;
  return new ReceivedMessage<Uint8Array>(
    new RecordMetadata(record, queue, attempts, namespace),
    record,
    ITS_BODY,
  );
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as Promise<unknown>).then === "function"
  );
}
