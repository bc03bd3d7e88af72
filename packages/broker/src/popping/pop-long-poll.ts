/**
 * Pops that found nothing and wait for a message (RocketMQ: PopLongPollingService). One that waits is
 *
 *   parked → woken    a message it may want became readable, or messages were left over by another pop
 *          → due      a queue that was closed for it opens: it looks again, and may go on waiting
 *          → expired  its time is over: answered with nothing
 *          → stopped  the broker stops
 *          → gone     its connection closed: forgotten
 *
 * A message wakes one of a group, the one that waits longest: whoever finds more than it can take wakes the next.
 * Waiters of a topic hear of messages in the group's retry topics, too.
 */
import { assert, type Host } from "@orbitmq/host";
import type { ArrivalListener } from "@orbitmq/store";
import { popRetryTopicV1, popRetryTopicV2 } from "@orbitmq/wire";
import { isRetryTopic } from "../names.ts";
import { type Waiter, WaitingRoom } from "../pulling/waiting-room.ts";

type AtDeadline = "due" | "expired";
export type PopResumeReason = "woken" | "stopped" | AtDeadline;

export interface PopWaiter extends Waiter<AtDeadline> {
  readonly group: string;
  /** What it subscribes to. */
  readonly topic: string;
  /** Negative: any. */
  readonly queueId: number;
  /** When it is resumed at the latest, monotonic ms. */
  readonly deadlineMs: number;
  /** The end of its own time. */
  readonly expiresMs: number;
  /** Tells by the tags code whether a message of the topic can be wanted; absent: every one is. */
  readonly matches: ((tagsCode: number) => boolean) | undefined;
}

export interface PopLongPollLimits {
  /** Waiters of one group for one topic and queue. */
  readonly popPollingSize: number;
  readonly maxPopPollingSize: number;
}

interface Waiting {
  readonly group: string;
  readonly topic: string;
  /** In the order they came. */
  readonly waiters: Set<PopWaiter>;
}

export class PopLongPoll implements ArrivalListener {
  readonly #limits: PopLongPollLimits;
  /** topic → group. */
  readonly #topics = new Map<string, Map<string, Waiting>>();
  /** The retry topics of those who wait. */
  readonly #retryTopics = new Map<string, Waiting>();
  readonly #room: WaitingRoom<AtDeadline, PopWaiter>;
  /** Messages that arrived: who looked before the last one must look again before it is parked. */
  arrivals = 0;

  constructor(host: Pick<Host, "clock" | "timers">, limits: PopLongPollLimits) {
    this.#limits = limits;
    this.#room = new WaitingRoom(host, {
      left: (waiter) => this.#left(waiter),
      atDeadline: ({ expiresMs }, nowMs) => (expiresMs > nowMs ? "due" : "expired"),
    });
  }

  get size(): number {
    return this.#room.size;
  }

  /** How many of a group wait for a queue; negative: for any. */
  waiting(group: string, topic: string, queueId: number): number {
    let count = 0;
    for (const waiter of this.#topics.get(topic)?.get(group)?.waiters ?? []) {
      if (waiter.queueId === queueId || (waiter.queueId < 0 && queueId < 0)) count++;
    }
    return count;
  }

  park(waiter: PopWaiter): "parked" | "full" | "stopped" {
    if (!this.#room.admits(waiter.peer)) return "stopped";
    const { group, topic, queueId } = waiter;
    const { popPollingSize, maxPopPollingSize } = this.#limits;
    if (this.size >= maxPopPollingSize || this.#isFull(group, topic, queueId, popPollingSize)) return "full";
    const groups = this.#topics.get(topic) ?? new Map<string, Waiting>();
    this.#topics.set(topic, groups);
    let waiting = groups.get(group);
    if (waiting === undefined) {
      waiting = { group, topic, waiters: new Set() };
      groups.set(group, waiting);
      this.#retryTopics.set(popRetryTopicV1(topic, group), waiting);
      this.#retryTopics.set(popRetryTopicV2(topic, group), waiting);
    }
    waiting.waiters.add(waiter);
    this.#room.enter(waiter);
    return "parked";
  }

  #isFull(group: string, topic: string, queueId: number, max: number): boolean {
    const waiters = this.#topics.get(topic)?.get(group)?.waiters;
    return waiters !== undefined && waiters.size >= max && this.waiting(group, topic, queueId) >= max;
  }

  messageArrived(topic: string, queueId: number, _endOffset: number, tagsCode: number): void {
    this.arrivals++;
    if (this.#room.size === 0) return;
    for (const waiting of this.#topics.get(topic)?.values() ?? []) this.#wakeOne(waiting, queueId, tagsCode);
    if (!isRetryTopic(topic)) return;
    const waiting = this.#retryTopics.get(topic);
    if (waiting !== undefined) this.#wakeOne(waiting, -1, undefined);
  }

  /** There is something left for a group in a queue; negative: in one of them. */
  wake(group: string, topic: string, queueId: number): void {
    const waiting = this.#topics.get(topic)?.get(group);
    if (waiting !== undefined) this.#wakeOne(waiting, queueId, undefined);
  }

  #wakeOne({ waiters }: Waiting, queueId: number, tagsCode: number | undefined): void {
    for (const waiter of waiters) {
      if (queueId >= 0 && waiter.queueId >= 0 && waiter.queueId !== queueId) continue;
      if (tagsCode !== undefined && waiter.matches?.(tagsCode) === false) continue;
      this.#room.wake(waiter);
      return;
    }
  }

  /** Resumes every waiter as `stopped`; nobody can be parked afterwards. */
  stop(): void {
    this.#room.close();
  }

  #left(waiter: PopWaiter): void {
    const groups = this.#topics.get(waiter.topic);
    const waiting = groups?.get(waiter.group);
    assert(groups !== undefined && waiting?.waiters.delete(waiter) === true, "who waits is in the table");
    if (waiting.waiters.size > 0) return;
    groups.delete(waiter.group);
    this.#retryTopics.delete(popRetryTopicV1(waiter.topic, waiter.group));
    this.#retryTopics.delete(popRetryTopicV2(waiter.topic, waiter.group));
    if (groups.size === 0) this.#topics.delete(waiter.topic);
  }
}
