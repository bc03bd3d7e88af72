/**
 * Tells brokers how far the group has got in the queues this consumer holds: every 5 s, and when a queue is given
 * up or the consumer ends (RocketMQ: RemoteBrokerOffsetStore). Only what changed is sent; after a broker was
 * reconnected everything of it is, because it may have lost the last seconds.
 */

import type { MessageQueue } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import type { ConsumeFrom } from "../consumer-options.ts";
import type { OffsetSource, OffsetStore, StartOffset } from "./offset-store.ts";
import { commitOffset, startOffset } from "./queue-offsets.ts";

export class OffsetPersister implements OffsetStore {
  readonly #instance: ClientInstance;
  readonly #group: string;
  readonly #from: ConsumeFrom;
  /** Commits on their way; a queue has at most one, so that an older offset cannot overtake a newer one. */
  readonly #committing = new Map<OffsetSource, Promise<void>>();

  constructor(instance: ClientInstance, group: string, from: ConsumeFrom) {
    this.#instance = instance;
    this.#group = group;
    this.#from = from;
  }

  start(queue: MessageQueue, bornLater: boolean): Promise<StartOffset> {
    return startOffset(this.#instance, this.#group, queue, this.#from, bornLater);
  }

  /** Never rejects. */
  async persistAll(queues: Iterable<OffsetSource>): Promise<void> {
    await Promise.all([...queues].map((queue) => this.persist(queue)));
  }

  /** Never rejects; a commit that fails is sent again next time. */
  persist(queue: OffsetSource): Promise<void> {
    return this.#persist(queue, () => queue.committableOffset);
  }

  /** As `persist`, for a queue given up when it had got to `offset`. */
  persistAt(queue: OffsetSource, offset: number): Promise<void> {
    return this.#persist(queue, () => offset);
  }

  async #persist(queue: OffsetSource, offsetNow: () => number): Promise<void> {
    while (this.#committing.has(queue)) await this.#committing.get(queue);
    const offset = offsetNow();
    if (offset === queue.persistedOffset) return;
    const commit = this.#commit(queue, offset).finally(() => this.#committing.delete(queue));
    this.#committing.set(queue, commit);
    await commit;
  }

  async #commit(queue: OffsetSource, offset: number): Promise<void> {
    const before = queue.persistedOffset;
    try {
      queue.persistedOffset = offset;
      await commitOffset(this.#instance, this.#group, queue.queue, offset);
    } catch (error) {
      if (queue.persistedOffset === offset) queue.persistedOffset = before;
      const { code, message } = fromUnknown(error);
      const { topic, brokerName, queueId } = queue.queue;
      if (code === "SHUT_DOWN") return;
      this.#instance.logger.warn({ topic, brokerName, queueId, offset, code }, `commit: ${message}`);
    }
  }
}
