/**
 * How far each group has pulled each queue (RocketMQ: ConsumerOffsetManager.pullOffsetTable): what lies between that and
 * its committed offset is on its way through a consumer. For metrics only; nothing is kept.
 */
export class PullOffsets {
  /** group → topic → queue id → offset. */
  readonly #table = new Map<string, Map<string, (number | undefined)[]>>();

  /** A pull of the group was told to go on at `offset`. */
  note(group: string, topic: string, queueId: number, offset: number): void {
    let topics = this.#table.get(group);
    if (topics === undefined) {
      topics = new Map();
      this.#table.set(group, topics);
    }
    const offsets = topics.get(topic);
    if (offsets !== undefined) offsets[queueId] = offset;
    else {
      const first: (number | undefined)[] = [];
      first[queueId] = offset;
      topics.set(topic, first);
    }
  }

  get(group: string, topic: string, queueId: number): number | undefined {
    return this.#table.get(group)?.get(topic)?.[queueId];
  }

  /** The group is gone. */
  forget(group: string): void {
    this.#table.delete(group);
  }
}
