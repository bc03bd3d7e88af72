/**
 * Looks at messages without taking part: joins no group, commits nothing (what `orbitmq consume` without a group
 * does). In each queue messages come in order; queues are read side by side.
 */
import type { Host } from "@orbitmq/host";
import { ClientInstance } from "../../connection/client-instance.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import { type Topic, topicName } from "../../message/typed-topic.ts";
import { checkTopic } from "../../names/names.ts";
import type { ClientOptions, ClientState } from "../../options/client-options.ts";
import { checkFrom } from "../consumer-settings.ts";
import { ReadSession } from "./read-session.ts";
import type { ReadOptions } from "./reader-options.ts";

export class Reader {
  readonly #instance: ClientInstance;
  readonly #sessions = new Set<ReadSession>();

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: ClientOptions = {}) {
    this.#instance = new ClientInstance(host, options);
  }

  get state(): ClientState {
    return this.#instance.state;
  }

  /** Resolves when a NameServer has answered; rejects with NAME_SERVER_UNREACHABLE after `startTimeoutMs`. */
  start(): Promise<void> {
    return this.#instance.start();
  }

  /**
   * Throws NOT_RUNNING, SHUT_DOWN or INVALID_ARGUMENT. A topic without a route is waited for when following,
   * else the iteration ends at once. Leaving the loop ends the reading.
   */
  read(topic: string, options?: ReadOptions): AsyncIterableIterator<ReceivedMessage>;
  read<T>(topic: Topic<T>, options?: ReadOptions): AsyncIterableIterator<ReceivedMessage<T>>;
  read(
    topic: string | Topic<unknown>,
    options: ReadOptions = {},
  ): AsyncIterableIterator<ReceivedMessage<never>> {
    this.#instance.checkRunning();
    const name = this.#instance.namespace.wrap(topicName(topic));
    checkTopic(name);
    if (options.from !== undefined) checkFrom(options.from);
    const codec = typeof topic === "string" ? undefined : topic.codec;
    const session = new ReadSession(this.#instance, name, codec, options, (done) => {
      this.#sessions.delete(done);
    });
    this.#sessions.add(session);
    session.open();
    return iterate(session) as AsyncIterableIterator<ReceivedMessage<never>>;
  }

  /** Ends every iteration and every connection. Twice is once. Never rejects. */
  async shutdown(): Promise<void> {
    this.#instance.beginStop();
    for (const session of this.#sessions) session.close();
    await this.#instance.close(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

function iterate(session: ReadSession): AsyncIterableIterator<ReceivedMessage<unknown>> {
  return {
    async next() {
      const value = await session.next();
      return value === undefined ? { value, done: true } : { value, done: false };
    },
    async return() {
      session.close();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
