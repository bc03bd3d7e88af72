/**
 * Offsets an administrator has set and the group's members have not been told of yet (RocketMQ:
 * ConsumerOffsetManager.resetOffsetTable). A pure table, kept in memory only. It costs nothing while it is empty,
 * as it is nearly always.
 */
export class PendingResets {
  /** group → `topic@queueId` → offset */
  readonly #groups = new Map<string, Map<string, number>>();

  put(group: string, topic: string, queueId: number, offset: number): void {
    const queues = this.#groups.get(group);
    if (queues === undefined) this.#groups.set(group, new Map([[keyOf(topic, queueId), offset]]));
    else queues.set(keyOf(topic, queueId), offset);
  }

  has(group: string, topic: string, queueId: number): boolean {
    if (this.#groups.size === 0) return false;
    return this.#groups.get(group)?.has(keyOf(topic, queueId)) === true;
  }

  /** The offset, which is forgotten. */
  take(group: string, topic: string, queueId: number): number | undefined {
    if (this.#groups.size === 0) return undefined;
    const queues = this.#groups.get(group);
    const key = keyOf(topic, queueId);
    const offset = queues?.get(key);
    if (queues?.delete(key) === true && queues.size === 0) this.#groups.delete(group);
    return offset;
  }

  forgetGroup(group: string): void {
    this.#groups.delete(group);
  }

  forgetTopic(topic: string): void {
    for (const [group, queues] of this.#groups) {
      for (const key of queues.keys()) if (key.startsWith(`${topic}@`)) queues.delete(key);
      if (queues.size === 0) this.#groups.delete(group);
    }
  }
}

function keyOf(topic: string, queueId: number): string {
  return `${topic}@${queueId}`;
}
