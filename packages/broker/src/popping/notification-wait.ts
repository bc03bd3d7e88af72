/** One NOTIFICATION: answered when a pop would find something, or when its time is over. */
import {
  type Exchange,
  type NotificationRequestHeader,
  notificationResponseHeader,
  ResponseCode,
} from "@orbitmq/wire";
import type { PopResumeReason, PopWaiter } from "./pop-long-poll.ts";
import type { PopService } from "./pop-service.ts";
import { popTargets } from "./pop-targets.ts";

/** A group that has consumed nothing is told of the oldest message. */
const INIT_MODE = 0;

export class NotificationWait implements PopWaiter {
  readonly peer: Exchange["peer"];
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly matches: ((tagsCode: number) => boolean) | undefined;
  readonly expiresMs: number;
  deadlineMs: number;
  heapIndex = -1;
  readonly #service: PopService;
  readonly #header: NotificationRequestHeader;
  readonly #exchange: Exchange;
  readonly #waitMs: number;

  constructor(
    service: PopService,
    header: NotificationRequestHeader,
    exchange: Exchange,
    matches: ((tagsCode: number) => boolean) | undefined,
  ) {
    const { clock, options } = service.needs;
    this.#service = service;
    this.#header = header;
    this.#exchange = exchange;
    this.peer = exchange.peer;
    this.group = header.consumerGroup;
    this.topic = header.topic;
    this.queueId = header.queueId;
    this.matches = matches;
    this.#waitMs = Math.min(Math.max(header.pollTime, 0), options.suspendTimeoutMillisMax);
    this.expiresMs = clock.monotonicMs() + this.#waitMs;
    this.deadlineMs = this.expiresMs;
  }

  run(): void {
    const opensAtMs = this.#look();
    if (opensAtMs === undefined) {
      this.#answer(true, false);
      return;
    }
    this.deadlineMs = Math.min(this.expiresMs, opensAtMs);
    if (this.#waitMs === 0) this.#answer(false, false);
    else {
      const parked = this.#service.notifications.park(this);
      if (parked !== "parked") this.#answer(false, parked === "full");
    }
  }

  resume(reason: PopResumeReason): void {
    if (this.peer.closed) this.#service.notifications.wake(this.group, this.topic, this.queueId);
    else if (reason === "woken" || reason === "due") this.run();
    else this.#answer(false, false);
  }

  /** `undefined`: there is something. Otherwise when a queue opens that has something. */
  #look(): number | undefined {
    const { queues, orders, needs } = this.#service;
    const { topics, options, random, store } = needs;
    const { group, topic, queueId } = this;
    const { order, attemptId } = this.#header;
    const isOrder = order === true;
    const targets = popTargets({
      topics,
      options,
      topic,
      group,
      queueId,
      order: isOrder,
      random: random.int(100),
    });
    let opensAtMs = Number.POSITIVE_INFINITY;
    for (let index = 0; index < targets.size; index++) {
      const at = targets.topic(index);
      const id = targets.queueId(index);
      if (store.readableEnd(at, id) <= queues.peek(group, at, id, INIT_MODE)) continue;
      const closedUntilMs = isOrder ? orders.closedUntilMs(group, at, id, attemptId) : undefined;
      if (closedUntilMs === undefined) return undefined;
      opensAtMs = Math.min(opensAtMs, closedUntilMs);
    }
    return opensAtMs;
  }

  #answer(hasMsg: boolean, pollingFull: boolean): void {
    this.#exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => notificationResponseHeader.encode({ hasMsg, pollingFull }, sink),
    });
  }
}
