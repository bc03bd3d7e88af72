/**
 * The reply to a request, as a message (RocketMQ: MessageUtil.createReplyMessage): to the reply topic of the cluster
 * the request came through, and with the properties by which it finds back. Pure.
 */
import { MessageConst } from "@orbitmq/wire";
import { OrbitError } from "../errors/errors.ts";
import type { Message } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";

export interface ReplyOptions {
  readonly tag?: string | undefined;
  readonly keys?: string | readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** For the reply in total. Default the producer's `sendTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a message has as MSG_TYPE when it is a reply. */
export const REPLY_TYPE = "reply";

/** Throws INVALID_ARGUMENT for a message that is no request. */
export function replyMessage(
  request: ReceivedMessage<unknown>,
  body: string | Uint8Array,
  options: ReplyOptions,
): Message {
  const read = (name: string) => {
    const value = request.properties[name];
    if (value !== undefined && value !== "") return value;
    throw new OrbitError("INVALID_ARGUMENT", `the message is no request: it has no property ${name}`);
  };
  const { tag, keys, properties } = options;
  return {
    topic: `${read(MessageConst.CLUSTER)}_REPLY_TOPIC`,
    body,
    tag,
    keys,
    properties: {
      ...properties,
      [MessageConst.MESSAGE_TYPE]: REPLY_TYPE,
      [MessageConst.CORRELATION_ID]: read(MessageConst.CORRELATION_ID),
      [MessageConst.MESSAGE_REPLY_TO_CLIENT]: read(MessageConst.MESSAGE_REPLY_TO_CLIENT),
      [MessageConst.MESSAGE_TTL]: read(MessageConst.MESSAGE_TTL),
    },
  };
}
