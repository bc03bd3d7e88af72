/** What the producers of transactions and the operator beside them have in common. */
import type { Logger } from "@orbitmq/host";
import type { MessageFactory } from "../message-factory.ts";
import type { BrokerAt } from "../pop-client.ts";
import type { LocalDatabase } from "./local-database.ts";

export const TRANSACTION_PRODUCERS = "transaction-producers";

/** A half that a broker has acknowledged. */
export interface AcknowledgedHalf {
  readonly broker: string;
  readonly atMs: number;
}

export interface TransactionPlan {
  /** Transactions that are still to be begun. */
  left: number;
  /** The average pause before one, ms. */
  pauseMs: number;
  isCalm: boolean;
  readonly brokers: readonly BrokerAt[];
  readonly topics: readonly string[];
  readonly namesrv: readonly string[];
  readonly factory: MessageFactory;
  readonly logger: Logger;
  readonly database: LocalDatabase;
  readonly halves: Map<string, AcknowledgedHalf>;
  /** Parked, and left there by the operator. */
  readonly leftParked: Set<string>;
}
