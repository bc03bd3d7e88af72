/**
 * One pop from its first look into the queues to its answer (RocketMQ: PopMessageProcessor). It is
 *
 *   looking   through the queues in turn, and the retry topics before or behind them; a queue somebody else reads is
 *             passed over
 *   parked    it found nothing and may wait (see pop-long-poll); then it looks again
 *   writing   checkpoints are appended for what it took, and must be durable before the messages leave
 *   answered
 *
 * In order a queue gives a batch only when the one before is done with (see order-info), and no checkpoint is made.
 */
import { assert } from "@orbitmq/host";
import type { AppendOutcome, GetResult } from "@orbitmq/store";
import {
  type Exchange,
  formatMsgOffsetInfo,
  formatOrderCountInfo,
  formatStartOffsetInfo,
  POP_ORDER_REVIVE_QUEUE,
  type PopMessageOffsets,
  type PopMessageRequestHeader,
  type PopOrderCount,
  type PopStartOffset,
  popMessageResponseHeader,
  popTopicTypeOf,
  ResponseCode,
} from "@orbitmq/wire";
import type { RecordFilter } from "../filters/record-filter.ts";
import type { SqlFilter } from "../filters/sql-filter.ts";
import { refusalCodes } from "../sending/refusals.ts";
import type { OrderInfo } from "./order-info.ts";
import type { PopResumeReason, PopWaiter } from "./pop-long-poll.ts";
import type { PopQueue } from "./pop-queues.ts";
import type { PopService } from "./pop-service.ts";
import { type PopTargets, popTargets } from "./pop-targets.ts";
import { queueOffsetsOf, recordsOf, retryRecord } from "./popped-records.ts";
import { Appends, type Refused } from "./revive-log.ts";
import type { CheckPointRecord } from "./revive-records.ts";

export type PopFilter = SqlFilter | ((tagsCode: number) => boolean) | undefined;

export class PopRun implements PopWaiter {
  readonly peer: Exchange["peer"];
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly matches: ((tagsCode: number) => boolean) | undefined;
  readonly expiresMs: number;
  deadlineMs: number;
  heapIndex = -1;
  readonly #service: PopService;
  readonly #exchange: Exchange;
  readonly #header: PopMessageRequestHeader;
  readonly #filter: RecordFilter | undefined;
  readonly #isOrder: boolean;
  readonly #reviveQueueId: number;
  #mayWait: boolean;
  #wasParked = false;
  #targets: PopTargets;
  #step = 0;
  #isLooking = false;
  /** A look ended before its queue did, with nothing that is wanted. */
  #isCutShort = false;
  /** The queue was read from where its offset was wrong, and is read once more. */
  #corrected = false;
  #arrivals = 0;
  #restNum = 0;
  #opensAtMs = Number.POSITIVE_INFINITY;
  #refused: Refused | undefined;
  #popTime = 0;
  readonly #appends: Appends;
  #count = 0;
  #byteCount = 0;
  readonly #held: GetResult[] = [];
  readonly #body: Uint8Array[] = [];
  readonly #starts: PopStartOffset[] = [];
  readonly #offsets: PopMessageOffsets[] = [];
  readonly #counts: PopOrderCount[] = [];

  constructor(service: PopService, header: PopMessageRequestHeader, exchange: Exchange, filter: PopFilter) {
    const { clock, options, filters } = service.needs;
    this.#service = service;
    this.#header = header;
    this.#exchange = exchange;
    this.peer = exchange.peer;
    this.group = header.consumerGroup;
    this.topic = header.topic;
    this.queueId = header.queueId;
    if (typeof filter === "function") this.matches = filter;
    else if (filter !== undefined) this.#filter = filters.recordFilter(filter);
    this.#isOrder = header.order === true;
    this.#reviveQueueId = this.#isOrder ? POP_ORDER_REVIVE_QUEUE : service.log.nextQueue();
    // Counted from now: clients' clocks are nobody's business.
    const waitMs = Math.min(Math.max(header.pollTime, 0), options.suspendTimeoutMillisMax);
    this.#mayWait = waitMs > 0;
    this.expiresMs = clock.monotonicMs() + waitMs;
    this.deadlineMs = this.expiresMs;
    this.#appends = new Appends(service.log, (outcome) => this.#settled(outcome));
    this.#targets = this.#newTargets();
  }

  run(): void {
    const { clock } = this.#service.needs;
    this.#arrivals = this.#service.pops.arrivals;
    this.#targets = this.#newTargets();
    this.#step = 0;
    this.#restNum = 0;
    this.#opensAtMs = Number.POSITIVE_INFINITY;
    this.#refused = undefined;
    this.#isCutShort = false;
    this.#popTime = clock.wallMs();
    this.#filter?.begin();
    this.#isLooking = true;
    this.#look();
  }

  resume(reason: PopResumeReason): void {
    this.#wasParked = true;
    if (reason === "woken" || reason === "due") {
      // What woke it is somebody else's, then.
      if (this.peer.closed) this.#service.pops.wake(this.group, this.topic, this.queueId);
      else this.run();
      return;
    }
    this.#mayWait = false;
    if (reason === "expired") this.#answerNothing(ResponseCode.POLLING_TIMEOUT, "NO_MESSAGE_IN_QUEUE");
    else this.#answerNothing(ResponseCode.POLLING_TIMEOUT, "the broker is stopping");
  }

  #newTargets(): PopTargets {
    const { topics, options, random } = this.#service.needs;
    const { topic, group, queueId } = this;
    return popTargets({
      topics,
      options,
      topic,
      group,
      queueId,
      order: this.#isOrder,
      random: random.int(100),
    });
  }

  /** Goes through the queues as long as the store answers at once. */
  #look(): void {
    while (this.#step < this.#targets.size) {
      const index = this.#step++;
      this.#corrected = false;
      if (!this.#visit(this.#targets.topic(index), this.#targets.queueId(index))) return;
    }
    this.#looked();
  }

  /** False: the store answers later, and goes on then. */
  #visit(topic: string, queueId: number): boolean {
    const { queues, orders, needs } = this.#service;
    const queue = queues.open(this.group, topic, queueId, this.#header.initMode);
    const left = needs.store.readableEnd(topic, queueId) - queue.next;
    if (queue.isLocked) {
      queue.isWanted = true;
      if (!this.#isOrder) this.#restNum += Math.max(left, 0);
      return true;
    }
    const { attemptId } = this.#header;
    const opensAtMs = this.#isOrder ? orders.closedUntilMs(this.group, topic, queueId, attemptId) : undefined;
    if (opensAtMs !== undefined) {
      if (left > 0) this.#opensAtMs = Math.min(this.#opensAtMs, opensAtMs);
      queues.release(queue);
      return true;
    }
    const { maxMsgNums } = this.#header;
    if (left === 0 || this.#count >= maxMsgNums || this.#refused !== undefined) {
      this.#restNum += Math.max(left, 0);
      queues.release(queue);
      return true;
    }
    return this.#read(queue);
  }

  #read(queue: PopQueue): boolean {
    const { store, options } = this.#service.needs;
    const { topic, queueId } = queue;
    const isRetry = topic !== this.topic;
    queue.isLocked = true;
    let isDone = false;
    let isSync = true;
    store.get(
      {
        topic,
        queueId,
        offset: queue.next,
        messagesMax: this.#header.maxMsgNums - this.#count,
        bytesMax: Math.max(1, options.maxTransferBytesOnMessageInMemory - this.#byteCount),
        matches: isRetry ? undefined : this.matches,
        matchesRecord: isRetry ? undefined : this.#filter?.matches,
        stopBefore: isRetry ? undefined : this.#filter?.isOver,
      },
      (result) => {
        queue.isLocked = false;
        isDone = this.#found(queue, result);
        if (isDone) this.#unlocked(queue);
        if (isDone && !isSync) this.#look();
      },
    );
    isSync = false;
    return isDone;
  }

  /** Others passed it over while it was read. */
  #unlocked(queue: PopQueue): void {
    const { queues, pops } = this.#service;
    if (queue.isWanted) {
      queue.isWanted = false;
      pops.wake(this.group, this.topic, queue.topic === this.topic ? queue.queueId : -1);
    }
    queues.release(queue);
  }

  /** False: the queue is read again, and the store answers later. */
  #found(queue: PopQueue, result: GetResult): boolean {
    const { queues } = this.#service;
    let left: number = queue.next;
    if (result.messageCount > 0) {
      if (this.#take(queue, result)) left = result.nextBeginOffset;
      else result.release();
    } else {
      const { status, nextBeginOffset } = result;
      result.release();
      const isMisplaced = status === "OFFSET_TOO_SMALL" || status === "OFFSET_OVERFLOW_BADLY";
      if (nextBeginOffset > queue.next && nextBeginOffset < result.maxOffset) this.#isCutShort = true;
      if (nextBeginOffset !== queue.next) queues.passed(queue, nextBeginOffset);
      if (isMisplaced && !this.#corrected) {
        this.#corrected = true;
        return this.#read(queue);
      }
      left = queue.next;
    }
    this.#restNum += Math.max(result.maxOffset - left, 0);
    return true;
  }

  /** False: nothing was taken. */
  #take(queue: PopQueue, result: GetResult): boolean {
    const offsets = queueOffsetsOf(result.slices);
    const startOffset = queue.next;
    if (this.#isOrder) this.#takeInOrder(queue, offsets);
    else if (!this.#takeOnce(queue, offsets, result.nextBeginOffset)) return false;
    const { topic, queueId } = queue;
    const topicType = popTopicTypeOf(topic);
    const isRetry = topic !== this.topic;
    this.#starts.push({ topicType: isRetry ? topicType : 0, queueId, startOffset });
    this.#offsets.push({ topicType: isRetry ? topicType : 0, queueId, offsets });
    this.#count += offsets.length;
    this.#byteCount += result.byteCount;
    this.#service.needs.stats.got(result.messageCount, result.byteCount, topic, this.group);
    if (!isRetry) {
      this.#body.push(...result.slices);
      this.#held.push(result);
      return true;
    }
    const from = {
      topic: this.topic,
      startOffset,
      popTime: this.#popTime,
      invisibleTime: this.#header.invisibleTime,
      reviveQueueId: this.#reviveQueueId,
      brokerName: this.#service.needs.options.brokerName,
    };
    for (const record of recordsOf(result.slices)) this.#body.push(retryRecord(record, from));
    result.release();
    return true;
  }

  #takeInOrder(queue: PopQueue, offsets: readonly number[]): void {
    const { topic, queueId } = queue;
    const { attemptId, invisibleTime } = this.#header;
    const pop = { popTime: this.#popTime, attemptId, invisibleTime, offsets };
    const info = this.#service.orders.popped(this.group, topic, queueId, pop);
    this.#countOrder(queueId, info);
  }

  #countOrder(queueId: number, { counts, offsets }: OrderInfo): void {
    let min = counts.size === offsets.length ? Number.POSITIVE_INFINITY : 0;
    for (const [offset, count] of counts) {
      this.#counts.push({ topicType: 0, queueId, offset, count });
      min = Math.min(min, count);
    }
    // Old consumers know only one count for a queue.
    this.#counts.push({ topicType: 0, queueId, count: Number.isFinite(min) ? min : 0 });
  }

  #takeOnce(queue: PopQueue, offsets: readonly number[], nextOffset: number): boolean {
    const { log, queues, needs } = this.#service;
    const name = {
      group: this.group,
      topic: queue.topic,
      queueId: queue.queueId,
      startOffset: queue.next,
      popTime: this.#popTime,
      brokerName: needs.options.brokerName,
    };
    const popTime = log.table.freePopTime(name);
    // All of an answer have one pop time. The wall clock went back, and the name is taken: next time.
    if (popTime !== this.#popTime && this.#count > 0) return false;
    this.#popTime = popTime;
    const { invisibleTime } = this.#header;
    const record: CheckPointRecord = {
      ...name,
      popTime,
      invisibleTime,
      offsets,
      ackedBits: 0,
      rePutTimes: 0,
      nextOffset,
    };
    if (log.table.size >= needs.options.popCheckPointsMax) {
      this.#refused = { reason: "BUSY", remark: `${log.table.size} pops are not acknowledged` };
      return false;
    }
    const made = log.checkPoint(record, this.#reviveQueueId, this.#appends);
    if ("reason" in made) {
      this.#refused = made;
      return false;
    }
    made.checkPoint.poppedBy = this.#exchange.peer.address;
    this.#appends.waiting++;
    queues.popped(queue, nextOffset, made.position);
    return true;
  }

  #looked(): void {
    this.#isLooking = false;
    if (this.#count === 0) {
      this.#wait();
      return;
    }
    if (this.#appends.waiting === 0) this.#settled(this.#appends.worst);
  }

  #settled(outcome: AppendOutcome): void {
    if (this.#isLooking) return;
    if (outcome === "failed") {
      for (const result of this.#held.splice(0)) result.release();
      this.#answerNothing(
        ResponseCode.SERVICE_NOT_AVAILABLE,
        "service not available now: a write error stopped the store",
      );
    } else this.#answerFound();
  }

  #wait(): void {
    const { pops } = this.#service;
    if (this.#refused !== undefined) {
      const { reason, remark } = this.#refused;
      this.#answerNothing(refusalCodes[reason], `${reason}: ${remark}`);
      return;
    }
    if (!this.#mayWait) {
      this.#answerNothing(ResponseCode.POLLING_TIMEOUT, "NO_MESSAGE_IN_QUEUE");
      return;
    }
    const { clock, timers } = this.#service.needs;
    if (this.#isCutShort && clock.monotonicMs() < this.expiresMs) {
      // A turn between two looks: no filter holds up others.
      timers.afterTurn(() => this.resume("woken"));
      return;
    }
    if (pops.arrivals !== this.#arrivals && this.#hasMore()) {
      this.run();
      return;
    }
    this.deadlineMs = Math.min(this.expiresMs, this.#opensAtMs);
    const parked = pops.park(this);
    if (parked === "full") this.#answerNothing(ResponseCode.POLLING_FULL, "NO_MESSAGE_IN_QUEUE");
    else if (parked === "stopped") this.resume("stopped");
  }

  /** Whether something arrived behind the back of a slow look. */
  #hasMore(): boolean {
    const { queues, orders, needs } = this.#service;
    const { initMode, attemptId } = this.#header;
    for (let index = 0; index < this.#targets.size; index++) {
      const topic = this.#targets.topic(index);
      const queueId = this.#targets.queueId(index);
      if (queues.isLocked(this.group, topic, queueId)) continue;
      if (this.#isOrder && orders.closedUntilMs(this.group, topic, queueId, attemptId) !== undefined)
        continue;
      const next = queues.peek(this.group, topic, queueId, initMode);
      if (needs.store.readableEnd(topic, queueId) > next) return true;
    }
    return false;
  }

  #answerNothing(code: number, remark: string): void {
    this.#service.needs.stats.missed();
    this.#exchange.reply({
      code,
      remark,
      header: (sink) => this.#encode(sink, []),
      isLongPolling: this.#wasParked,
    });
  }

  #answerFound(): void {
    assert(this.#count > 0, "an answer has messages");
    const held = this.#held;
    this.#exchange.reply({
      code: ResponseCode.SUCCESS,
      remark: "FOUND",
      header: (sink) => this.#encode(sink, this.#offsets),
      body: this.#body,
      isLongPolling: this.#wasParked,
      written: () => {
        for (const result of held) result.release();
      },
    });
    if (this.#restNum > 0) this.#service.pops.wake(this.group, this.topic, this.queueId);
  }

  #encode(
    sink: Parameters<typeof popMessageResponseHeader.encode>[1],
    offsets: readonly PopMessageOffsets[],
  ): void {
    const isFound = offsets.length > 0;
    popMessageResponseHeader.encode(
      {
        popTime: this.#popTime,
        invisibleTime: this.#header.invisibleTime,
        reviveQid: this.#reviveQueueId,
        restNum: this.#restNum,
        startOffsetInfo: isFound ? formatStartOffsetInfo(this.#starts) : "",
        msgOffsetInfo: isFound ? formatMsgOffsetInfo(offsets) : "",
        orderCountInfo: isFound && this.#isOrder ? formatOrderCountInfo(this.#counts) : undefined,
      },
      sink,
    );
  }
}
