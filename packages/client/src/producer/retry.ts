/**
 * When a failed send is tried again, and whether the message of a failed attempt may exist: pure tables
 * (RocketMQ: DefaultMQProducerImpl.sendDefaultImpl, MQClientAPIImpl.onExceptionImpl).
 *
 *   send       another queue, preferably of another broker, after eight of the broker's refusals and after any
 *              failure to reach the broker, up to 1 + retryTimes attempts within the total time
 *              and after "stored, but not safe enough" with retryAnotherBrokerWhenNotStoreOK
 *   sendAsync  after failures to reach the broker and GO_AWAY only, not when this client has too many requests in flight
 *   oneway     never
 *   a given or selected queue: `send` never, `sendAsync` the same queue
 */
import { ResponseCode, type WireErrorCode } from "@orbitmq/wire";
import type { SendOutcome } from "../errors/errors.ts";

export type SendMode = "sync" | "async" | "oneway";

/** How one attempt ended without an acknowledgement. */
export type AttemptFailure =
  | {
      readonly kind: "response";
      readonly code: number;
      /** The broker says that it may have the message all the same. */
      readonly mayExist?: boolean;
    }
  /** `sent`: bytes of the request may have reached the broker. */
  | { readonly kind: "rpc"; readonly code: WireErrorCode; readonly sent: boolean }
  /** Nothing was sent: the broker of the queue has no known address. */
  | { readonly kind: "no-address" };

const RETRIED_RESPONSES: ReadonlySet<number> = new Set([
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.NO_PERMISSION,
  ResponseCode.NO_BUYER_ID,
  ResponseCode.NOT_IN_CURRENT_UNIT,
  ResponseCode.GO_AWAY,
]);

/** Failures to reach the broker. The others are faults of the request itself, or the end of this client. */
const RETRIED_SYNC: ReadonlySet<WireErrorCode> = new Set<WireErrorCode>([
  "CONNECT_FAILED",
  "CONNECTION_CLOSED",
  "REQUEST_TIMEOUT",
  "PEER_NOT_READING",
  "TOO_MANY_REQUESTS",
]);

const RETRIED_ASYNC: ReadonlySet<WireErrorCode> = new Set<WireErrorCode>([
  "CONNECT_FAILED",
  "CONNECTION_CLOSED",
  "REQUEST_TIMEOUT",
  "PEER_NOT_READING",
]);

/** The broker has the message, but not as safe as it should be: RocketMQ takes these for acknowledgements. */
const STORED_BADLY: ReadonlySet<number> = new Set([
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
]);

export function isStoredBadly(responseCode: number): boolean {
  return STORED_BADLY.has(responseCode);
}

export interface RetryQuestion {
  readonly mode: SendMode;
  readonly failure: AttemptFailure;
  /** The caller gave the queue or a selector. */
  readonly queuePinned: boolean;
  /** Attempts made, the failed one included. */
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly remainingMs: number;
  /** Another broker is tried for what one stored badly. */
  readonly retriesStoredBadly: boolean;
}

export function shouldSendAgain(question: RetryQuestion): boolean {
  const { mode, failure, queuePinned, attempts, attemptsMax, remainingMs } = question;
  if (mode === "oneway" || attempts >= attemptsMax || remainingMs <= 0) return false;
  if (mode === "sync" && queuePinned) return false;
  switch (failure.kind) {
    case "response":
      // It asks to go elsewhere; RocketMQ takes it for a lost connection.
      if (mode === "async") return failure.code === ResponseCode.GO_AWAY;
      return (
        RETRIED_RESPONSES.has(failure.code) || (question.retriesStoredBadly && isStoredBadly(failure.code))
      );
    case "rpc":
      return (mode === "sync" ? RETRIED_SYNC : RETRIED_ASYNC).has(failure.code);
    case "no-address":
      return mode === "sync";
  }
}

/** Refusals that a broker gives before it stores anything. */
const REFUSING_RESPONSES: ReadonlySet<number> = new Set([
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
  ResponseCode.MESSAGE_ILLEGAL,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.VERSION_NOT_SUPPORTED,
  ResponseCode.NO_PERMISSION,
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
  ResponseCode.INVALID_PARAMETER,
  ResponseCode.NO_BUYER_ID,
  ResponseCode.NOT_IN_CURRENT_UNIT,
  ResponseCode.FLOW_CONTROL,
  ResponseCode.NOT_LEADER_FOR_QUEUE,
  ResponseCode.GO_AWAY,
]);

/** May the message exist after this attempt? What is not known to be refused is unknown. */
export function outcomeOf(failure: AttemptFailure): SendOutcome {
  switch (failure.kind) {
    case "response":
      return REFUSING_RESPONSES.has(failure.code) && failure.mayExist !== true ? "refused" : "unknown";
    case "rpc":
      return failure.sent ? "unknown" : "refused";
    case "no-address":
      return "refused";
  }
}

/** Whether the failure hints at an outdated route, so that routes should be asked for at once. */
export function doubtsRoute(failure: AttemptFailure): boolean {
  switch (failure.kind) {
    case "response":
      return (
        failure.code === ResponseCode.TOPIC_NOT_EXIST ||
        failure.code === ResponseCode.NO_PERMISSION ||
        failure.code === ResponseCode.SERVICE_NOT_AVAILABLE ||
        failure.code === ResponseCode.NOT_LEADER_FOR_QUEUE ||
        failure.code === ResponseCode.GO_AWAY
      );
    case "rpc":
      return RETRIED_ASYNC.has(failure.code);
    case "no-address":
      return true;
  }
}
