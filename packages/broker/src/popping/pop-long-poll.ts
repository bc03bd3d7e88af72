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
import { assert, type Host, type TimerHandle } from "@orbitmq/host";
import type { ArrivalListener } from "@orbitmq/store";
import { type Peer, popRetryTopicV1, popRetryTopicV2 } from "@orbitmq/wire";
import { isRetryTopic } from "../names.ts";
import { DeadlineHeap, type HasDeadline } from "../pulling/deadline-heap.ts";

export type PopResumeReason = "woken" | "due" | "expired" | "stopped";

export interface PopWaiter extends HasDeadline {
  readonly peer: Peer;
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
  /** Called once for each time it is parked, unless the connection closes first; never inside `park`. */
  resume(reason: PopResumeReason): void;
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
  readonly #host: Pick<Host, "clock" | "timers">;
  readonly #limits: PopLongPollLimits;
  /** topic → group. */
  readonly #topics = new Map<string, Map<string, Waiting>>();
  /** The retry topics of those who wait. */
  readonly #retryTopics = new Map<string, Waiting>();
  readonly #deadlines = new DeadlineHeap<PopWaiter>();
  readonly #byPeer = new Map<Peer, Set<PopWaiter>>();
  #woken: PopWaiter[] = [];
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  #stopped = false;
  /** Messages that arrived: who looked before the last one must look again before it is parked. */
  arrivals = 0;

  constructor(host: Pick<Host, "clock" | "timers">, limits: PopLongPollLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  get size(): number {
    return this.#deadlines.size;
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
    if (this.#stopped || waiter.peer.closed) return "stopped";
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
    this.#deadlines.add(waiter);
    this.#waitersOf(waiter.peer).add(waiter);
    this.#arm();
    return "parked";
  }

  #isFull(group: string, topic: string, queueId: number, max: number): boolean {
    const waiters = this.#topics.get(topic)?.get(group)?.waiters;
    return waiters !== undefined && waiters.size >= max && this.waiting(group, topic, queueId) >= max;
  }

  messageArrived(topic: string, queueId: number, _endOffset: number, tagsCode: number): void {
    this.arrivals++;
    if (this.#deadlines.size === 0) return;
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
      this.#forget(waiter);
      if (this.#woken.length === 0) this.#host.timers.afterTurn(() => this.#resumeWoken());
      this.#woken.push(waiter);
      return;
    }
  }

  /** Resumes every waiter as `stopped`; nobody can be parked afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (let waiter = this.#deadlines.first; waiter !== undefined; waiter = this.#deadlines.first) {
      this.#forget(waiter);
      waiter.resume("stopped");
    }
  }

  #resumeWoken(): void {
    const woken = this.#woken;
    this.#woken = [];
    for (const waiter of woken) waiter.resume("woken");
  }

  #arm(): void {
    const first = this.#deadlines.first;
    if (first === undefined || this.#stopped) return;
    if (this.#timer !== undefined && this.#timerAtMs <= first.deadlineMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = first.deadlineMs;
    const delayMs = Math.max(0, first.deadlineMs - this.#host.clock.monotonicMs());
    this.#timer = this.#host.timers.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#host.clock.monotonicMs();
    for (let waiter = this.#deadlines.first; waiter !== undefined; waiter = this.#deadlines.first) {
      if (waiter.deadlineMs > nowMs) break;
      this.#forget(waiter);
      waiter.resume(waiter.expiresMs > nowMs ? "due" : "expired");
    }
    this.#arm();
  }

  #waitersOf(peer: Peer): Set<PopWaiter> {
    let waiters = this.#byPeer.get(peer);
    if (waiters === undefined) {
      waiters = new Set();
      this.#byPeer.set(peer, waiters);
      peer.onClosed(() => this.#peerClosed(peer));
    }
    return waiters;
  }

  #peerClosed(peer: Peer): void {
    for (const waiter of this.#byPeer.get(peer) ?? []) this.#forget(waiter);
    this.#byPeer.delete(peer);
  }

  #forget(waiter: PopWaiter): void {
    this.#deadlines.remove(waiter);
    this.#byPeer.get(waiter.peer)?.delete(waiter);
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
