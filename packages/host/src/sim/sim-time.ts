/** Clock and timers of one simulated process, on virtual time. */
import type { Clock, TimerHandle, Timers } from "../clock.ts";
import type { SimEvent } from "./event-queue.ts";
import type { SimHost } from "./sim-host.ts";

export class SimClock implements Clock {
  readonly #host: SimHost;
  readonly #originMs: number;

  constructor(host: SimHost, originMs: number) {
    this.#host = host;
    this.#originMs = originMs;
  }

  wallMs(): number {
    return this.#host.machine.wallMs();
  }

  monotonicMs(): number {
    return this.#originMs + this.#host.world.loop.nowUs / 1000;
  }
}

class Timer implements TimerHandle {
  event: SimEvent | undefined;

  cancel(): void {
    if (this.event !== undefined) this.event.cancelled = true;
  }
}

export class SimTimers implements Timers {
  readonly #host: SimHost;
  #turn: (() => void)[] = [];
  #turnScheduled = false;

  constructor(host: SimHost) {
    this.#host = host;
  }

  after(delayMs: number, fn: () => void): TimerHandle {
    const host = this.#host;
    host.assertAlive();
    const timer = new Timer();
    timer.event = host.world.loop.schedule(this.#delayUs(delayMs), host, "timer", 0, fn);
    return timer;
  }

  every(intervalMs: number, fn: () => void): TimerHandle {
    const host = this.#host;
    host.assertAlive();
    const { loop } = host.world;
    const timer = new Timer();
    const fire = () => {
      timer.event = loop.schedule(this.#delayUs(intervalMs), host, "timer", 1, fire);
      fn();
    };
    timer.event = loop.schedule(this.#delayUs(intervalMs), host, "timer", 1, fire);
    return timer;
  }

  /** What is added during a turn runs a turn later. */
  afterTurn(fn: () => void): void {
    const host = this.#host;
    host.assertAlive();
    this.#turn.push(fn);
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    const { loop, random, options } = host.world;
    const delayUs = random.between(options.turnUs.min, options.turnUs.max);
    loop.schedule(delayUs, host, "turn", 0, this.#runTurn);
  }

  readonly #runTurn = (): void => {
    const turn = this.#turn;
    this.#turn = [];
    this.#turnScheduled = false;
    for (const callback of turn) callback();
  };

  /** Node never waits less than a millisecond, and a busy process is late. */
  #delayUs(delayMs: number): number {
    const { random, options } = this.#host.world;
    return Math.max(1, delayMs) * 1000 + random.between(options.timerLateUs.min, options.timerLateUs.max);
  }
}
