/**
 * Pulls that found nothing and wait for a message (RocketMQ: PullRequestHoldService). A pull is
 *
 *   parked → woken    a message it may want became readable, or the queue that stood still goes on: it is run again at
 *                     the end of the turn
 *          → expired  its time is over: run once more, and answered whatever is found
 *          → stopped  the broker stops: answered 19
 *          → gone     its connection closed: forgotten
 *
 * and leaves exactly once. RocketMQ looks at all parked pulls every five seconds; here arrivals and one timer
 * for the earliest deadline do all the work, and the caller closes the gap between looking and parking by
 * comparing the queue's end (see pull-message).
 */
import { assert, type Host } from "@orbitmq/host";
import type { ArrivalListener } from "@orbitmq/store";
import { type Waiter, WaitingRoom } from "./waiting-room.ts";

export type ResumeReason = "woken" | "expired" | "stopped";

export interface ParkedPull extends Waiter<"expired"> {
  readonly topic: string;
  readonly queueId: number;
  /** Who pulls. */
  readonly group?: string | undefined;
  /** The offset it waits for. */
  readonly offset: number;
  /** Tells by the tags code whether a message can be wanted; absent: every message is. */
  readonly matches: ((tagsCode: number) => boolean) | undefined;
}

export class LongPoll implements ArrivalListener {
  readonly #parkedMax: number;
  readonly #queues = new Map<string, Map<number, Set<ParkedPull>>>();
  readonly #room: WaitingRoom<"expired", ParkedPull>;

  constructor(host: Pick<Host, "clock" | "timers">, parkedMax: number) {
    this.#parkedMax = parkedMax;
    this.#room = new WaitingRoom(host, { left: (pull) => this.#left(pull), atDeadline: () => "expired" });
  }

  get size(): number {
    return this.#room.size;
  }

  /** False when it cannot be parked: too many are, its connection is closed, or the broker stops. */
  park(pull: ParkedPull): boolean {
    if (!this.#room.admits(pull.peer) || this.size >= this.#parkedMax) return false;
    let queues = this.#queues.get(pull.topic);
    if (queues === undefined) {
      queues = new Map();
      this.#queues.set(pull.topic, queues);
    }
    const parked = queues.get(pull.queueId);
    if (parked === undefined) queues.set(pull.queueId, new Set([pull]));
    else parked.add(pull);
    this.#room.enter(pull);
    return true;
  }

  messageArrived(topic: string, queueId: number, endOffset: number, tagsCode: number): void {
    if (this.#room.size === 0) return;
    const parked = this.#queues.get(topic)?.get(queueId);
    if (parked === undefined) return;
    // Waking one takes it out of the set, which iteration allows.
    for (const pull of parked) {
      if (endOffset <= pull.offset || pull.matches?.(tagsCode) === false) continue;
      this.#room.wake(pull);
    }
  }

  queueReleased(topic: string, queueId: number): void {
    for (const pull of [...(this.#queues.get(topic)?.get(queueId) ?? [])]) this.#room.wake(pull);
  }

  /** Wakes a group's pulls of a queue, whatever they wait for. */
  wakeGroup(group: string, topic: string, queueId: number): void {
    for (const pull of [...(this.#queues.get(topic)?.get(queueId) ?? [])]) {
      if (pull.group === group) this.#room.wake(pull);
    }
  }

  /** Resumes every parked pull as `stopped`; nothing can be parked afterwards. */
  stop(): void {
    this.#room.close();
  }

  #left(pull: ParkedPull): void {
    const queues = this.#queues.get(pull.topic);
    const parked = queues?.get(pull.queueId);
    assert(queues !== undefined && parked !== undefined, "a parked pull is in no queue");
    assert(parked.delete(pull), "a parked pull is missing in its queue");
    if (parked.size > 0) return;
    queues.delete(pull.queueId);
    if (queues.size === 0) this.#queues.delete(pull.topic);
  }
}
