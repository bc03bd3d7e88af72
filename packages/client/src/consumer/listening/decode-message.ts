/**
 * The last step before a listener: decompresses the body and lets the topic's codec make a value of it. What goes
 * wrong here is a failed consumption with a code of its own, and the listener never sees the message.
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import type { Codec } from "../../message/codecs.ts";
import { MessageBody } from "../../message/message-body.ts";
import { ReceivedMessage } from "../../message/received-message.ts";
import { type Namespace, NO_NAMESPACE } from "../../names/namespace.ts";
import { metadataOf } from "../queue/pulled-record.ts";
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
  const metadata = metadataOf(record, queue, attempts, namespace);
  const unreadable = (cause: unknown) =>
    new Undecodable(new OrbitError("BODY_UNREADABLE", fromUnknown(cause).message, { cause }));
  const undecodable = (cause: unknown) => {
    const message = `${metadata.topic}: ${fromUnknown(cause).message}`;
    return new Undecodable(new OrbitError("DECODE_FAILED", message, { cause }));
  };
  const withValue = (bytes: Uint8Array): Decoded | Promise<Decoded> => {
    const body = MessageBody.over(bytes);
    if (codec === undefined) return new ReceivedMessage(metadata, body, body);
    try {
      const value = codec.decode(body);
      if (!isPromise(value)) return new ReceivedMessage<unknown>(metadata, body, value);
      return value.then((awaited) => new ReceivedMessage<unknown>(metadata, body, awaited), undecodable);
    } catch (cause) {
      return undecodable(cause);
    }
  };
  try {
    const body = readBody(record);
    return isPromise(body) ? body.then(withValue, unreadable) : withValue(body);
  } catch (cause) {
    return unreadable(cause);
  }
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
  const body = MessageBody.over(record.body);
  return new ReceivedMessage(metadataOf(record, queue, attempts, namespace), body, body);
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as Promise<unknown>).then === "function"
  );
}
