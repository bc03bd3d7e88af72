/** What `Admin.where` takes and gives: plain data, the same that `orbitmq message where --json` prints. Times are ms since the epoch. */

/** By id or by key; a topic narrows the search for an id, and belongs to a key. */
export interface WhereQuery {
  /** The id its producer gave it, the id that names its place (offset message id), or a recall handle. */
  readonly id?: string | undefined;
  /** A word of its keys; with `topic`. */
  readonly key?: string | undefined;
  /** Needed with `key`. Without it an id is looked for in every topic the NameServers know. */
  readonly topic?: string | undefined;
  /** At most so many messages, the newest. Default 16. */
  readonly max?: number | undefined;
}

/** One copy of a message in a log. */
export interface StoredAt {
  readonly brokerName: string;
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  /** In the CommitLog. */
  readonly position: number;
  readonly offsetMsgId: string;
  /** Bytes of the record. */
  readonly size: number;
  readonly storedMs: number;
  /** The segment's name, and where in it the record begins; absent when the broker does not tell. */
  readonly file?: string;
  readonly fileOffset?: number;
  /** `flushed`: on disk; `written`: in the page cache of the machine. Absent when the broker does not tell. */
  readonly durability?: "flushed" | "written";
  /** `whole`: its checksums fit; absent when the broker does not tell. */
  readonly integrity?: "whole" | "unreadable" | "gone";
  /** Of its queue; it can be consumed while it is not below the first and below the second. */
  readonly queueMinOffset?: number;
  readonly queueMaxOffset?: number;
}

/**
 * Where a message is on its way to consumers. `STORED`: consumers can have it. `PREPARED`: half of a transaction.
 * `EXPIRED`: it is not stored any more, only what came after it. `LOST_SIGHT`: it left the place where it waited, and
 * is not found where it should be.
 */
export type MessageState =
  | "STORED"
  | "DELAYED"
  | "RECALLED"
  | "PREPARED"
  | "ROLLED_BACK"
  | "PARKED"
  | "EXPIRED"
  | "LOST_SIGHT";

/**
 * What a group has done with a message. `WAITING`: it has not got it yet. `IN_FLIGHT`: a consumer has it. `RETRY`: it
 * failed and comes again. `DEAD`: it is in the group's dead-letter topic. `FILTERED`: the group's subscription, as it is
 * now, does not want it. `EXPIRED`: removed before the group got it. `UNKNOWN`: nobody who was asked can tell.
 */
export type GroupState =
  | "CONSUMED"
  | "IN_FLIGHT"
  | "WAITING"
  | "RETRY"
  | "DEAD"
  | "FILTERED"
  | "EXPIRED"
  | "UNKNOWN";

export interface GroupWhere {
  readonly group: string;
  readonly state: GroupState;
  /** One line for people. */
  readonly verdict: string;
  /** How often it was consumed in vain. */
  readonly retries: number;
  /** It is a dead letter after so many; absent when it was never retried, or the broker does not tell. */
  readonly retriesMax?: number;
  /** What its listener said when it failed last; known when client and broker are OrbitMQ. */
  readonly failure?: string;
  /** When it comes again: the next attempt, or the end of its invisibility. */
  readonly nextAttemptMs?: number;
  /** Where the group goes on in the queue that the message, or its retry, is in; absent when it has no offset there. */
  readonly committedOffset?: number;
  /** Who has it: client ids, or addresses. */
  readonly heldBy?: readonly string[];
  /** The last of its copies in retry or dead-letter topics, or on the way there. */
  readonly copy?: StoredAt;
}

export interface TimelineEvent {
  readonly atMs: number;
  /** Of its consumer, for what one group did. */
  readonly group?: string;
  /** `born`, `stored`, `delayed`, `recalled`, `prepared`, `checked`, `committed`, `parked`, `popped`, `returned`, `retried`, `dead`, `redriven`; ahead: `due`, `check`, `visible`, `attempt`. */
  readonly event: string;
  readonly text: string;
  /** It has not happened yet. */
  readonly ahead: boolean;
}

export interface DelayWhere {
  readonly kind: "LEVEL" | "TIMER";
  readonly level?: number;
  readonly untilMs: number;
  readonly state: "waiting" | "delivered" | "recalled";
  readonly recalledMs?: number;
  readonly at: StoredAt;
}

export interface TransactionWhere {
  /** `UNKNOWN`: nobody who was asked can tell whether it is over. */
  readonly state: "PREPARED" | "COMMITTED" | "ROLLED_BACK" | "PARKED" | "UNKNOWN";
  readonly producerGroup: string;
  readonly checks: number;
  readonly checksMax?: number;
  readonly nextCheckMs?: number;
  /** The half, as it is now. */
  readonly at: StoredAt;
  /** In TRANS_CHECK_MAX_TIME_TOPIC. */
  readonly parkedAt?: StoredAt;
}

export interface MessageWhere {
  /** One line for people. */
  readonly verdict: string;
  readonly state: MessageState;
  /** The id its producer gave it; the offset message id when there is none. */
  readonly msgId: string;
  readonly topic: string;
  readonly tag?: string;
  readonly keys: readonly string[];
  readonly brokerName: string;
  readonly bornMs: number;
  /** `host:port`. */
  readonly bornHost: string;
  /** Where consumers find it; absent while it waits, and when it is gone. */
  readonly at?: StoredAt;
  /** Of a message that is not stored any more: the offset message id it had, when that is known. */
  readonly wasAt?: string;
  readonly delay?: DelayWhere;
  readonly transaction?: TransactionWhere;
  /** Dead-letter topic it was sent again from, and its offset message id there. */
  readonly redrivenFrom?: { readonly topic: string; readonly offsetMsgId: string };
  readonly groups: readonly GroupWhere[];
  /** In the order of time. */
  readonly timeline: readonly TimelineEvent[];
  /** What could not be found out, and why. */
  readonly notTold: readonly string[];
}

export interface SearchedBroker {
  readonly brokerName: string;
  readonly address: string;
  /** False: what it holds may be missing here; `problems` says why. */
  readonly complete: boolean;
  readonly problems: readonly string[];
  /** First and last position of its log. */
  readonly logMinOffset?: number;
  readonly logMaxOffset?: number;
  /** Store time of the oldest message it can find by id or key. */
  readonly fromMs?: number;
}

export interface WhereSearched {
  /** False: never take a missing message for one that does not exist. */
  readonly complete: boolean;
  /** How many topics were searched. */
  readonly topics: number;
  readonly brokers: readonly SearchedBroker[];
}

export interface WhereResult {
  readonly query: { readonly id?: string; readonly key?: string; readonly topic?: string };
  /** One line for people. */
  readonly verdict: string;
  /** Oldest first; several when a producer sent the same message more than once. Empty: not found. */
  readonly messages: readonly MessageWhere[];
  /** There are more than `max`. */
  readonly more: boolean;
  readonly searched: WhereSearched;
  /** When the answer was put together, by the clock of this client. */
  readonly askedMs: number;
}
