/**
 * How far queues were popped beyond their committed offsets, as the revive log tells it after a kill -9: offsets are
 * written every few seconds, checkpoints at once, and a message whose checkpoint is there must not come before its
 * time. The pops that the written offsets do not know of (their checkpoints end behind the offsets' mark) are followed
 * in the order of the log, as far as each begins where the queue stands or before: then every message that is passed
 * has a checkpoint, which brings it back or was acknowledged.
 *
 * Where one begins further on (unwanted messages were passed over, somebody had set the offset), or the log cannot be
 * read without a gap, the queue stays where it is: messages come twice, and none is lost.
 */
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { CheckPointRecord } from "./revive-records.ts";

interface Pop {
  readonly ck: CheckPointRecord;
  readonly nextOffset: number;
  readonly endPosition: number;
}

export class PopTrail {
  /** The log has a gap. */
  isBroken = false;
  readonly #mark: number | undefined;
  readonly #pops: Pop[] = [];

  /** `mark`: the offsets know of pops whose checkpoints end there or before; `undefined`: nobody can tell. */
  constructor(mark: number | undefined) {
    this.#mark = mark;
  }

  /** A checkpoint was read that ends at `endPosition` of the log. */
  add(ck: CheckPointRecord, endPosition: number): void {
    const { nextOffset } = ck;
    if (nextOffset === undefined || this.#mark === undefined || endPosition <= this.#mark) return;
    this.#pops.push({ ck, nextOffset, endPosition });
  }

  /** Commits how far the queues were popped. */
  follow(offsets: Pick<OffsetRegistry, "get" | "commit">): void {
    if (this.isBroken) return;
    this.#pops.sort((a, b) => a.endPosition - b.endPosition);
    for (const { ck, nextOffset } of this.#pops) {
      const { group, topic, queueId, startOffset } = ck;
      // Without an offset the pop began where a new group does.
      const committed = offsets.get(group, topic, queueId) ?? startOffset;
      if (startOffset <= committed) offsets.commit(group, topic, queueId, nextOffset, "pop");
    }
  }
}
