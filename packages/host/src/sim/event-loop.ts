/**
 * Virtual time: runs the next event, lets every microtask it caused finish, runs the next. The promises of
 * client code therefore settle at the virtual moment that settled them, and a run depends on nothing but its
 * seed. This is the one file of `host/sim` that uses Node's own scheduling: a microtask that asks for a
 * `process.nextTick` comes back only after every other microtask is done.
 *
 * Events marked internal move bytes inside the simulated machine and call no product code; no microtask can
 * be pending after one (unless it says so by `productRan`), so the next event follows at once.
 */
import { type EventOwner, EventQueue, type SimEvent } from "./event-queue.ts";
import { type Trace, type TraceKind, traceKind } from "./trace.ts";

/** Nothing stays inside one tick longer than this, so that signals reach the process that simulates. */
const EVENTS_PER_BURST = 4096;

/** Its reactions are microtasks, without the resource of its own that `queueMicrotask` makes for each. */
const NOW = Promise.resolve();

/** Set in an event's kind when its callback is no product code. */
const INTERNAL = 0x80;

export class EventLoop {
  readonly trace: Trace;
  #nowUs = 0;
  #sequence = 0;
  #eventCount = 0;
  #untilUs = 0;
  #drain = false;
  #stopAsked = false;
  #finish: ((error: unknown) => void) | undefined;
  readonly #onUncaught: (owner: EventOwner | undefined, error: unknown) => void;
  readonly #queue = new EventQueue();

  /** `onUncaught` is told what a callback threw; what it throws itself ends the run. */
  constructor(trace: Trace, onUncaught: (owner: EventOwner | undefined, error: unknown) => void) {
    this.trace = trace;
    this.#onUncaught = onUncaught;
  }

  /** Virtual microseconds since the world began; an integer. */
  get nowUs(): number {
    return this.#nowUs;
  }

  get eventCount(): number {
    return this.#eventCount;
  }

  get pendingCount(): number {
    return this.#queue.size;
  }

  /** A callback into product code, `delayUs` from now. */
  schedule(
    delayUs: number,
    owner: EventOwner | undefined,
    kind: TraceKind,
    detail: number,
    run: () => void,
  ): SimEvent {
    return this.#push(delayUs, owner, traceKind(kind), detail, run);
  }

  /** As `schedule`, for a step that calls no product code (or calls `productRan` when it does). */
  scheduleInternal(
    delayUs: number,
    owner: EventOwner | undefined,
    kind: TraceKind,
    detail: number,
    run: () => void,
  ): SimEvent {
    return this.#push(delayUs, owner, traceKind(kind) | INTERNAL, detail, run);
  }

  /** An internal event called product code after all. */
  productRan(): void {
    this.#drain = true;
  }

  /** Runs every event up to and including `untilUs`, then moves time there. Rejects if the world failed. */
  run(untilUs: number): Promise<void> {
    if (this.#finish !== undefined) throw new Error("the event loop is already running");
    this.#untilUs = untilUs;
    this.#stopAsked = false;
    return new Promise((resolve, reject) => {
      this.#finish = (error) => (error === undefined ? resolve() : reject(error));
      process.nextTick(this.#step);
    });
  }

  /** Ends `run` after the current event. */
  stop(): void {
    this.#stopAsked = true;
  }

  #push(
    delayUs: number,
    owner: EventOwner | undefined,
    kind: number,
    detail: number,
    run: () => void,
  ): SimEvent {
    const delay = delayUs > 0 ? Math.ceil(delayUs) : 0;
    const event: SimEvent = {
      atUs: this.#nowUs + delay,
      sequence: this.#sequence++,
      owner,
      kind,
      detail,
      cancelled: false,
      run,
    };
    this.#queue.push(event);
    return event;
  }

  readonly #step = (): void => {
    const queue = this.#queue;
    let burst = 0;
    this.#drain = false;
    while (!this.#drain && burst < EVENTS_PER_BURST) {
      const event = queue.peek();
      if (event === undefined || event.atUs > this.#untilUs || this.#stopAsked) {
        if (!this.#stopAsked) this.#nowUs = Math.max(this.#nowUs, this.#untilUs);
        this.#end(undefined);
        return;
      }
      queue.pop();
      burst++;
      if (event.cancelled) continue;
      const owner = event.owner;
      if (owner !== undefined) {
        if (!owner.alive) continue;
        if (owner.pausedUntilUs > event.atUs) {
          event.atUs = owner.pausedUntilUs;
          event.sequence = this.#sequence++;
          queue.push(event);
          continue;
        }
      }
      this.#nowUs = event.atUs;
      this.#eventCount++;
      this.trace.add(event.atUs, event.kind & ~INTERNAL, owner === undefined ? 0 : owner.id, event.detail);
      this.#drain = (event.kind & INTERNAL) === 0;
      try {
        event.run();
      } catch (error) {
        try {
          this.#onUncaught(owner, error);
        } catch (fatal) {
          this.#end(fatal);
          return;
        }
      }
    }
    void NOW.then(this.#next);
  };

  readonly #next = (): void => {
    process.nextTick(this.#step);
  };

  #end(error: unknown): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(error);
  }
}
