/**
 * Messages of one queue consumed at the same time and in any order (RocketMQ: ConsumeMessageConcurrentlyService). What
 * fails goes back to the broker; what the broker does not take back is consumed again here.
 *
 *   held ──success──▶ gone
 *     ├──failure, or running for too long──▶ returning ──taken back──▶ gone
 *     ╰◀──not taken back; after a failure it waits 5 s ──╯
 *
 * A message that is held or returning holds the committable offset.
 */
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import { OrbitError } from "../../errors/errors.ts";
import { Fifo } from "../../fifo.ts";
import { failureOf } from "../listening/listener-result.ts";
import type { ListenerRun, RunSource } from "../listening/listener-run.ts";
import type { ListeningContext } from "../listening/listening-context.ts";
import type { TopicStats } from "../questions/consume-stats.ts";
import { FIRST_RETRY_LEVEL } from "../retry/retry-message.ts";
import type { HeldMessage, HeldRecord } from "./held-message.ts";
import { ProcessQueue } from "./process-queue.ts";
import { topicOf } from "./pulled-record.ts";
import type { QueueConsumption } from "./queue-consumption.ts";
import { RetryLater } from "./retry-later.ts";

export class ConcurrentConsumption implements QueueConsumption, RunSource {
  readonly queue: MessageQueue;
  held: ProcessQueue<HeldRecord>;
  maxOffset = 0;
  lastEndedMs = 0;
  readonly #context: ListeningContext;
  readonly #stats: TopicStats;
  readonly #onRoom: () => void;
  readonly #retryLater: RetryLater<HeldMessage>;
  readonly #waiting = new Fifo<HeldMessage>();
  /** Failed messages whose time has come; they go first. */
  readonly #again = new Fifo<HeldMessage>();
  /** Listeners running. */
  #runs = 0;
  #stopped = false;
  #lost = false;
  #onIdle: (() => void)[] = [];

  /** `onRoom`: fewer messages are held than before. */
  constructor(context: ListeningContext, queue: MessageQueue, startOffset: number, onRoom: () => void) {
    this.#context = context;
    this.#stats = context.stats.topic(queue.topic);
    this.queue = queue;
    this.#onRoom = onRoom;
    this.held = new ProcessQueue(startOffset);
    const { instance, settings } = context;
    this.#retryLater = new RetryLater(instance.host, settings.reconsumeDelayMs, (message) => {
      this.#again.push(message);
      context.runner.ready(this);
    });
  }

  get hasWaiting(): boolean {
    return this.#again.length + this.#waiting.length > 0;
  }

  announce(): void {
    if (this.hasWaiting) this.#context.runner.ready(this);
  }

  hold(record: MessageRecord): void {
    const processQueue = this.held;
    const subscription = this.#context.subscriptionOf(topicOf(record));
    const held = {
      record,
      processQueue,
      subscription,
      attempts: 0,
      failure: undefined,
      fate: "held",
      endedAs: undefined,
    } as const;
    const message = processQueue.add(record.queueOffset, record.totalSize, held);
    if (message !== undefined) this.#waiting.push(message);
  }

  moveTo(offset: number): void {
    this.#forget();
    this.held = new ProcessQueue(offset);
  }

  stop(): void {
    this.#stopped = true;
    this.#forget();
  }

  lose(reason: OrbitError): void {
    this.#lost = true;
    this.stop();
    this.#context.runner.abortOf(this, reason);
  }

  idle(): Promise<void> {
    if (this.#runs === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #forget(): void {
    this.#retryLater.clear();
    this.#waiting.clear();
    this.#again.clear();
  }

  take(): readonly HeldMessage[] {
    const from = this.#again.length > 0 ? this.#again : this.#waiting;
    const first = from.shift();
    if (first === undefined) return [];
    const { subscription } = first.payload;
    const messages = [first];
    const messagesMax = subscription?.messagesMax ?? 1;
    while (messages.length < messagesMax) {
      if (from.peek()?.payload.subscription !== subscription) break;
      messages.push(from.shift()!);
    }
    return messages;
  }

  began(): void {
    this.#runs += 1;
  }

  ended({ startedMs, endedMs }: ListenerRun): void {
    this.lastEndedMs = endedMs;
    this.#stats.ran(endedMs, endedMs - startedMs);
    this.#runs -= 1;
    this.#onRoom();
    if (this.#runs > 0 || this.#onIdle.length === 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  failureOf(result: unknown): OrbitError | undefined {
    return failureOf(result);
  }

  succeeded(message: HeldMessage, { endedMs }: ListenerRun): void {
    this.#context.consumed();
    this.#stats.ended(endedMs, true);
    this.#ended(message, "success", 0);
  }

  failed(message: HeldMessage, error: OrbitError, run: ListenerRun): void {
    const { record, attempts } = message.payload;
    message.payload.failure = error;
    this.#context.failed(record, this.queue, attempts, error);
    this.#stats.ended(run.endedMs, false);
    if (!run.isShutDown) this.#ended(message, "failure", run.delayLevel);
  }

  timedOut(message: HeldMessage): void {
    if (message.payload.fate !== "held" || this.#context.settings.messageModel === "BROADCASTING") return;
    message.payload.failure = new OrbitError("CONSUME_TIMEOUT", "the listener ran for too long");
    this.#giveBack(message, FIRST_RETRY_LEVEL);
  }

  #ended(message: HeldMessage, as: "success" | "failure", delayLevel: number): void {
    const { payload } = message;
    payload.endedAs = as;
    if (payload.fate !== "held") return;
    // Broadcast messages have no retry: each consumer is on its own, and no broker counts for it.
    if (as === "success" || this.#context.settings.messageModel === "BROADCASTING") this.#settle(message);
    else this.#giveBack(message, delayLevel);
  }

  #settle(message: HeldMessage): void {
    message.payload.fate = "gone";
    message.payload.processQueue.done(message);
  }

  /** The message is held, and holds the group's offset, until the broker has it. */
  #giveBack(message: HeldMessage, delayLevel: number): void {
    const { payload } = message;
    if (this.#lost || payload.processQueue !== this.held) return;
    const { record, attempts, failure } = payload;
    payload.fate = "returning";
    const times = record.reconsumeTimes + attempts;
    const level = Number.isInteger(delayLevel) ? delayLevel : 0;
    const returning = { record, queue: this.queue, times, delayLevel: level, failure };
    this.#context.sendBack.put(returning, (returned) => {
      payload.fate = "held";
      if (returned) {
        this.#settle(message);
        this.#context.sentBack(record, this.queue, attempts);
      } else if (payload.endedAs === "success") this.#settle(message);
      else if (payload.endedAs === "failure") this.#consumeHere(message);
      this.#onRoom();
    });
  }

  /** The broker did not take it back. */
  #consumeHere(message: HeldMessage): void {
    const { payload } = message;
    payload.attempts += 1;
    payload.endedAs = undefined;
    const current = payload.processQueue === this.held;
    if (!this.#stopped && current) this.#retryLater.put(message);
  }
}
