/** Options and limits of a reader. */
import type { OrbitError } from "../../errors/errors.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import type { ConsumeFrom } from "../consumer-options.ts";
import type { SelectorOptions } from "../message-selector.ts";

export interface ReadOptions extends SelectorOptions {
  /** Where to begin in every queue. Default "first". */
  readonly from?: ConsumeFrom | undefined;
  /** Wait for new messages at the end (default), or end when every queue was read to where it ended at the call. */
  readonly follow?: boolean | undefined;
  /** Ends the iteration; messages already fetched are dropped. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told of a message whose body cannot be read or decoded (BODY_UNREADABLE, DECODE_FAILED), which is then
   * skipped. Without it the iteration rejects with that error.
   */
  readonly onUndecodable?: ((error: OrbitError, message: ReceivedMessage) => void) | undefined;
}

export const readerLimits = {
  /** The group brokers know their tools by; it needs no heartbeat (RocketMQ: TOOLS_CONSUMER_GROUP). */
  group: "TOOLS_CONSUMER",
  pullBatchSize: 32,
  /** Fetched messages not yet taken, beyond which nothing is fetched. */
  bufferedMax: 1_000,
  /** Failures in a row after which a read that does not follow gives up. */
  failuresMax: 3,
} as const;
