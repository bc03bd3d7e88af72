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
import { assert, type Host, type TimerHandle } from "@orbitmq/host";
import type { ArrivalListener } from "@orbitmq/store";
import type { Peer } from "@orbitmq/wire";
import { DeadlineHeap, type HasDeadline } from "./deadline-heap.ts";

export type ResumeReason = "woken" | "expired" | "stopped";

export interface ParkedPull extends HasDeadline {
  readonly peer: Peer;
  readonly topic: string;
  readonly queueId: number;
  /** Who pulls. */
  readonly group?: string | undefined;
  /** The offset it waits for. */
  readonly offset: number;
  /** Tells by the tags code whether a message can be wanted; absent: every message is. */
  readonly matches: ((tagsCode: number) => boolean) | undefined;
  /** Called once, unless the connection closes first; never inside `park` or `messageArrived`. */
  resume(reason: ResumeReason): void;
}

export class LongPoll implements ArrivalListener {
  readonly #host: Pick<Host, "clock" | "timers">;
  readonly #parkedMax: number;
  readonly #queues = new Map<string, Map<number, Set<ParkedPull>>>();
  readonly #deadlines = new DeadlineHeap<ParkedPull>();
  readonly #byPeer = new Map<Peer, Set<ParkedPull>>();
  #woken: ParkedPull[] = [];
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  #stopped = false;

  constructor(host: Pick<Host, "clock" | "timers">, parkedMax: number) {
    this.#host = host;
    this.#parkedMax = parkedMax;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** False when it cannot be parked: too many are, its connection is closed, or the broker stops. */
  park(pull: ParkedPull): boolean {
    if (this.#stopped || pull.peer.closed || this.size >= this.#parkedMax) return false;
    let queues = this.#queues.get(pull.topic);
    if (queues === undefined) {
      queues = new Map();
      this.#queues.set(pull.topic, queues);
    }
    const parked = queues.get(pull.queueId);
    if (parked === undefined) queues.set(pull.queueId, new Set([pull]));
    else parked.add(pull);
    this.#deadlines.add(pull);
    this.#pullsOf(pull.peer).add(pull);
    this.#arm();
    return true;
  }

  messageArrived(topic: string, queueId: number, endOffset: number, tagsCode: number): void {
    if (this.#deadlines.size === 0) return;
    const parked = this.#queues.get(topic)?.get(queueId);
    if (parked === undefined) return;
    // Waking one takes it out of the set, which iteration allows.
    for (const pull of parked) {
      if (endOffset <= pull.offset || pull.matches?.(tagsCode) === false) continue;
      this.#wake(pull);
    }
  }

  queueReleased(topic: string, queueId: number): void {
    for (const pull of [...(this.#queues.get(topic)?.get(queueId) ?? [])]) this.#wake(pull);
  }

  /** Wakes a group's pulls of a queue, whatever they wait for. */
  wakeGroup(group: string, topic: string, queueId: number): void {
    for (const pull of [...(this.#queues.get(topic)?.get(queueId) ?? [])]) {
      if (pull.group === group) this.#wake(pull);
    }
  }

  #wake(pull: ParkedPull): void {
    this.#forget(pull);
    if (this.#woken.length === 0) this.#host.timers.afterTurn(() => this.#resumeWoken());
    this.#woken.push(pull);
  }

  /** Resumes every parked pull as `stopped`; nothing can be parked afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (let pull = this.#deadlines.first; pull !== undefined; pull = this.#deadlines.first) {
      this.#forget(pull);
      pull.resume("stopped");
    }
  }

  #resumeWoken(): void {
    const woken = this.#woken;
    this.#woken = [];
    for (const pull of woken) pull.resume("woken");
  }

  #arm(): void {
    const first = this.#deadlines.first;
    if (first === undefined) return;
    if (this.#timer !== undefined && this.#timerAtMs <= first.deadlineMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = first.deadlineMs;
    const delayMs = Math.max(0, first.deadlineMs - this.#host.clock.monotonicMs());
    this.#timer = this.#host.timers.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#host.clock.monotonicMs();
    for (let pull = this.#deadlines.first; pull !== undefined; pull = this.#deadlines.first) {
      if (pull.deadlineMs > nowMs) break;
      this.#forget(pull);
      pull.resume("expired");
    }
    this.#arm();
  }

  #pullsOf(peer: Peer): Set<ParkedPull> {
    let pulls = this.#byPeer.get(peer);
    if (pulls === undefined) {
      pulls = new Set();
      this.#byPeer.set(peer, pulls);
      peer.onClosed(() => this.#peerClosed(peer));
    }
    return pulls;
  }

  #peerClosed(peer: Peer): void {
    for (const pull of this.#byPeer.get(peer) ?? []) this.#forget(pull);
    this.#byPeer.delete(peer);
  }

  #forget(pull: ParkedPull): void {
    this.#deadlines.remove(pull);
    this.#byPeer.get(pull.peer)?.delete(pull);
    const queues = this.#queues.get(pull.topic);
    const parked = queues?.get(pull.queueId);
    assert(queues !== undefined && parked !== undefined, "a parked pull is in no queue");
    assert(parked.delete(pull), "a parked pull is missing in its queue");
    if (parked.size > 0) return;
    queues.delete(pull.queueId);
    if (queues.size === 0) this.#queues.delete(pull.topic);
  }
}
