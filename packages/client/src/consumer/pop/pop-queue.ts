/**
 * One assignment of POP this consumer has: pops messages of a topic from a broker, keeps them until they are consumed,
 * and tells the broker what became of each (RocketMQ: PopProcessQueue, ConsumeMessagePopConcurrentlyService).
 *
 *   popping ──messages, or nothing──▶ popping
 *      │ ╰──failed, or limited by the broker──▶ pausing ──time passed──▶ popping
 *      ╰──enough not acknowledged──▶ full ──some are──▶ popping
 *   any ──drop──▶ dropped
 *
 *   a message: waiting ──turn──▶ running ──success──▶ acknowledged
 *                 │                 ├──failure──▶ invisible for popDelays[times failed], then anybody's
 *                 │                 ╰──failure, as often as allowed──▶ dead letter, acknowledged
 *                 ╰──dropped──▶ visible again soon
 *
 * While it waits or its listener runs a message stays invisible to others: half of its time before it would come again
 * it is renewed, up to `consumeTimeoutMs` of a listener.
 */
import type { TimerHandle } from "@orbitmq/host";
import { ConsumeInitMode, type MessageQueue, matchesTag, type SubscriptionData } from "@orbitmq/wire";
import type { OrbitError } from "../../errors/errors.ts";
import { Fifo } from "../../fifo.ts";
import { consumerDefaults } from "../consumer-options.ts";
import { failureOf } from "../listening/listener-result.ts";
import type { ListenerRun, RunMessage, RunSource } from "../listening/listener-run.ts";
import type { ListeningContext } from "../listening/listening-context.ts";
import type { TopicStats } from "../questions/consume-stats.ts";
import { PullPace } from "../queue/pull-pace.ts";
import { tagOf } from "../queue/pulled-record.ts";
import type { Subscription } from "../subscription.ts";
import type { PopAnswer, PopRequests, Receipt } from "./pop-requests.ts";
import type { PoppedMessage } from "./popped-message.ts";

/** How long a message that failed so often stays invisible, in seconds (RocketMQ: popDelayLevel). */
const POP_DELAYS_S = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200];
/** What nobody has begun is given back for others to have it after this. */
const GIVEN_BACK_MS = 1_000;

interface HeldPop extends Receipt, RunMessage {
  readonly payload: RunMessage["payload"] & { readonly queue: MessageQueue };
  /** Monotonic: until then nobody else gets it. */
  expiresMs: number;
  state: "waiting" | "running" | "over";
  /** A change of its time is on its way: what comes next waits for the answer. */
  isRenewing: boolean;
  next: (() => void) | undefined;
  isTimedOut: boolean;
}

export class PopQueue implements RunSource {
  /** As assigned: queue id -1 stands for all of the broker's. */
  readonly queue: MessageQueue;
  /** Nobody tells. */
  readonly maxOffset = 0;
  readonly #context: ListeningContext;
  readonly #stats: TopicStats;
  readonly #requests: PopRequests;
  readonly #subscription: SubscriptionData;
  readonly #pace: PullPace;
  readonly #held = new Set<HeldPop>();
  readonly #waiting = new Fifo<HeldPop>();
  #state: "popping" | "pausing" | "full" | "dropped" = "pausing";
  #timer: TimerHandle | undefined;
  #renewTimer: TimerHandle | undefined;
  #poppedMs = 0;

  constructor(
    context: ListeningContext,
    requests: PopRequests,
    queue: MessageQueue,
    subscription: SubscriptionData,
  ) {
    this.#context = context;
    this.#stats = context.stats.topic(queue.topic);
    this.#requests = requests;
    this.queue = queue;
    this.#subscription = subscription;
    this.#pace = new PullPace(context.instance.host.clock);
  }

  /** Messages that are here and not consumed. */
  get cached(): number {
    return this.#held.size;
  }

  get hasWaiting(): boolean {
    return this.#state !== "dropped" && this.#waiting.length > 0;
  }

  start(): void {
    this.#pop();
  }

  /** RocketMQ: PopProcessQueueInfo. */
  runningInfo(): object {
    return {
      waitAckCount: this.#held.size,
      droped: this.#state === "dropped",
      lastPopTimestamp: this.#poppedMs,
    };
  }

  /** What kept it from popping may be over. */
  mayPull(): void {
    if (this.#state === "full" && !this.#isFull()) this.#pop();
  }

  /** Pops nothing more; what nobody has begun is given back. What runs goes on, and its end counts. */
  stopPulling(): void {
    if (this.#state === "dropped") return;
    this.#state = "dropped";
    this.#timer?.cancel();
    this.#waiting.clear();
    for (const message of [...this.#held]) {
      if (message.state !== "waiting") continue;
      this.#over(message, () => this.#requests.changeInvisible(message, GIVEN_BACK_MS, () => {}));
    }
  }

  /** Nothing is renewed any more. */
  close(): void {
    this.stopPulling();
    this.#renewTimer?.cancel();
    this.#renewTimer = undefined;
    this.#held.clear();
  }

  take(): readonly RunMessage[] {
    const { clock } = this.#context.instance.host;
    const batch: HeldPop[] = [];
    while (this.#waiting.length > 0) {
      const next = this.#waiting.peek()!;
      if (clock.monotonicMs() >= next.expiresMs) {
        // It could not be renewed: others have it now.
        this.#waiting.shift();
        this.#over(next, () => {});
        continue;
      }
      const { subscription, queue } = next.payload;
      const first = batch[0];
      // A batch is of one queue.
      const fits = first === undefined || first.payload.queue.queueId === queue.queueId;
      if (!fits || batch.length >= (subscription?.messagesMax ?? 1)) break;
      this.#waiting.shift();
      next.state = "running";
      batch.push(next);
    }
    return batch;
  }

  began(): void {}

  failureOf(result: unknown): OrbitError | undefined {
    return failureOf(result);
  }

  succeeded(message: RunMessage, { endedMs }: ListenerRun): void {
    const held = message as HeldPop;
    this.#context.consumed();
    this.#stats.ended(endedMs, true);
    this.#over(held, () => this.#ack(held));
  }

  failed(message: RunMessage, error: OrbitError, run: ListenerRun): void {
    const held = message as HeldPop;
    const { record, queue } = held.payload;
    this.#context.failed(record, queue, 0, error);
    this.#stats.ended(run.endedMs, false);
    if (run.isShutDown) this.#over(held, () => this.#requests.changeInvisible(held, GIVEN_BACK_MS, () => {}));
    else this.#over(held, () => this.#giveBack(held, run.delayLevel, error));
  }

  /** It is renewed no longer: others get it in its time. */
  timedOut(message: RunMessage): void {
    (message as HeldPop).isTimedOut = true;
  }

  ended(run: ListenerRun): void {
    this.#stats.ran(run.endedMs, run.endedMs - run.startedMs);
    for (const message of run.messages as readonly HeldPop[]) {
      // Not heard at all.
      if (message.state === "running") {
        this.#over(message, () => this.#requests.changeInvisible(message, GIVEN_BACK_MS, () => {}));
      }
    }
    this.mayPull();
  }

  #isFull(): boolean {
    return this.#context.isSuspended() || this.#held.size >= this.#context.settings.popThresholdForQueue;
  }

  #pop(): void {
    if (this.#state === "dropped") return;
    if (this.#isFull()) {
      this.#state = "full";
      return;
    }
    this.#state = "popping";
    const { instance, settings } = this.#context;
    const { topic, brokerName, queueId } = this.queue;
    const address = instance.routes.masterOf(brokerName);
    if (address === undefined) {
      instance.routes.refreshInBackground(topic);
      this.#pauseFor(this.#pace.afterFailure());
      return;
    }
    this.#pace.asked();
    this.#poppedMs = instance.host.clock.wallMs();
    const { subString, expressionType } = this.#subscription;
    const question = {
      topic,
      queueId,
      maxMsgNums: settings.popBatchNums,
      invisibleTime: settings.popInvisibleTimeMs,
      pollTime: consumerDefaults.suspendTimeoutMs,
      initMode: settings.from === "first" ? ConsumeInitMode.MIN : ConsumeInitMode.MAX,
      expType: expressionType,
      exp: subString,
      order: false,
      attemptId: undefined,
    };
    this.#requests.pop(address, brokerName, question, (answer) => this.#answered(answer));
  }

  #answered(answer: PopAnswer): void {
    if (answer.kind === "found") this.#hold(answer.messages);
    if (this.#state === "dropped") return;
    switch (answer.kind) {
      case "found":
        this.#pauseFor(this.#pace.afterMessages());
        return;
      case "nothing":
        this.#pauseFor(this.#pace.afterNothing(false));
        return;
      case "limited":
        this.#pauseFor(consumerDefaults.flowControlDelayMs);
        return;
      case "full":
        this.#pauseFor(this.#pace.afterFailure());
        return;
      case "failed":
        this.#failed(answer.error);
    }
  }

  #failed(error: OrbitError): void {
    if (error.code === "SHUT_DOWN") return;
    const { topic, brokerName, queueId } = this.queue;
    const { logger, routes } = this.#context.instance;
    logger.warn({ topic, brokerName, queueId, code: error.code }, `pop: ${error.message}`);
    routes.refreshInBackground(topic);
    this.#pauseFor(this.#pace.afterFailure());
  }

  #pauseFor(delayMs: number): void {
    if (delayMs === 0) {
      this.#pop();
      return;
    }
    this.#state = "pausing";
    this.#timer = this.#context.instance.host.timers.after(delayMs, () => this.#pop());
  }

  #hold(messages: readonly PoppedMessage[]): void {
    const nowMs = this.#context.instance.host.clock.monotonicMs();
    this.#stats.pulled(nowMs, messages.length, 0);
    const subscription = this.#context.subscriptionOf(this.queue.topic);
    for (const popped of messages) this.#holdOne(popped, subscription, nowMs);
    this.#watchTimes();
    if (this.hasWaiting) this.#context.runner.ready(this);
  }

  #holdOne(
    { record, queue, handle }: PoppedMessage,
    subscription: Subscription | undefined,
    nowMs: number,
  ): void {
    const held: HeldPop = {
      topic: this.queue.topic,
      brokerName: this.queue.brokerName,
      handle,
      queueOffset: record.queueOffset,
      payload: { record, subscription, attempts: 0, queue },
      expiresMs: nowMs + handle.invisibleTime,
      state: "waiting",
      isRenewing: false,
      next: undefined,
      isTimedOut: false,
    };
    const isWanted = matchesTag(this.#subscription, tagOf(record)) && this.#context.accepts(record, queue);
    if (!isWanted) this.#ack(held);
    else if (this.#state === "dropped") this.#requests.changeInvisible(held, GIVEN_BACK_MS, () => {});
    else {
      this.#held.add(held);
      this.#waiting.push(held);
    }
  }

  /** Its listener has ended, or it has none; `settle` tells the broker, with the handle that counts then. */
  #over(message: HeldPop, settle: () => void): void {
    message.state = "over";
    this.#held.delete(message);
    if (message.isRenewing) message.next = settle;
    else settle();
    this.mayPull();
  }

  #ack(message: HeldPop): void {
    this.#requests.ack(message, (error) => {
      if (error !== undefined) this.#note(message, error, "acknowledging");
    });
  }

  #giveBack(message: HeldPop, delayLevel: number, failure: OrbitError): void {
    const { record, queue } = message.payload;
    const times = record.reconsumeTimes;
    const { maxReconsumeTimes } = this.#context.settings;
    if (times >= maxReconsumeTimes || delayLevel < 0) {
      this.#context.sendBack.put({ record, queue, times, delayLevel: -1, failure }, (isTaken) => {
        if (isTaken) {
          this.#ack(message);
          this.#context.sentBack(record, queue, 0);
        } else this.#hideFor(message, POP_DELAYS_S.length - 1);
      });
      return;
    }
    this.#hideFor(message, delayLevel > 0 ? delayLevel : times);
  }

  #hideFor(message: HeldPop, level: number): void {
    const seconds = POP_DELAYS_S[Math.min(level, POP_DELAYS_S.length - 1)]!;
    this.#requests.changeInvisible(message, seconds * 1_000, (error) => {
      if (error !== undefined) this.#note(message, error, "changing when a message comes again");
      else this.#context.sentBack(message.payload.record, message.payload.queue, 0);
    });
  }

  /** Looks every quarter of the time after what comes to its half; one timer for all. */
  #watchTimes(): void {
    if (this.#renewTimer !== undefined || this.#held.size === 0) return;
    const { timers } = this.#context.instance.host;
    this.#renewTimer = timers.after(this.#context.settings.popInvisibleTimeMs / 4, () => {
      this.#renewTimer = undefined;
      this.#renew();
      this.#watchTimes();
    });
  }

  #renew(): void {
    const { clock } = this.#context.instance.host;
    const { popInvisibleTimeMs } = this.#context.settings;
    for (const message of this.#held) {
      const leftMs = message.expiresMs - clock.monotonicMs();
      if (leftMs > popInvisibleTimeMs / 2 || message.isRenewing || message.isTimedOut) continue;
      const askedMs = clock.monotonicMs();
      message.isRenewing = true;
      this.#requests.changeInvisible(message, popInvisibleTimeMs, (error) => {
        message.isRenewing = false;
        if (error === undefined) message.expiresMs = askedMs + popInvisibleTimeMs;
        else this.#note(message, error, "keeping a message invisible");
        const { next } = message;
        message.next = undefined;
        next?.();
      });
    }
  }

  #note({ payload: { record, queue } }: HeldPop, error: OrbitError, what: string): void {
    if (error.code === "SHUT_DOWN") return;
    const { topic, brokerName, queueId } = queue;
    const offset = record.queueOffset;
    const { logger } = this.#context.instance;
    logger.warn({ topic, brokerName, queueId, offset, code: error.code }, `${what}: ${error.message}`);
  }
}
