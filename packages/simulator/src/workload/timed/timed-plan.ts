/** What the producer of messages for a time and whoever waits for them have in common. */
import type { Logger } from "@orbitmq/host";
import type { MessageFactory } from "../message-factory.ts";

/** A broker, and what its wall clock shows. */
export interface ClockedBroker {
  readonly name: string;
  readonly machine: { wallMs(): number };
}

export interface Timed {
  /** Unless nobody knows whether any broker has it. */
  broker: string | undefined;
  /** When the broker had said so. */
  acknowledgedMs: number;
  /** It is due when the broker's wall clock shows this, at the latest. */
  readonly dueWallMs: number;
  /** It may have been recalled. */
  isRecalled: boolean;
}

export interface TimedPlan {
  /** Messages that are still to be sent. */
  left: number;
  pauseMs: number;
  isCalm: boolean;
  readonly brokers: readonly ClockedBroker[];
  readonly topics: readonly string[];
  readonly namesrv: readonly string[];
  readonly factory: MessageFactory;
  readonly logger: Logger;
  /** Sent, and neither refused nor delivered. */
  readonly waiting: Map<string, Timed>;
}
