/** What a push consumer tells of itself. */

import type { MessageQueue } from "../message/message.ts";
import type { ClientState } from "../options/client-options.ts";

export interface QueueStatus {
  readonly queue: MessageQueue;
  /** Messages held here: waiting, with a running listener, or waiting to be consumed again. */
  readonly cached: number;
  /** Every message before this offset is consumed; what is persisted next. */
  readonly committableOffset: number;
  /** The next message to pull; `committableOffset` when all pulled ones are consumed. */
  readonly nextOffset: number;
  /** One past the newest message, as of the last pull. */
  readonly maxOffset: number;
}

/** An assignment of POP: the broker keeps account of what is consumed. */
export interface PopQueueStatus {
  /** Queue id -1: every queue of the broker. */
  readonly queue: MessageQueue;
  /** Messages held here: waiting, or with a running listener. */
  readonly cached: number;
}

export interface PushConsumerStatus {
  readonly state: ClientState;
  /** Started, and every subscribed topic that exists was divided at least once: fit for a readiness probe. */
  readonly ready: boolean;
  readonly group: string;
  readonly clientId: string;
  /** Subscribed topics that no NameServer knows yet. */
  readonly topicsWithoutRoute: readonly string[];
  /** Nothing is pulled until `resume`. */
  readonly suspended: boolean;
  readonly queues: readonly QueueStatus[];
  readonly popQueues: readonly PopQueueStatus[];
  readonly listenersRunning: number;
  readonly consumed: number;
  readonly failed: number;
  /** Of those, the ones that are the broker's again. */
  readonly sentBack: number;
  /** With `trace`: contexts that were not sent, because too many waited or the trace topic could not be reached. */
  readonly tracesDropped: number;
}
