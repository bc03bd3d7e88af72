/**
 * What clients tell of a message's life (RocketMQ: TraceContext with its TraceBeans). Times are wall milliseconds of the
 * client that tells; `undefined` stands where the text has nothing, or Java's `null`.
 */
import type { LocalTransactionState } from "../producer/transactions/local-transaction.ts";

/** RocketMQ: MessageType; in the text its place in this list. */
export const traceMessageTypes = [
  "Normal_Msg",
  "Trans_Msg_Half",
  "Trans_msg_Commit",
  "Delay_Msg",
  "Order_Msg",
] as const;
export type TraceMessageType = (typeof traceMessageTypes)[number];

/** RocketMQ: ConsumeReturnType; in the text its place in this list. */
export const traceOutcomes = ["SUCCESS", "TIME_OUT", "EXCEPTION", "RETURNNULL", "FAILED"] as const;
export type TraceOutcome = (typeof traceOutcomes)[number];

/** A send that was answered. */
export interface PubTrace {
  readonly type: "Pub";
  /** When it began. */
  readonly timeMs: number;
  readonly regionId: string;
  readonly group: string;
  readonly topic: string;
  readonly msgId: string;
  readonly tag: string | undefined;
  /** As the property KEYS: joined by spaces. */
  readonly keys: string | undefined;
  /** `host:port` of the broker. */
  readonly storeHost: string;
  readonly bodyLength: number;
  readonly costMs: number;
  readonly messageType: TraceMessageType;
  readonly offsetMsgId: string | undefined;
  readonly success: boolean;
}

/** A listener is about to get a message. */
export interface SubBeforeTrace {
  readonly type: "SubBefore";
  readonly timeMs: number;
  readonly regionId: string;
  readonly group: string;
  /** The same in the SubAfter of the same call. */
  readonly requestId: string;
  readonly msgId: string;
  readonly retryTimes: number;
  readonly keys: string | undefined;
}

/** A listener has ended. */
export interface SubAfterTrace {
  readonly type: "SubAfter";
  /** `undefined`, and no group: told by a client of the cloud's, or an old one. */
  readonly timeMs: number | undefined;
  readonly group: string | undefined;
  readonly requestId: string;
  readonly msgId: string;
  readonly keys: string | undefined;
  /** Of the call, divided by its messages. */
  readonly costMs: number;
  readonly success: boolean;
  readonly outcome: TraceOutcome;
}

/** A producer said how a transaction ended. */
export interface EndTransactionTrace {
  readonly type: "EndTransaction";
  readonly timeMs: number;
  readonly regionId: string;
  readonly group: string;
  readonly topic: string;
  readonly msgId: string;
  readonly tag: string | undefined;
  readonly keys: string | undefined;
  readonly storeHost: string;
  readonly messageType: TraceMessageType;
  readonly transactionId: string | undefined;
  readonly state: LocalTransactionState;
  /** The broker had asked. */
  readonly fromTransactionCheck: boolean;
}

/** A message that waits for its time was taken back, or was not. */
export interface RecallTrace {
  readonly type: "Recall";
  readonly timeMs: number;
  readonly regionId: string;
  readonly group: string;
  readonly topic: string;
  readonly msgId: string;
  readonly success: boolean;
}

export type TraceContext = PubTrace | SubBeforeTrace | SubAfterTrace | EndTransactionTrace | RecallTrace;
