/** Skeleton of the push consumer; the behaviour behind these signatures follows. */
import type { Host } from "@orbitmq/host";
import type { ClientState, ShutdownOptions, ShutdownResult } from "../client-options.ts";
import type { MessageQueue } from "../message.ts";
import type { Topic } from "../typed-topic.ts";
import type { PushConsumerOptions } from "./consumer-options.ts";
import type { ListenBatchOptions, ListenOptions, MessageBatchListener, MessageListener } from "./listener.ts";

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

export interface PushConsumerStatus {
  readonly state: ClientState;
  /** Started, and every subscribed topic that exists was divided at least once: fit for a readiness probe. */
  readonly ready: boolean;
  readonly group: string;
  readonly clientId: string;
  /** Subscribed topics that no NameServer knows yet. */
  readonly topicsWithoutRoute: readonly string[];
  readonly queues: readonly QueueStatus[];
  readonly listenersRunning: number;
  readonly consumed: number;
  readonly failed: number;
}

export class PushConsumer {
  constructor(_host: Host, _options: PushConsumerOptions) {}

  /** Before or after `start`. One listener per topic; a second one replaces nothing and throws. */
  listen(topic: string, listener: MessageListener, options?: ListenOptions): void;
  listen<T>(topic: Topic<T>, listener: MessageListener<T>, options?: ListenOptions): void;
  listen(_topic: string | Topic<unknown>, _listener: unknown, _options: ListenOptions = {}): void {}

  /** `listen` with RocketMQ's order of arguments. */
  subscribe(topic: string, tags: string, listener: MessageListener): void;
  subscribe<T>(topic: Topic<T>, tags: string, listener: MessageListener<T>): void;
  subscribe(_topic: string | Topic<unknown>, _tags: string, _listener: unknown): void {}

  /** The listener takes a list; its result counts for all of it. */
  listenBatch(topic: string, listener: MessageBatchListener, options?: ListenBatchOptions): void;
  listenBatch<T>(topic: Topic<T>, listener: MessageBatchListener<T>, options?: ListenBatchOptions): void;
  listenBatch(_topic: string | Topic<unknown>, _listener: unknown, _options: ListenBatchOptions = {}): void {}

  start(): Promise<void> {
    throw new Error("not there yet");
  }

  status(): PushConsumerStatus {
    throw new Error("not there yet");
  }

  /**
   * Stops pulling, lets running listeners finish, persists offsets, unregisters. Messages not begun are left
   * to the group. Twice is once.
   */
  shutdown(_options: ShutdownOptions = {}): Promise<ShutdownResult> {
    throw new Error("not there yet");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
