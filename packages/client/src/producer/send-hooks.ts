/**
 * What an application may hang into a producer (RocketMQ: SendMessageHook, CheckForbiddenHook): told of every attempt to
 * send, or asked whether it may be made. With none, a send costs nothing more.
 */
import type { OrbitError } from "../errors/errors.ts";
import type { AnyMessage, MessageQueue } from "../message/message.ts";
import type { SendMode } from "./retry.ts";
import type { SendResult } from "./send-result.ts";

/** RocketMQ: SendMessageContext. */
export interface SendHookContext {
  readonly group: string;
  /** "" without one. */
  readonly namespace: string;
  readonly mode: SendMode;
  /** As the application gave it; of a batch the first one. */
  readonly message: AnyMessage<unknown>;
  readonly queue: MessageQueue;
  /** `host:port`. */
  readonly brokerAddress: string;
  readonly messageType: "Normal_Msg" | "Delay_Msg";
  /** After a success; not of a oneway send. */
  result: SendResult | undefined;
  /** After a failure. */
  error: OrbitError | undefined;
  /** From `before` to `after` of the same hook's. */
  state: unknown;
}

/**
 * Of `send` and `sendOneway` each attempt is told of; of `sendAsync` the first one's beginning and the end of all, as
 * RocketMQ. What a hook throws is logged and changes nothing.
 */
export interface SendHook {
  readonly name: string;
  before?(context: SendHookContext): void;
  after?(context: SendHookContext): void;
}

/** RocketMQ: CheckForbiddenContext. */
export type CheckForbiddenContext = Pick<
  SendHookContext,
  "group" | "namespace" | "mode" | "message" | "queue" | "brokerAddress"
>;

export interface CheckForbiddenHook {
  readonly name: string;
  /** A throw refuses the send with FORBIDDEN; there is no other attempt. */
  check(context: CheckForbiddenContext): void;
}
