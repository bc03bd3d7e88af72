/** What an acknowledged send gives back (RocketMQ: SendResult). */
import type { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";

export interface SendResult {
  /** Always SEND_OK: any other status is an error. */
  readonly status: "SEND_OK";
  /** The id this client gave the message; of a batch the ids joined by commas. */
  readonly msgId: string;
  /** The id that says where the broker stored it; of a batch the ids joined by commas. */
  readonly offsetMsgId: string;
  readonly queue: MessageQueue;
  /** Of a batch the first message's. */
  readonly queueOffset: number;
  readonly transactionId: string | undefined;
  /** Of a message that waits for its time (delayMs, deliverAtMs): with it `recall` takes the message back. */
  readonly recallHandle: string | undefined;
  /** The broker's region (MSG_REGION). */
  readonly region: string | undefined;
  /** False: the broker wants no trace of it (TRACE_ON). */
  readonly traceOn: boolean;
  /** What the acknowledgement is worth, when the broker says (OrbitMQ does): `disk`, `memory`, … */
  readonly durability: string | undefined;
}

/** Exactly one of the two is called, exactly once, never before `sendAsync` returned. They should not throw. */
export interface SendCallback {
  onSuccess(result: SendResult): void;
  onException(error: OrbitError): void;
}
