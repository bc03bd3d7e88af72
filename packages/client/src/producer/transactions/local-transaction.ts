/** What an application says of its own work beside a transactional message (RocketMQ: TransactionListener). */
import type { AnyMessage } from "../../message/message.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import type { ProducerOptions, SendOptions } from "../producer-options.ts";
import type { SendResult } from "../send-result.ts";

/** RocketMQ's names. A constant object and not an enum, so that plain strings do, too. */
export const LocalTransactionState = {
  /** The message is delivered. */
  COMMIT_MESSAGE: "COMMIT_MESSAGE",
  /** The message is never seen. */
  ROLLBACK_MESSAGE: "ROLLBACK_MESSAGE",
  /** Not known yet: the broker asks later. */
  UNKNOW: "UNKNOW",
} as const;
export type LocalTransactionState = (typeof LocalTransactionState)[keyof typeof LocalTransactionState];

export interface LocalTransaction<T, A> {
  readonly message: AnyMessage<T>;
  /** What was given to `sendInTransaction`. */
  readonly argument: A;
  /** The message's id; the broker asks by it. */
  readonly transactionId: string;
}

export interface TransactionProducerOptions<A = unknown> extends ProducerOptions {
  /** Names the producers that do the same: the broker asks any of them about a transaction of each. Not the default. */
  readonly group: string;
  /**
   * Called once the broker has the message for certain: does the application's own work and says how it ended. A throw
   * is UNKNOW, and is logged.
   */
  readonly executeLocalTransaction: (
    transaction: LocalTransaction<unknown, A>,
  ) => LocalTransactionState | Promise<LocalTransactionState>;
  /**
   * Called when the broker asks how a transaction ended, of this or of another producer of the group, maybe after a
   * restart: it must be able to tell by what is stored. A throw is UNKNOW, and is logged.
   */
  readonly checkLocalTransaction: (
    message: ReceivedMessage,
  ) => LocalTransactionState | Promise<LocalTransactionState>;
  /** Checks at once, waiting ones included; the broker repeats those beyond. Default 2000 (checkRequestHoldMax). */
  readonly checksMax?: number | undefined;
}

export interface SendInTransactionOptions<A = unknown> extends SendOptions {
  /** For `executeLocalTransaction`. */
  readonly argument?: A | undefined;
}

export interface TransactionSendResult extends SendResult {
  readonly localTransactionState: LocalTransactionState;
}

export const transactionDefaults = { checksMax: 2_000, retryTimes: 0 } as const;
