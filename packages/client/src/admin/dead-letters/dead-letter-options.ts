/** What may be asked of {@link DeadLetters}, and what it answers. */
import type { OrbitErrorCode } from "../../errors/errors.ts";
import type { DeadLetterSelection } from "./selection.ts";

/** One group's dead letters at a glance. */
export interface DeadLetterTopic {
  readonly group: string;
  readonly topic: string;
  /** Nothing was done about them yet. */
  readonly dead: number;
  /** Still in the log, no longer listed. */
  readonly redriven: number;
  readonly deleted: number;
  /** When the first and the last of `dead` died, ms since the epoch; absent when there are none. */
  readonly oldestTimestamp?: number;
  readonly newestTimestamp?: number;
  /** False: the topic's permission forbids reading (brokers of RocketMQ 4.x make it write-only). */
  readonly isReadable: boolean;
}

export interface ReadDeadLettersOptions extends DeadLetterSelection {
  /** Also those that were redriven or deleted and are still in the log. Default false. */
  readonly all?: boolean | undefined;
}

export interface DeadLetterProgress {
  /** Places of the dead-letter topic looked at, of how many. */
  readonly looked: number;
  readonly total: number;
  /** Redriven, or deleted, so far. */
  readonly done: number;
}

export interface DeadLetterWorkOptions extends DeadLetterSelection {
  /** Only count: nothing is sent or written. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Ends the work after the letters that are on their way. */
  readonly signal?: AbortSignal | undefined;
  /** Told after every page of letters. */
  readonly onProgress?: ((progress: DeadLetterProgress) => void) | undefined;
  /** Somebody else has redriven or deleted letters of this group in the last minute: waiting for that to be over. */
  readonly onWaiting?: ((broker: string) => void) | undefined;
}

export interface RedriveOptions extends DeadLetterWorkOptions {
  /** The topic to send them to. Default the one each came from. */
  readonly to?: string | undefined;
  /** At most so many a second. Default as fast as can be. */
  readonly rate?: number | undefined;
}

export interface DeadLetterFailure {
  readonly offsetMsgId: string;
  readonly code: OrbitErrorCode;
  readonly message: string;
  /** `unknown`: it may be in its topic; the next redrive finds out. */
  readonly outcome: "refused" | "unknown";
}

export interface DeadLetterWorkResult {
  readonly group: string;
  readonly dryRun: boolean;
  /** Dead letters that the selection meant. */
  readonly selected: number;
  /** Of these: redriven or deleted now; of a dry run none. */
  readonly done: number;
  /** Of a redrive: those that an earlier one, which broke off, had sent already. */
  readonly found: number;
  /** Those that are dead letters still. The first hundred. */
  readonly failures: readonly DeadLetterFailure[];
  readonly failed: number;
  /** False: it was stopped, by the signal or because a broker did not answer, before all were looked at. */
  readonly complete: boolean;
}
