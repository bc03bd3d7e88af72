/**
 * Messages of one queue consumed one after the other (RocketMQ: ConsumeMessageOrderlyService). What each end of the
 * listener means is decided in orderly-queue.ts; here it is done.
 *
 *   resting ──messages, lock held──▶ running ──next──▶ resting
 *      ▲                                │ ╰──failed too often──▶ returning ──the broker has it──▶ resting
 *      ╰──── time passed ── suspended ◀─┴──failed──                  ╰──it has not──▶ suspended
 */
import type { TimerHandle } from "@orbitmq/host";
import type { MessageQueue, MessageRecord } from "@orbitmq/wire";
import { OrbitError } from "../../errors/errors.ts";
import { shownResult } from "../listening/listener-result.ts";
import type { ListenerRun, RunMessage, RunSource } from "../listening/listener-run.ts";
import type { ListeningContext } from "../listening/listening-context.ts";
import type { TopicStats } from "../questions/consume-stats.ts";
import type { Subscription } from "../subscription.ts";
import { type OrderlyEntry, OrderlyQueue, type OrderlyStatus } from "./orderly-queue.ts";
import { topicOf } from "./pulled-record.ts";
import type { QueueConsumption } from "./queue-consumption.ts";

interface OrderlyRecord {
  readonly record: MessageRecord;
  readonly subscription: Subscription | undefined;
}

const SUSPEND_MIN_MS = 10;
const SUSPEND_MAX_MS = 30_000;

export class OrderlyConsumption implements QueueConsumption, RunSource {
  readonly queue: MessageQueue;
  held: OrderlyQueue<OrderlyRecord>;
  maxOffset = 0;
  lastEndedMs = 0;
  readonly #context: ListeningContext;
  readonly #stats: TopicStats;
  readonly #onRoom: () => void;
  #state: "resting" | "running" | "suspended" | "returning" = "resting";
  #stopped = false;
  #run: ListenerRun | undefined;
  #batch: readonly OrderlyEntry<OrderlyRecord>[] = [];
  /** Where the batch was taken from; not the current one after the broker moved the offset. */
  #batchOf: OrderlyQueue<OrderlyRecord> | undefined;
  /** Messages of the run whose end was told, and whether one of them failed. */
  #heard = false;
  #failed = false;
  #failure: OrbitError | undefined;
  #timer: TimerHandle | undefined;
  #onIdle: (() => void)[] = [];

  /** `onRoom`: fewer messages are held than before. */
  constructor(context: ListeningContext, queue: MessageQueue, startOffset: number, onRoom: () => void) {
    this.#context = context;
    this.#stats = context.stats.topic(queue.topic);
    this.queue = queue;
    this.#onRoom = onRoom;
    this.held = this.#newQueue(startOffset);
  }

  get hasWaiting(): boolean {
    return !this.#stopped && this.#state === "resting" && this.held.hasNext;
  }

  announce(): void {
    if (this.hasWaiting) this.#context.runner.ready(this);
  }

  hold(record: MessageRecord): void {
    const subscription = this.#context.subscriptionOf(topicOf(record));
    const payload = { record, subscription };
    this.held.add(record.queueOffset, record.totalSize, payload, record.reconsumeTimes);
  }

  moveTo(offset: number): void {
    this.held = this.#newQueue(offset);
    if (this.#state === "suspended") this.#rest();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What runs is asked to end, and its end still counts: nobody else has the queue before. */
  lose(reason: OrbitError): void {
    this.stop();
    this.#run?.abort(reason);
  }

  idle(): Promise<void> {
    if (this.#state !== "running" && this.#state !== "returning") return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  take(): readonly RunMessage[] {
    if (!this.hasWaiting) return [];
    const locks = this.#context.locks();
    if (locks !== undefined && !locks.isHeld(this.queue)) {
      locks.expired(this.queue);
      return [];
    }
    const batch = this.held.take(({ payload: { subscription } }, before) => {
      const first = before[0];
      if (first === undefined) return true;
      return first.payload.subscription === subscription && before.length < (subscription?.messagesMax ?? 1);
    });
    this.#state = "running";
    this.#batch = batch;
    this.#batchOf = this.held;
    this.#heard = false;
    this.#failed = false;
    return batch.map(asRunMessage);
  }

  began(run: ListenerRun): void {
    run.suspendCurrentQueueTimeMs = this.#context.settings.suspendCurrentQueueTimeMs;
    this.#run = run;
  }

  failureOf(result: unknown, run: ListenerRun): OrbitError | undefined {
    switch (result) {
      case undefined:
      case "SUCCESS":
      case "CONSUME_SUCCESS":
        return undefined;
      case "COMMIT":
        run.asked = "COMMIT";
        return undefined;
      case "ROLLBACK":
        run.asked = "ROLLBACK";
        return new OrbitError("LISTENER_FAILED", "the listener returned ROLLBACK");
      case "SUSPEND_CURRENT_QUEUE_A_MOMENT":
        return new OrbitError("LISTENER_FAILED", "the listener returned SUSPEND_CURRENT_QUEUE_A_MOMENT");
      default:
        return new OrbitError("LISTENER_RESULT_INVALID", `the listener returned ${shownResult(result)}`);
    }
  }

  succeeded(_message: RunMessage, { endedMs }: ListenerRun): void {
    this.#heard = true;
    this.#context.consumed();
    this.#stats.ended(endedMs, true);
  }

  failed({ payload: { record, attempts } }: RunMessage, error: OrbitError, { endedMs }: ListenerRun): void {
    this.#heard = true;
    this.#failed = true;
    this.#failure = error;
    this.#context.failed(record, this.queue, attempts, error);
    this.#stats.ended(endedMs, false);
  }

  /** Its order is worth more than its time. */
  timedOut(): void {}

  ended(run: ListenerRun): void {
    this.lastEndedMs = run.endedMs;
    this.#stats.ran(run.endedMs, run.endedMs - run.startedMs);
    this.#run = undefined;
    const batch = this.#batch;
    const messages = this.held;
    if (messages !== this.#batchOf) this.#rest();
    else if (!this.#heard || (this.#failed && run.isShutDown)) {
      messages.untake(batch);
      this.#rest();
    } else this.#decide(batch, this.#statusOf(run), run);
    this.#onRoom();
    this.#tellIdle();
  }

  #statusOf(run: ListenerRun): OrderlyStatus {
    if (this.#failed) return run.asked === "ROLLBACK" ? "ROLLBACK" : "SUSPEND_CURRENT_QUEUE_A_MOMENT";
    return run.asked === "COMMIT" ? "COMMIT" : "SUCCESS";
  }

  #decide(batch: readonly OrderlyEntry<OrderlyRecord>[], status: OrderlyStatus, run: ListenerRun): void {
    const messages = this.held;
    const { pauses, giveBack } = messages.decide(batch, status, run.autoCommit);
    if (giveBack.length === 0) {
      if (!pauses) this.#rest();
      else this.#suspend(run.suspendCurrentQueueTimeMs);
      return;
    }
    this.#state = "returning";
    let open = giveBack.length;
    let suspends = pauses;
    for (const entry of giveBack) {
      const { record } = entry.payload;
      const failure = this.#failure;
      const message = { record, queue: this.queue, times: entry.attempts, delayLevel: 0, failure };
      this.#context.sendBack.toRetryTopic(message, (taken) => {
        if (messages === this.held) messages.returned(entry, taken);
        if (taken) this.#context.sentBack(record, this.queue, entry.attempts - record.reconsumeTimes);
        else suspends = true;
        open -= 1;
        if (open > 0) return;
        if (suspends) this.#suspend(run.suspendCurrentQueueTimeMs);
        else this.#rest();
        this.#onRoom();
        this.#tellIdle();
      });
    }
  }

  #suspend(ms: number): void {
    this.#state = "suspended";
    if (this.#stopped) return;
    const wanted = Number.isFinite(ms) ? ms : this.#context.settings.suspendCurrentQueueTimeMs;
    const delayMs = Math.min(Math.max(wanted, SUSPEND_MIN_MS), SUSPEND_MAX_MS);
    this.#timer = this.#context.instance.host.timers.after(delayMs, () => this.#rest());
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#state = "resting";
    if (this.hasWaiting) this.#context.runner.ready(this);
  }

  #tellIdle(): void {
    if (this.#state === "running" || this.#state === "returning") return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #newQueue(startOffset: number): OrderlyQueue<OrderlyRecord> {
    return new OrderlyQueue(startOffset, this.#context.settings.orderlyReconsumeTimesMax);
  }
}

function asRunMessage({ queueOffset, attempts, payload }: OrderlyEntry<OrderlyRecord>): RunMessage {
  const { record, subscription } = payload;
  return { queueOffset, payload: { record, subscription, attempts: attempts - record.reconsumeTimes } };
}
