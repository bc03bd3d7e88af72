/**
 * What happened in one simulated run, as far as the promise is concerned: every send with its outcome, every
 * message anybody saw, every end of a listener, every offset a group committed. The checker knows nothing
 * else; it could as well read the history of a real cluster.
 */

/** How one send ended; a send whose process died has no outcome and counts as unknown. */
export type SendOutcome = "acknowledged" | "refused" | "unknown";

/** A MessageQueue: `topic@broker:queueId`. */
export type QueueKey = string;

export type HistoryEvent =
  | {
      readonly kind: "send";
      readonly atMs: number;
      /** Unique; the message carries it. */
      readonly id: string;
      readonly producer: string;
      /** The producer has nothing else in flight until this send has its outcome. */
      readonly waits: boolean;
      /** A half: nobody sees it before its transaction is committed. Default false. */
      readonly isHalf?: boolean;
      /** A message for a time: so long after its broker has it, or at this time by the broker's wall clock. */
      readonly time?: { readonly delayMs: number; readonly deliverAtMs: number | undefined };
    }
  | {
      readonly kind: "acknowledged";
      readonly atMs: number;
      readonly id: string;
      readonly queue: QueueKey;
      readonly offset: number;
      /** Whether the record would have survived any crash of the broker's machine at this moment. */
      readonly survives: boolean;
    }
  | {
      readonly kind: "refused" | "unknown";
      readonly atMs: number;
      readonly id: string;
      readonly code: string;
    }
  | {
      /** Somebody pulled this message from this place. */
      readonly kind: "seen";
      readonly atMs: number;
      readonly by: string;
      readonly queue: QueueKey;
      readonly offset: number;
      /** The id the message carries; undefined when it carries none. */
      readonly id: string | undefined;
      /** Tells copies of one message apart: the position in the log. */
      readonly copy: string;
      /** What a client calls it: its producer's id, else its place's. */
      readonly msgId?: string;
      /** Body, tag and properties are exactly those that were sent. */
      readonly intact: boolean;
      /** As of `acknowledged`. */
      readonly survives: boolean;
    }
  | {
      /** A listener begins with this message. */
      readonly kind: "listening";
      readonly atMs: number;
      readonly group: string;
      /** The process, another one after every start. */
      readonly by: string;
      readonly queue: QueueKey;
      readonly offset: number;
      readonly id: string | undefined;
    }
  | {
      /** The process of a member ended, and what it was at. */
      readonly kind: "member-ended";
      readonly atMs: number;
      readonly by: string;
    }
  | {
      /** A listener came to its end for this message; only a success allows the offset to pass it. */
      readonly kind: "listened";
      readonly atMs: number;
      readonly group: string;
      /** As of `listening`. */
      readonly by: string;
      readonly queue: QueueKey;
      readonly offset: number;
      readonly id: string | undefined;
      readonly success: boolean;
    }
  | {
      /** A message whose listener failed is the broker's again: the offset may pass it. */
      readonly kind: "sent-back";
      readonly atMs: number;
      readonly group: string;
      readonly queue: QueueKey;
      readonly offset: number;
      readonly id: string | undefined;
      /** How often it had failed before, as the broker counts. */
      readonly times: number;
      /** Its member counted more: it may be a dead letter, or come again. */
      readonly isUnsure?: boolean;
    }
  | {
      /** The message lies in a broker's dead-letter topic of the group. */
      readonly kind: "dead-letter";
      readonly atMs: number;
      readonly group: string;
      readonly broker: string;
      readonly id: string;
    }
  | {
      /** A member of the group told the broker that everything below `offset` is consumed. */
      readonly kind: "committed";
      readonly atMs: number;
      readonly group: string;
      readonly queue: QueueKey;
      readonly offset: number;
      /** The broker was there to receive it. */
      readonly reaches: boolean;
    }
  | {
      /** The broker has answered the pull that carried a commit: the process that did so had taken the commit. */
      readonly kind: "commit-taken";
      readonly atMs: number;
      readonly group: string;
      readonly queue: QueueKey;
      readonly offset: number;
      /** When the pull was sent. */
      readonly sentMs: number;
    }
  | {
      /** What the broker says the group has committed, long after the last commit; undefined: nothing. */
      readonly kind: "group-offset";
      readonly atMs: number;
      readonly group: string;
      readonly queue: QueueKey;
      readonly offset: number | undefined;
    }
  | {
      /** A queue was read from its first offset to its end. The last one of each queue is what is left. */
      readonly kind: "drained";
      readonly atMs: number;
      readonly queue: QueueKey;
      readonly from: number;
      readonly to: number;
    }
  | {
      /** What the group has committed in a queue, and where the queue ended right afterwards. */
      readonly kind: "offset-and-end";
      readonly atMs: number;
      readonly group: string;
      readonly queue: QueueKey;
      readonly offset: number;
      readonly end: number;
    }
  | {
      /**
       * A message that a group could not consume goes back to its broker: `asked`, `acknowledged`, seen as
       * `retried`, seen as `dead` letter.
       */
      readonly kind: "returned";
      readonly atMs: number;
      readonly step: "asked" | "acknowledged" | "retried" | "dead";
      readonly id: string;
      readonly broker: string;
      /** What the message says: how often it was sent back. */
      readonly times: number;
    }
  | {
      /** A group got a message by POP, and nobody else of it may get it for a while. */
      readonly kind: "popped";
      readonly atMs: number;
      readonly group: string;
      readonly broker: string;
      readonly id: string;
      readonly askedMs: number;
      readonly invisibleMs: number;
    }
  | {
      /** It comes again at another time, counted from when that was asked; 0: nobody knows when. */
      readonly kind: "pop-changed";
      readonly atMs: number;
      readonly group: string;
      readonly broker: string;
      readonly id: string;
      readonly askedMs: number;
      readonly invisibleMs: number;
    }
  | {
      /** A group that pops was set back to the first message of each queue. */
      readonly kind: "pop-reset";
      readonly atMs: number;
      readonly group: string;
    }
  | {
      /** Who pops in order has asked twice with one attempt's id; `missing` came first and not again. */
      readonly kind: "attempt-repeated";
      readonly atMs: number;
      readonly group: string;
      readonly broker: string;
      readonly attemptId: string;
      readonly missing: string | undefined;
    }
  | {
      /** The broker says that it has the acknowledgement. */
      readonly kind: "pop-acknowledged";
      readonly atMs: number;
      readonly group: string;
      readonly broker: string;
      readonly id: string;
    }
  | {
      /** A consumer's acknowledgement of what it popped from this place, a retry topic maybe, leaves its process. */
      readonly kind: "pop-acknowledging";
      readonly atMs: number;
      readonly group: string;
      readonly queue: QueueKey;
      readonly offset: number;
    }
  | {
      /** The broker has the half of this message's transaction. */
      readonly kind: "half-acknowledged";
      readonly atMs: number;
      readonly id: string;
      readonly broker: string;
      /** As of `acknowledged`. */
      readonly survives: boolean;
    }
  | {
      /** How the application's own work ended; whoever is asked from now on says so. */
      readonly kind: "decided";
      readonly atMs: number;
      readonly id: string;
      readonly decision: "commit" | "rollback";
    }
  | {
      /** The half lies where a broker parks what nobody can tell about. */
      readonly kind: "parked";
      readonly atMs: number;
      readonly id: string;
      readonly broker: string;
      /** As of `seen`. */
      readonly copy: string;
      /** Found when everything was over. Default false. */
      readonly isLast?: boolean;
    }
  | {
      /** An operator asks for a parked half to be checked again. */
      readonly kind: "resumed";
      readonly atMs: number;
      readonly id: string;
      readonly broker: string;
    }
  | {
      /** A broker said of the half at this position that it has ended, and then the same of the other end. */
      readonly kind: "ended-twice";
      readonly atMs: number;
      readonly broker: string;
      readonly position: number;
    }
  | {
      /** The broker has the message, which waits for its time. */
      readonly kind: "timer-acknowledged";
      readonly atMs: number;
      readonly id: string;
      readonly broker: string;
      /** As of `acknowledged`. */
      readonly survives: boolean;
    }
  | {
      /** Its producer takes a message back that waits for its time; `taken`: the broker says that it will not come. */
      readonly kind: "recall";
      readonly atMs: number;
      readonly id: string;
      readonly step: "asked" | "taken" | "refused" | "unknown";
    }
  | {
      /** What a broker found under the key of message `id`. */
      readonly kind: "key-answer";
      readonly atMs: number;
      readonly broker: string;
      readonly id: string;
      /** When it was asked. */
      readonly sinceMs: number;
      /** The ids of what it found. */
      readonly found: readonly (string | undefined)[];
      readonly intact: boolean;
      /** False: something could not be read meanwhile, and may be missing. */
      readonly complete: boolean;
    }
  | {
      /** Retention is about to remove the queue's messages below `to`; `from` was its first. */
      readonly kind: "removed";
      readonly atMs: number;
      readonly queue: QueueKey;
      readonly from: number;
      readonly to: number;
    }
  | {
      /** The wall clock of a broker's machine was set. */
      readonly kind: "clock-stepped";
      readonly atMs: number;
      readonly broker: string;
      readonly byMs: number;
    }
  | {
      /** A broker's process ended without having been asked to. */
      readonly kind: "broker-ended";
      readonly atMs: number;
      readonly broker: string;
    }
  | {
      /** The broker's newest offsets file could not be read; it may go on with the one before. */
      readonly kind: "offsets-doubtful";
      readonly atMs: number;
      readonly broker: string;
    }
  | {
      /** The broker's file of queue locks was damaged, or could not be read or written. */
      readonly kind: "locks-doubtful";
      readonly atMs: number;
      readonly broker: string;
    }
  | {
      /** The broker said at its start that it cannot read all that tells which transactions have ended. */
      readonly kind: "transactions-doubtful";
      readonly atMs: number;
      readonly broker: string;
    }
  | {
      /** Power loss, or pages dropped that a failed sync had marked clean: what was only in memory may be gone. */
      readonly kind: "cache-lost";
      readonly atMs: number;
      readonly broker: string;
    }
  | {
      /** Something outside the messages that must not happen: a stuck send, a process that failed, no life. */
      readonly kind: "failure";
      readonly atMs: number;
      readonly invariant: "live" | "settles" | "no-crash" | "starts";
      readonly detail: string;
    };

/** Who reads every queue in the end, when nothing old is under way any more. */
export const LAST_READER = "last-reader";

export type History = readonly HistoryEvent[];

export function queueKey(topic: string, broker: string, queueId: number): QueueKey {
  return `${topic}@${broker}:${queueId}`;
}

export function topicOf(queue: QueueKey): string {
  return queue.slice(0, queue.indexOf("@"));
}

/** Whether messages that were sent back lie there: waiting for their time, or to be consumed again. */
export function mayHoldSentBack(queue: QueueKey): boolean {
  return queue.startsWith("%RETRY%") || queue.startsWith("SCHEDULE_TOPIC_XXXX@");
}

export function brokerOf(queue: QueueKey): string {
  let broker = brokers.get(queue);
  if (broker === undefined) {
    broker = queue.slice(queue.indexOf("@") + 1, queue.lastIndexOf(":"));
    if (brokers.size >= BROKERS_MAX) brokers.clear();
    brokers.set(queue, broker);
  }
  return broker;
}

/** The same few queues are asked for with every event. */
const brokers = new Map<QueueKey, string>();
const BROKERS_MAX = 1_024;
