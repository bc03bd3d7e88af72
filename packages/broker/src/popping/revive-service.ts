/**
 * Brings back what was popped and not acknowledged in time (RocketMQ: PopReviveService): its messages are read
 * again, appended to the retry topic (or to the dead letters), and the log is told so. Nothing is polled: the service
 * wakes when the first is due. A bounded number of checkpoints is looked at together, so that neither a slow read nor
 * the write of a turn is waited for by each alone; the messages of one come in their order.
 *
 * The retry message lies before its acknowledgement in the same log: a crash between them brings it twice. A
 * message that is gone (removed for its age, or with its topic) is passed over with a warning; one that cannot be
 * read now is tried again, after longer and longer pauses. A group that is not known gets its messages all the same:
 * it need not have been deleted, its file may have been torn.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import type { AppendWaiter, GetResult, MessageStore } from "@orbitmq/store";
import { type MessageRecord, popNormalTopicOf } from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import { DLQ_QUEUES, groupTopic } from "../retry/group-topics.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { CheckPoint } from "./check-points.ts";
import { recordsOf } from "./popped-records.ts";
import type { ReviveLog } from "./revive-log.ts";
import { revivedMessage } from "./revived-message.ts";

/** RocketMQ: PopAckConstants.retryQueueNum. */
const RETRY_QUEUES = 1;
/** The store takes no messages now. */
const REFUSED_PAUSE_MS = 1_000;
/** What cannot be read is tried again after so many seconds (RocketMQ: ckRewriteIntervalsInSeconds). */
const UNREADABLE_PAUSES_S = [
  10, 20, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200,
];
/** Checkpoints whose messages are read at the same time. */
const REVIVING_MAX = 32;
/** A turn takes up no more when it has taken up so many messages: a backlog must not hold up requests. */
const TURN_MESSAGES = 64;
/** Timers of a host need not reach further. */
const WAIT_MS_MAX = 3_600_000;

export interface ReviveServiceNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly options: ResolvedBrokerOptions;
  readonly identity: BrokerIdentity;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly stats: BrokerStats;
  readonly log: ReviveLog;
}

export class ReviveService {
  readonly #needs: ReviveServiceNeeds;
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  #reviving = 0;
  /** The next turn looks for more. */
  #goesOn = false;
  #isStarted = false;
  #stopped = false;
  /** Nobody waits for retry messages. */
  readonly #waiter: AppendWaiter = {
    appendSettled: (outcome) => outcome !== "failed" && this.#needs.log.follow(),
  };

  constructor(needs: ReviveServiceNeeds) {
    this.#needs = needs;
    needs.log.onAdded = () => this.#arm();
  }

  start(): void {
    this.#isStarted = true;
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const { log, clock, timers } = this.#needs;
    const firstMs = log.table.firstDueMs;
    if (
      firstMs === undefined ||
      this.#goesOn ||
      this.#reviving >= REVIVING_MAX ||
      this.#stopped ||
      !this.#isStarted
    )
      return;
    if (this.#timer !== undefined && this.#timerAtMs <= firstMs) return;
    this.#timer?.cancel();
    const nowMs = clock.monotonicMs();
    const waitMs = Math.min(Math.max(firstMs - nowMs, 0), WAIT_MS_MAX);
    this.#timerAtMs = nowMs + waitMs;
    this.#timer = timers.after(waitMs, () => {
      this.#timer = undefined;
      this.#next();
    });
  }

  /** Takes up what is due, as much as there is room for. */
  #next(): void {
    const { log, clock } = this.#needs;
    const nowMs = clock.monotonicMs();
    for (let taken = 0; taken < TURN_MESSAGES && this.#reviving < REVIVING_MAX && !this.#stopped; ) {
      const checkPoint = log.table.takeDue(nowMs);
      if (checkPoint === undefined) {
        this.#arm();
        return;
      }
      taken += checkPoint.offsets.length;
      this.#reviving++;
      this.#revive(checkPoint, 0);
    }
    if (this.#reviving < REVIVING_MAX) this.#goOn();
  }

  #goOn(): void {
    if (this.#goesOn || this.#stopped) return;
    this.#goesOn = true;
    this.#needs.timers.afterTurn(() => {
      this.#goesOn = false;
      this.#next();
    });
  }

  #revive(checkPoint: CheckPoint, from: number): void {
    const { store } = this.#needs;
    for (let index = from; index < checkPoint.offsets.length; index++) {
      if ((checkPoint.ackedBits & (1 << index)) !== 0) continue;
      const offset = checkPoint.offsets[index]!;
      const { topic, queueId } = checkPoint;
      let answered = false;
      let isSync = true;
      let goOn = false;
      const request = { topic, queueId, offset, messagesMax: 1, bytesMax: 1 };
      store.get(request, (result) => {
        answered = true;
        goOn = this.#found(checkPoint, index, result);
        if (goOn && !isSync) this.#revive(checkPoint, index + 1);
      });
      isSync = false;
      if (!answered || !goOn) return;
    }
    this.#settle(checkPoint, undefined);
  }

  /** False: the rest must wait; it was settled here. */
  #found(checkPoint: CheckPoint, index: number, result: GetResult): boolean {
    const offset = checkPoint.offsets[index]!;
    const { logger, store } = this.#needs;
    const { topic, queueId, group } = checkPoint;
    const where = { topic, queueId, offset, group };
    try {
      // Acknowledged while it was read.
      if ((checkPoint.ackedBits & (1 << index)) !== 0) return true;
      if (this.#stopped) {
        this.#settle(checkPoint, REFUSED_PAUSE_MS);
        return false;
      }
      const record = result.messageCount > 0 ? recordsOf(result.slices)[0] : undefined;
      if (record?.queueOffset === offset) return this.#bringBack(checkPoint, index, record);
      if (offset < store.minOffset(topic, queueId) || offset >= store.readableEnd(topic, queueId)) {
        logger.warn(where, "a popped message is gone from its queue and cannot come again");
        checkPoint.ackedBits |= 1 << index;
        return true;
      }
    } finally {
      result.release();
    }
    const pauses = UNREADABLE_PAUSES_S;
    const pauseS = pauses[Math.min(checkPoint.failures++, pauses.length - 1)]!;
    logger.error({ ...where, status: result.status, pauseS }, "a popped message cannot be read now");
    this.#settle(checkPoint, pauseS * 1_000);
    return false;
  }

  #bringBack(checkPoint: CheckPoint, index: number, record: MessageRecord): boolean {
    const { options, identity, groups, topics, store, stats, log, logger } = this.#needs;
    const { group, popTime } = checkPoint;
    const { message, isDeadLetter } = revivedMessage(record, identity.storeHost, {
      group,
      popTime,
      retryMaxTimes: groups.get(group)?.retryMaxTimes ?? 16,
      enableRetryTopicV2: options.enableRetryTopicV2,
    });
    const queues = isDeadLetter ? DLQ_QUEUES : RETRY_QUEUES;
    const topic = groupTopic(topics, options.topicsMax, message.topic, queues, 0);
    const result = topic === undefined ? undefined : store.append(message, log.durability, this.#waiter);
    if (result?.status !== "appended") {
      logger.warn(
        { topic: message.topic, group, reason: result?.reason ?? "TOO_MANY_TOPICS", remark: result?.remark },
        "a message must come again and the store does not take it; trying again",
      );
      this.#settle(checkPoint, REFUSED_PAUSE_MS);
      return false;
    }
    stats.put(1, result.byteCount, message.topic);
    if (!isDeadLetter) stats.counted.pops(group, record.topic).retries++;
    if (isDeadLetter) stats.deadLetter(popNormalTopicOf(record.topic, group), group);
    checkPoint.ackedBits |= 1 << index;
    checkPoint.revivedBits |= 1 << index;
    return true;
  }

  /** Tells the log what was done, and looks at the rest after `pauseMs`. */
  #settle(checkPoint: CheckPoint, pauseMs: number | undefined): void {
    const { log, clock } = this.#needs;
    const bits = checkPoint.ackedBits & ~checkPoint.loggedBits;
    const refused = bits === 0 ? undefined : log.done(checkPoint, bits);
    const againMs = refused !== undefined ? REFUSED_PAUSE_MS : pauseMs;
    if (againMs !== undefined) log.table.postpone(checkPoint, clock.monotonicMs() + againMs);
    this.#reviving--;
    this.#goOn();
  }
}
