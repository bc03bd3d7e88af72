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
  readonly #turns = new Fifo<RunSource>();
  readonly #inTurns = new Set<RunSource>();
  /** Calls that have not returned, oldest first. */
  readonly #running = new Set<ListenerRun>();
  #slotsUsed = 0;
  #pumping = false;
  #stopped = false;
  #timeoutTimer: TimerHandle | undefined;
  #onIdle: (() => void) | undefined;

  constructor(host: Host, logger: Logger, options: RunnerOptions) {
    this.#host = host;
    this.#logger = logger;
    this.#options = options;
  }

  /** Listeners running now. */
  get running(): number {
    return this.#running.size;
  }

  /** Messages whose listener is running now. */
  get messagesRunning(): number {
    let count = 0;
    for (const run of this.#running) count += run.messages.length;
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
    for (const run of this.#running) run.abort(reason);
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
    let runs = 0;
    while (this.#slotsUsed < this.#options.concurrency) {
      const source = this.#turns.shift();
      if (source === undefined) return;
      this.#inTurns.delete(source);
      const messages = source.take();
      if (source.hasWaiting) {
        this.#inTurns.add(source);
        this.#turns.push(source);
      }
      if (messages.length > 0) this.#run(source, messages);
      if (++runs === RUNS_PER_TURN) {
        this.#host.timers.afterTurn(() => this.#pump());
        return;
      }
    }
  }

  #run(source: RunSource, messages: readonly RunMessage[]): void {
    this.#slotsUsed += 1;
    const run = new ListenerRun(this.#options, source, messages, this.#host.clock.monotonicMs());
    source.began(run);
    this.#running.add(run);
    const decoded = messages.map(({ payload: { record, attempts, subscription, queue = source.queue } }) =>
      decodeMessage(record, queue, attempts, subscription?.codec, this.#options.namespace),
    );
    if (!decoded.some(isPromise)) this.#call(run, decoded as Decoded[]);
    else {
      this.#watchTimeout();
      Promise.all(decoded).then(
        (all) => this.#call(run, all),
        (error: unknown) => this.#end(run, messages, fromUnknown(error)),
      );
    }
  }

  #call(run: ListenerRun, decoded: readonly Decoded[]): void {
    if (this.#stopped || run.aborted) {
      this.#end(run, [], undefined);
      return;
    }
    const { messages } = run;
    const { subscription } = messages[0]!.payload;
    const good = decoded.filter((message) => message instanceof ReceivedMessage);
    decoded.forEach((message, i) => {
      if (message instanceof Undecodable) run.source.failed(messages[i]!, message.error, run);
    });
    const heard = messages.filter((_, i) => !(decoded[i] instanceof Undecodable));
    if (heard.length === 0) {
      this.#end(run, [], undefined);
      return;
    }
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
    this.#watchTimeout();
    // Through a promise of our own: a foreign thenable may call back twice, or throw.
    Promise.resolve(result).then(
      (value) => this.#end(run, heard, run.source.failureOf(value, run)),
      (error: unknown) => this.#end(run, heard, listenerFailed(error)),
    );
  }

  #end(run: ListenerRun, messages: readonly RunMessage[], failure: OrbitError | undefined): void {
    this.#running.delete(run);
    run.hooked?.after(outcomeOf(run, failure), failure);
    run.scope?.ended(outcomeOf(run, failure), failure);
    for (const [i, message] of messages.entries()) {
      const error = failure ?? (i > run.ackIndex ? BEHIND_ACK_INDEX() : undefined);
      if (error === undefined) run.source.succeeded(message);
      else run.source.failed(message, error, run);
    }
    run.source.ended(run);
    this.#slotsUsed -= 1;
    if (this.#running.size === 0) this.#onIdle?.();
    this.#pump();
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
    let oldest: ListenerRun | undefined;
    for (const run of this.#running) {
      if (!run.timedOut) {
        oldest = run;
        break;
      }
    }
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
    for (const run of this.#running) {
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
