/** All queues of the store by topic and queue id (RocketMQ: ConsumeQueueStore). */
import { ConsumeQueue } from "./consume-queue.ts";
import { UnitPool } from "./unit-pool.ts";

export class QueueTable {
  readonly #topics = new Map<string, Map<number, ConsumeQueue>>();
  /** Where the queues' newest units are. */
  readonly pool = new UnitPool();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  find(topic: string, queueId: number): ConsumeQueue | undefined {
    return this.#topics.get(topic)?.get(queueId);
  }

  findOrCreate(topic: string, queueId: number): ConsumeQueue {
    let queues = this.#topics.get(topic);
    if (queues === undefined) {
      queues = new Map();
      this.#topics.set(topic, queues);
    }
    let queue = queues.get(queueId);
    if (queue === undefined) {
      queue = new ConsumeQueue(topic, queueId, this.pool);
      queues.set(queueId, queue);
      this.#count += 1;
    }
    return queue;
  }

  topics(): string[] {
    return [...this.#topics.keys()];
  }

  /** Ascending. */
  queueIds(topic: string): number[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])].sort((a, b) => a - b);
  }

  *all(): IterableIterator<ConsumeQueue> {
    for (const queues of this.#topics.values()) yield* queues.values();
  }
}
