/** Skeleton of the reader; the behaviour behind these signatures follows. */
import type { Host } from "@orbitmq/host";
import type { ClientOptions, ShutdownOptions } from "../client-options.ts";
import type { ReceivedMessage } from "../received-message.ts";
import type { Topic } from "../typed-topic.ts";
import type { ConsumeFrom } from "./consumer-options.ts";

export interface ReadOptions {
  /** Where to begin in every queue. Default "first". */
  readonly from?: ConsumeFrom | undefined;
  /** `*` (default), or tags joined by `||`. */
  readonly tags?: string | undefined;
  /** Wait for new messages at the end (default), or end when every queue was read to where it ended at the call. */
  readonly follow?: boolean | undefined;
  /** Ends the iteration; messages already fetched are dropped. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at messages without taking part: joins no group, commits nothing. In each queue messages come in order;
 * queues are read side by side.
 */
export class Reader {
  constructor(_host: Host, _options: ClientOptions = {}) {}

  start(): Promise<void> {
    throw new Error("not there yet");
  }

  /** A topic without a route is waited for when following; else the iteration ends at once. */
  read(topic: string, options?: ReadOptions): AsyncIterableIterator<ReceivedMessage>;
  read<T>(topic: Topic<T>, options?: ReadOptions): AsyncIterableIterator<ReceivedMessage<T>>;
  read(_topic: string | Topic<unknown>, _options: ReadOptions = {}): AsyncIterableIterator<never> {
    throw new Error("not there yet");
  }

  /** Ends every iteration. */
  shutdown(_options: ShutdownOptions = {}): Promise<void> {
    throw new Error("not there yet");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
