/**
 * How far each group has popped each queue. The next offset lives here, ahead of the committed one: an offset is
 * committed only when everything before it is either acknowledged or has a durable checkpoint, so that a crash
 * gives messages twice, and never loses one. Whoever else sets the committed offset (an administrator, a reset) is
 * believed: popping goes on from there, backward, too.
 *
 *   initial offset, where none is committed: the queue's first (initMode MIN, and retry topics always), or the
 *   last message (MAX), except that a queue whose message 0 is still in memory begins with that
 */
import type { MessageStore } from "@orbitmq/store";
import { ConsumeInitMode } from "@orbitmq/wire";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { isRetryTopic } from "../names.ts";
import type { DurableStep } from "./durable-steps.ts";
import type { ReviveLog } from "./revive-log.ts";

export class PopQueue {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  /** What the next pop begins with. */
  next: number;
  /** The committed offset as we know it. */
  committed: number;
  /** Somebody reads it, and it is nobody else's meanwhile. */
  isLocked = false;
  /** Somebody found it locked. */
  isWanted = false;
  /** Moves of `next` that are not committed yet. */
  pending = 0;
  /** Moves made before somebody else set the offset count no more. */
  generation = 0;

  constructor(group: string, topic: string, queueId: number, next: number) {
    this.group = group;
    this.topic = topic;
    this.queueId = queueId;
    this.next = next;
    this.committed = next;
  }
}

export interface PopQueuesNeeds {
  readonly store: Pick<MessageStore, "minOffset" | "readableEnd" | "isInMemory">;
  readonly offsets: OffsetRegistry;
  readonly log: Pick<ReviveLog, "onceDurable" | "lastPosition">;
  readonly initPopOffsetByCheckMsgInMem: boolean;
  /** Told when an administrator has set a queue's offset. */
  readonly onReset: (group: string, topic: string, queueId: number) => void;
}

export class PopQueues {
  readonly #needs: PopQueuesNeeds;
  readonly #queues = new Map<string, PopQueue>();

  constructor(needs: PopQueuesNeeds) {
    this.#needs = needs;
  }

  get size(): number {
    return this.#queues.size;
  }

  /** Where the queue is popped now; a first pop commits where it begins. */
  open(group: string, topic: string, queueId: number, initMode: number): PopQueue {
    const { offsets, onReset } = this.#needs;
    const key = keyOf(group, topic, queueId);
    const reset = offsets.takeReset(group, topic, queueId);
    if (reset !== undefined) onReset(group, topic, queueId);
    let queue = this.#queues.get(key);
    let committed = offsets.get(group, topic, queueId);
    if (committed === undefined) {
      offsets.commit(group, topic, queueId, this.#initial(topic, queueId, initMode), "pop");
      committed = offsets.get(group, topic, queueId) ?? 0;
    }
    if (queue === undefined) {
      queue = new PopQueue(group, topic, queueId, committed);
      this.#queues.set(key, queue);
    } else if (reset !== undefined || committed !== queue.committed) {
      queue.next = committed;
      queue.committed = committed;
      queue.generation++;
      queue.pending = 0;
    }
    return queue;
  }

  /** What the next pop of a queue would begin with; changes nothing. */
  peek(group: string, topic: string, queueId: number, initMode: number): number {
    const committed = this.#needs.offsets.get(group, topic, queueId);
    if (committed === undefined) return this.#initial(topic, queueId, initMode);
    const queue = this.#queues.get(keyOf(group, topic, queueId));
    return queue !== undefined && queue.committed === committed ? queue.next : committed;
  }

  isLocked(group: string, topic: string, queueId: number): boolean {
    return this.#queues.get(keyOf(group, topic, queueId))?.isLocked === true;
  }

  /** Messages up to `next` were popped; their checkpoint ends at `position` of the log. */
  popped(queue: PopQueue, next: number, position: number): void {
    queue.next = next;
    this.#commitLater(queue, next, position);
  }

  /** What lies before `next` is nobody's to get: not wanted, or not there. */
  passed(queue: PopQueue, next: number): void {
    queue.next = next;
    if (queue.pending === 0) this.#commit(queue, next);
    else this.#commitLater(queue, next, this.#needs.log.lastPosition);
  }

  /** Forgets what the committed offset says as well. */
  release(queue: PopQueue): void {
    if (queue.isLocked || queue.isWanted || queue.pending > 0 || queue.next !== queue.committed) return;
    this.#queues.delete(keyOf(queue.group, queue.topic, queue.queueId));
  }

  /** Commits what an acknowledgement in order has freed. */
  commitInOrder(group: string, topic: string, queueId: number, offset: number): void {
    this.#needs.offsets.commit(group, topic, queueId, offset, "pop");
  }

  #commitLater(queue: PopQueue, next: number, position: number): void {
    queue.pending++;
    const { generation } = queue;
    const step: DurableStep = {
      position,
      durable: () => {
        if (queue.generation !== generation) return;
        queue.pending--;
        this.#commit(queue, next);
        this.release(queue);
      },
    };
    this.#needs.log.onceDurable(step);
  }

  #commit(queue: PopQueue, offset: number): void {
    const { offsets } = this.#needs;
    const { group, topic, queueId } = queue;
    if (offsets.get(group, topic, queueId) !== queue.committed) return;
    offsets.commit(group, topic, queueId, offset, "pop");
    queue.committed = offsets.get(group, topic, queueId) ?? queue.committed;
  }

  #initial(topic: string, queueId: number, initMode: number): number {
    const { store, initPopOffsetByCheckMsgInMem } = this.#needs;
    const min = store.minOffset(topic, queueId);
    if (initMode === ConsumeInitMode.MIN || isRetryTopic(topic)) return min;
    if (initPopOffsetByCheckMsgInMem && min <= 0 && store.isInMemory(topic, queueId, 0)) return 0;
    return Math.max(store.readableEnd(topic, queueId) - 1, 0);
  }
}

function keyOf(group: string, topic: string, queueId: number): string {
  return `${group}@${topic}@${queueId}`;
}
