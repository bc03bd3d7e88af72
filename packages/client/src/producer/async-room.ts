/**
 * Room for asynchronous sends, in messages and bytes (RocketMQ: the semaphores of enableBackpressureForAsyncMode). A
 * send that finds none waits behind those that came before it; it gives up when its time is over. Pure but for the
 * timer.
 */
import type { Host, TimerHandle } from "@orbitmq/host";
import { Fifo } from "../fifo.ts";

export interface RoomLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
  readonly refuse: (why: "timeout" | "closed") => void;
  readonly timer: TimerHandle;
  isOver: boolean;
}

export class AsyncRoom {
  readonly #host: Host;
  readonly #limits: RoomLimits;
  readonly #waiting = new Fifo<Waiting>();
  #waitingCount = 0;
  #messages = 0;
  #bytes = 0;
  #onRoom: (() => void)[] = [];

  constructor(host: Host, limits: RoomLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  /** Sends that wait for room. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** The next send would not have to wait. */
  get hasRoom(): boolean {
    const { messagesMax, bytesMax } = this.#limits;
    return this.#waitingCount === 0 && this.#messages < messagesMax && this.#bytes < bytesMax;
  }

  /** Calls `go` at once or when there is room, or `refuse`; after `go` comes {@link leave}. */
  enter(bytes: number, timeoutMs: number, go: () => void, refuse: (why: "timeout" | "closed") => void): void {
    if (this.#waitingCount === 0 && this.#fits(bytes)) {
      this.#take(bytes);
      go();
      return;
    }
    const entry: Waiting = {
      bytes,
      go,
      refuse,
      isOver: false,
      timer: this.#host.timers.after(timeoutMs, () => {
        this.#giveUp(entry, "timeout");
        this.#admit();
      }),
    };
    this.#waitingCount += 1;
    this.#waiting.push(entry);
  }

  /** A send that had room is over. */
  leave(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
    this.#admit();
  }

  /** Resolves when {@link hasRoom}. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : new Promise((resolve) => this.#onRoom.push(resolve));
  }

  /** Whoever waits is refused. */
  close(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!next.isOver) this.#giveUp(next, "closed");
    }
  }

  #giveUp(entry: Waiting, why: "timeout" | "closed"): void {
    entry.isOver = true;
    entry.timer.cancel();
    this.#waitingCount -= 1;
    entry.refuse(why);
  }

  #admit(): void {
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (!next.isOver && !this.#fits(next.bytes)) break;
      this.#waiting.shift();
      if (next.isOver) continue;
      next.timer.cancel();
      this.#waitingCount -= 1;
      this.#take(next.bytes);
      next.go();
    }
    if (this.hasRoom) for (const resolve of this.#onRoom.splice(0)) resolve();
  }

  /** A message larger than all room goes when it is alone. */
  #fits(bytes: number): boolean {
    const { messagesMax, bytesMax } = this.#limits;
    return this.#messages < messagesMax && (this.#bytes + bytes <= bytesMax || this.#messages === 0);
  }

  #take(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
  }
}
