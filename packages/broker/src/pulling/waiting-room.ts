/**
 * Requests that wait for something to happen: their deadlines with one timer for the earliest, the connections they
 * came over, and those that were woken in this turn. What they wait for, and where, only the room's owner knows; it is
 * told of each that leaves. A request that waits is
 *
 *   entered → woken    its owner wakes it: it goes on at the end of the turn
 *           → due      its deadline came
 *           → stopped  the room is closed
 *           → gone     its connection closed: forgotten, and never resumed
 *
 * and leaves exactly once for each time it entered.
 */
import type { Host, TimerHandle } from "@orbitmq/host";
import type { Peer } from "@orbitmq/wire";
import { DeadlineHeap, type HasDeadline } from "./deadline-heap.ts";

export interface Waiter<AtDeadline extends string> extends HasDeadline {
  readonly peer: Peer;
  /** Called once for each time it entered, unless the connection closes first; never inside `enter`. */
  resume(reason: "woken" | "stopped" | AtDeadline): void;
}

export interface WaitingRoomOwner<W, AtDeadline extends string> {
  /** It waits no more. */
  left(waiter: W): void;
  /** What one is told whose deadline came. */
  atDeadline(waiter: W, nowMs: number): AtDeadline;
}

export class WaitingRoom<AtDeadline extends string, W extends Waiter<AtDeadline>> {
  readonly #host: Pick<Host, "clock" | "timers">;
  readonly #owner: WaitingRoomOwner<W, AtDeadline>;
  readonly #deadlines = new DeadlineHeap<W>();
  readonly #byPeer = new Map<Peer, Set<W>>();
  #woken: W[] = [];
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  #isClosed = false;

  constructor(host: Pick<Host, "clock" | "timers">, owner: WaitingRoomOwner<W, AtDeadline>) {
    this.#host = host;
    this.#owner = owner;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** Whether one that came over this connection may wait. */
  admits(peer: Peer): boolean {
    return !this.#isClosed && !peer.closed;
  }

  enter(waiter: W): void {
    this.#deadlines.add(waiter);
    this.#waitersOf(waiter.peer).add(waiter);
    this.#arm();
  }

  wake(waiter: W): void {
    this.#leave(waiter);
    if (this.#woken.length === 0) this.#host.timers.afterTurn(() => this.#resumeWoken());
    this.#woken.push(waiter);
  }

  /** Resumes everyone as `stopped`; nobody is admitted afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (let waiter = this.#deadlines.first; waiter !== undefined; waiter = this.#deadlines.first) {
      this.#leave(waiter);
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
    if (first === undefined || this.#isClosed) return;
    if (this.#timer !== undefined && this.#timerAtMs <= first.deadlineMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = first.deadlineMs;
    const delayMs = Math.max(0, first.deadlineMs - this.#host.clock.monotonicMs());
    this.#timer = this.#host.timers.after(delayMs, () => this.#timeIsUp());
  }

  #timeIsUp(): void {
    this.#timer = undefined;
    const nowMs = this.#host.clock.monotonicMs();
    for (let waiter = this.#deadlines.first; waiter !== undefined; waiter = this.#deadlines.first) {
      if (waiter.deadlineMs > nowMs) break;
      this.#leave(waiter);
      waiter.resume(this.#owner.atDeadline(waiter, nowMs));
    }
    this.#arm();
  }

  #waitersOf(peer: Peer): Set<W> {
    let waiters = this.#byPeer.get(peer);
    if (waiters === undefined) {
      waiters = new Set();
      this.#byPeer.set(peer, waiters);
      peer.onClosed(() => this.#peerClosed(peer));
    }
    return waiters;
  }

  #peerClosed(peer: Peer): void {
    for (const waiter of this.#byPeer.get(peer) ?? []) this.#leave(waiter);
    this.#byPeer.delete(peer);
  }

  #leave(waiter: W): void {
    this.#deadlines.remove(waiter);
    this.#byPeer.get(waiter.peer)?.delete(waiter);
    this.#owner.left(waiter);
  }
}
