/**
 * Runs listeners, at most `concurrency` at a time over all queues of a consumer (RocketMQ:
 * ConsumeMessageConcurrentlyService). Queues with waiting messages take turns; a run takes one message, or up to
 * `messagesMax` for a batch listener.
 *
 *   waiting ──turn──▶ decoding ──▶ listener running ──▶ succeeded
 *                        ╰────────────────┴───────────▶ failed (the source decides what becomes of it)
 *
 * Listeners that return at once are run in the same turn of the event loop, a bounded number before others get
 * their turn.
 */
import type { Host, Logger, TimerHandle } from "@orbitmq/host";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import { Fifo } from "../../fifo.ts";
import { ReceivedMessage } from "../../message/received-message.ts";
import type { Namespace } from "../../names/namespace.ts";
import type { ConsumeTelemetry } from "../../telemetry/consume-telemetry.ts";
import { type ConsumeHook, type ConsumeOutcome, HookedRun } from "./consume-hooks.ts";
import { type Decoded, decodeMessage, isPromise, Undecodable } from "./decode-message.ts";
import { listenerFailed } from "./listener-result.ts";
import { ListenerRun, type RunMessage, type RunSource } from "./listener-run.ts";
import { RunningList } from "./running-list.ts";

const RUNS_PER_TURN = 256;

const BEHIND_ACK_INDEX = () =>
  new OrbitError("LISTENER_FAILED", "the listener consumed the batch up to its ackIndex only");

function outcomeOf(run: ListenerRun, failure: OrbitError | undefined): ConsumeOutcome {
  if (run.timedOut) return "TIME_OUT";
  if (failure === undefined) return "SUCCESS";
  return failure.code === "LISTENER_FAILED" && failure.cause === undefined ? "FAILED" : "EXCEPTION";
}

export interface RunnerOptions {
  readonly group: string;
  readonly concurrency: number;
  readonly consumeTimeoutMs: number;
  readonly consumeHooks: readonly ConsumeHook[];
  /** There from the start of the consumer on, if at all. */
  readonly telemetry?: () => ConsumeTelemetry | undefined;
  readonly namespace: Namespace;
}

export class ListenerRunner {
  readonly #host: Host;
  readonly #logger: Logger;
  readonly #options: RunnerOptions;
  /** As the application knows it. */
  readonly #group: string;
  readonly #turns = new Fifo<RunSource>();
  readonly #inTurns = new Set<RunSource>();
  readonly #running = new RunningList();
  #slotsUsed = 0;
  #pumping = false;
  #stopped = false;
  #timeoutTimer: TimerHandle | undefined;
  #onIdle: (() => void) | undefined;

  constructor(host: Host, logger: Logger, options: RunnerOptions) {
    this.#host = host;
    this.#logger = logger;
    this.#options = options;
    this.#group = options.namespace.unwrap(options.group);
  }

  /** Listeners running now. */
  get running(): number {
    return this.#running.size;
  }

  /** Messages whose listener is running now. */
  get messagesRunning(): number {
    let count = 0;
    for (const run of this.#running.all) count += run.messages.length;
    return count;
  }

  /** `source` has waiting messages. */
  ready(source: RunSource): void {
    if (this.#stopped) return;
    if (!this.#inTurns.has(source)) {
      this.#inTurns.add(source);
      this.#turns.push(source);
    }
    this.#pump();
  }

  /** No further run begins. */
  stop(): void {
    this.#stopped = true;
    this.#turns.clear();
    this.#inTurns.clear();
  }

  abortAll(reason: OrbitError): void {
    for (const run of this.#running.all) run.abort(reason);
  }

  /** Those with messages of `source`. */
  abortOf(source: RunSource, reason: OrbitError): void {
    for (const run of this.#running.all) if (run.source === source) run.abort(reason);
  }

  /** After {@link stop}: resolves when no listener runs, or after `timeoutMs`. */
  idleWithin(timeoutMs: number): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#onIdle = undefined;
        resolve();
      };
      const timer = this.#host.timers.after(timeoutMs, done);
      this.#onIdle = done;
    });
  }

  /** Ends the watch over consume timeouts; listeners still running are left to themselves. */
  close(): void {
    this.stop();
    this.#timeoutTimer?.cancel();
    this.#timeoutTimer = undefined;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#takeTurns();
    } finally {
      this.#pumping = false;
    }
  }

  #takeTurns(): void {
    const { clock } = this.#host;
    let runs = 0;
    let nowMs = clock.monotonicMs();
    while (this.#slotsUsed < this.#options.concurrency) {
      const source = this.#turns.shift();
      if (source === undefined) return;
      const messages = source.take();
      if (source.hasWaiting) this.#turns.push(source);
      else this.#inTurns.delete(source);
      if (messages.length > 0) {
        const run = this.#run(source, messages, nowMs);
        // The end of one is the beginning of the next: the clock is read once for both.
        nowMs = run.endedMs > nowMs ? run.endedMs : clock.monotonicMs();
      }
      if (++runs === RUNS_PER_TURN) {
        this.#host.timers.afterTurn(() => this.#pump());
        return;
      }
    }
  }

  #run(source: RunSource, messages: readonly RunMessage[], nowMs: number): ListenerRun {
    const { namespace } = this.#options;
    this.#slotsUsed += 1;
    const run = new ListenerRun(this.#group, namespace, source, messages, nowMs);
    source.began(run);
    this.#running.add(run);
    const decoded = new Array<Decoded | Promise<Decoded>>(messages.length);
    let isLater = false;
    for (let i = 0; i < messages.length; i++) {
      const { record, attempts, subscription, queue = source.queue } = messages[i]!.payload;
      const message = decodeMessage(record, queue, attempts, subscription?.codec, namespace);
      if (!(message instanceof ReceivedMessage) && isPromise(message)) isLater = true;
      decoded[i] = message;
    }
    if (!isLater) this.#call(run, decoded as Decoded[]);
    else {
      this.#watchTimeout();
      Promise.all(decoded).then(
        (all) => this.#call(run, all),
        (error: unknown) => this.#end(run, messages, fromUnknown(error)),
      );
    }
    return run;
  }

  #call(run: ListenerRun, decoded: readonly Decoded[]): void {
    if (this.#stopped || run.aborted) {
      this.#end(run, [], undefined);
      return;
    }
    let heard = run.messages;
    let good = decoded as readonly ReceivedMessage<unknown>[];
    if (decoded.some((message) => message instanceof Undecodable)) {
      heard = this.#decodable(run, decoded);
      good = decoded.filter((message) => message instanceof ReceivedMessage);
    }
    if (heard.length === 0) {
      this.#end(run, [], undefined);
      return;
    }
    const { subscription } = run.messages[0]!.payload;
    if (subscription === undefined) {
      this.#end(run, heard, new OrbitError("LISTENER_FAILED", "no listener for this message's topic"));
      return;
    }
    this.#hooked(run, good);
    const { listener } = subscription;
    run.scope = this.#options.telemetry?.()?.begin(run.queue, good);
    let result: unknown;
    try {
      result = run.scope === undefined ? listener(good, run) : run.scope.run(() => listener(good, run));
    } catch (error) {
      this.#end(run, heard, listenerFailed(error));
      return;
    }
    if (!isPromise(result)) {
      this.#end(run, heard, run.source.failureOf(result, run));
      return;
    }
    this.#await(run, heard, result);
  }

  #await(run: ListenerRun, heard: readonly RunMessage[], result: Promise<unknown>): void {
    this.#watchTimeout();
    // Through a promise of our own: a foreign thenable may call back twice, or throw.
    Promise.resolve(result).then(
      (value) => this.#end(run, heard, run.source.failureOf(value, run)),
      (error: unknown) => this.#end(run, heard, listenerFailed(error)),
    );
  }

  /** Tells of those that could not be decoded; returns the others. */
  #decodable(run: ListenerRun, decoded: readonly Decoded[]): readonly RunMessage[] {
    return run.messages.filter((message, i) => {
      const one = decoded[i];
      if (one instanceof Undecodable) run.source.failed(message, one.error, run);
      return !(one instanceof Undecodable);
    });
  }

  #end(run: ListenerRun, messages: readonly RunMessage[], failure: OrbitError | undefined): void {
    const { source } = run;
    this.#running.delete(run);
    run.endedMs = this.#host.clock.monotonicMs();
    run.hooked?.after(outcomeOf(run, failure), failure);
    run.scope?.ended(outcomeOf(run, failure), failure);
    for (let i = 0; i < messages.length; i++) {
      const error = failure ?? (i > run.ackIndex ? BEHIND_ACK_INDEX() : undefined);
      if (error === undefined) source.succeeded(messages[i]!, run);
      else source.failed(messages[i]!, error, run);
    }
    source.ended(run);
    this.#slotsUsed -= 1;
    if (this.#running.size === 0) this.#onIdle?.();
    if (!this.#pumping) this.#pump();
  }

  #hooked(run: ListenerRun, messages: readonly ReceivedMessage<unknown>[]): void {
    const { consumeHooks, namespace } = this.#options;
    if (consumeHooks.length === 0) return;
    const { group, queue } = run;
    const base = { group, namespace: namespace.name, queue, messages };
    run.hooked = new HookedRun(consumeHooks, base, (name, thrown) => {
      const reason = fromUnknown(thrown).message;
      this.#logger.error({ code: "INTERNAL", err: thrown }, `the hook ${name} threw: ${reason}`);
    });
    run.hooked.before();
  }

  /** One timer for all: runs began in the order they time out. */
  #watchTimeout(): void {
    if (this.#timeoutTimer !== undefined) return;
    let { oldest } = this.#running;
    while (oldest?.timedOut === true) oldest = oldest.next;
    if (oldest === undefined) return;
    const dueMs = oldest.startedMs + this.#options.consumeTimeoutMs;
    const delayMs = Math.max(dueMs - this.#host.clock.monotonicMs(), 1);
    this.#timeoutTimer = this.#host.timers.after(delayMs, () => {
      this.#timeoutTimer = undefined;
      this.#abortTimedOut();
      this.#watchTimeout();
    });
  }

  #abortTimedOut(): void {
    const startedBeforeMs = this.#host.clock.monotonicMs() - this.#options.consumeTimeoutMs;
    for (const run of this.#running.all) {
      if (run.startedMs > startedBeforeMs) return;
      if (run.timedOut) continue;
      run.timedOut = true;
      const { topic, brokerName, queueId } = run.queue;
      const offset = run.messages[0]!.queueOffset;
      const message = `the listener of ${topic} has run for more than ${this.#options.consumeTimeoutMs} ms`;
      this.#logger.warn({ code: "CONSUME_TIMEOUT", topic, brokerName, queueId, offset }, message);
      run.abort(new OrbitError("CONSUME_TIMEOUT", message));
      for (const held of run.messages) run.source.timedOut(held);
    }
  }
}
