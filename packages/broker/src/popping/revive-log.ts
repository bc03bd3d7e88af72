/**
 * The revive log's writing side: checkpoints and acknowledgements are appended to rmq_sys_REVIVE_LOG_<cluster> and
 * enter the table in the same turn; what may happen only once they are durable is a step (see durable-steps). How
 * far the log need not be read again is committed as the offset of CID_RMQ_SYS_REVIVE_GROUP, as RocketMQ does.
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";
import type { AppendOutcome, AppendRefusal, AppendWaiter, Durability, MessageStore } from "@orbitmq/store";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { REVIVE_TOPIC_PREFIX } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import { CheckPoint, CheckPoints } from "./check-points.ts";
import { type DurableStep, DurableSteps } from "./durable-steps.ts";
import { ackMessage, type CheckPointRecord, checkPointMessage, type RevivePlace } from "./revive-records.ts";

export const REVIVE_GROUP = "CID_RMQ_SYS_REVIVE_GROUP";
/** How often what waits to become durable is looked at while nothing else happens, and progress is committed. */
const FOLLOW_MS = 1_000;
/** A checkpoint that many records behind its queue's end is written again, so that a start need not read them. */
export const REWRITE_BEHIND = 100_000;

export interface ReviveLogNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly store: MessageStore;
  readonly options: ResolvedBrokerOptions;
  readonly identity: BrokerIdentity;
  readonly offsets: OffsetRegistry;
  readonly stats: BrokerStats;
}

export interface Refused {
  readonly reason: AppendRefusal;
  readonly remark: string;
}

export class ReviveLog {
  readonly table = new CheckPoints();
  readonly topic: string;
  readonly durability: Durability;
  /** Told when something enters the table. */
  onAdded: () => void = () => undefined;
  readonly #needs: ReviveLogNeeds;
  readonly #steps = new DurableSteps();
  readonly #queuesUsed = new Set<number>();
  readonly #rewriteBehind: number;
  /** Per queue, what we have appended and not heard of yet. */
  readonly #own = new Map<number, Set<number>>();
  #timer: TimerHandle | undefined;
  #counter = 0;
  /** Behind the newest checkpoint. */
  #checkPointsEnd = 0;
  #stopped = false;
  /** For appends nobody waits for. */
  readonly #unattended: AppendWaiter = { appendSettled: (outcome) => outcome !== "failed" && this.follow() };

  constructor(needs: ReviveLogNeeds, rewriteBehind = REWRITE_BEHIND) {
    this.#needs = needs;
    this.#rewriteBehind = rewriteBehind;
    this.topic = REVIVE_TOPIC_PREFIX + needs.options.brokerClusterName;
    this.durability = needs.options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
  }

  /** The revive queue of the next pop: all take their turn. */
  nextQueue(): number {
    return this.#counter++ % this.#needs.options.reviveQueueNum;
  }

  /**
   * Appends a checkpoint; `waiter` is settled when it is as durable as an acknowledged send. Returns it and the
   * position behind it.
   */
  checkPoint(
    record: CheckPointRecord,
    reviveQueueId: number,
    waiter: AppendWaiter,
  ): { readonly checkPoint: CheckPoint; readonly position: number } | Refused {
    const { store, clock, stats } = this.#needs;
    const result = store.append(
      checkPointMessage(record, this.#place(reviveQueueId)),
      this.durability,
      waiter,
    );
    if (result.status === "refused") return result;
    stats.counted.pops(record.group, record.topic).checkPoints++;
    this.#appended(reviveQueueId, result.queueOffset);
    const deadlineMs = clock.monotonicMs() + record.invisibleTime;
    const checkPoint = new CheckPoint(record, reviveQueueId, deadlineMs);
    this.table.add(checkPoint, result.queueOffset);
    this.onAdded();
    this.#checkPointsEnd = result.physicalOffset + result.byteCount;
    return { checkPoint, position: this.#checkPointsEnd };
  }

  /** Appends that messages of a checkpoint are done with. Nothing happens when it is refused. */
  done(checkPoint: CheckPoint, bits: number, waiter: AppendWaiter = this.#unattended): Refused | undefined {
    const offsets = checkPoint.offsetsOf(bits);
    const place = this.#place(checkPoint.reviveQueueId);
    const result = this.#needs.store.append(ackMessage(checkPoint, offsets, place), this.durability, waiter);
    if (result.status === "refused") return result;
    this.#appended(checkPoint.reviveQueueId, result.queueOffset);
    this.table.acknowledge(checkPoint, bits);
    if (checkPoint.isClosing) {
      this.onceDurable({
        position: result.physicalOffset + result.byteCount,
        durable: () => {
          if (!checkPoint.isGone) this.table.remove(checkPoint);
          this.#arm();
        },
      });
    }
    return undefined;
  }

  /** Takes a step once the log is durable up to its position. */
  onceDurable(step: DurableStep): void {
    this.#steps.push(step);
    this.#arm();
  }

  /** The position that everything now waiting waits for. */
  get lastPosition(): number {
    return this.#steps.lastPosition;
  }

  /** What lies before `position` was read at start, and the queues' offsets know of it. */
  loaded(position: number): void {
    this.#checkPointsEnd = position;
  }

  /**
   * The position of the log up to which the committed offsets know of every pop; what waits to become durable they
   * do not, except as `atReset`, when they are somebody else's will.
   */
  popMark(atReset = false): number {
    const first = atReset ? undefined : this.#steps.firstPosition;
    return first === undefined ? this.#checkPointsEnd : first - 1;
  }

  /** Takes the steps whose time has come. */
  follow(): void {
    if (this.#steps.size > 0) this.#steps.follow(this.#needs.store.status().flushedOffset);
  }

  /** No more timers; commits how far the log is done with. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#tick();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer ??= this.#needs.timers.after(FOLLOW_MS, () => {
      this.#timer = undefined;
      this.#tick();
      if (this.#steps.size > 0) this.#arm();
    });
  }

  #tick(): void {
    this.follow();
    const { store, offsets } = this.#needs;
    for (const queueId of this.#queuesUsed) {
      const end = store.readableEnd(this.topic, queueId);
      if (!this.#stopped) this.#rewrite(queueId, end);
      const progress = this.table.progress(queueId, end);
      if (progress > (offsets.get(REVIVE_GROUP, this.topic, queueId) ?? -1)) {
        offsets.commit(REVIVE_GROUP, this.topic, queueId, progress, "revive");
      }
    }
  }

  /** A queue in use from the start on. */
  used(queueId: number): void {
    this.#queuesUsed.add(queueId);
  }

  /** Whether the record is one of ours; asked once for each. */
  isOwn(queueId: number, offset: number): boolean {
    return this.#own.get(queueId)?.delete(offset) === true;
  }

  #appended(queueId: number, offset: number): void {
    this.#queuesUsed.add(queueId);
    const offsets = this.#own.get(queueId);
    if (offsets === undefined) this.#own.set(queueId, new Set([offset]));
    else offsets.add(offset);
  }

  /** A checkpoint of somebody else's is in the table, or done with. */
  settledForeign(): void {
    this.onAdded();
    this.#arm();
  }

  #rewrite(queueId: number, end: number): void {
    const oldest = this.table.oldest(queueId);
    if (oldest === undefined || end - oldest.reviveOffset <= this.#rewriteBehind) return;
    const { checkPoint } = oldest;
    if (checkPoint?.held !== oldest || checkPoint.isClosing) return;
    const message = checkPointMessage(
      { ...nameOf(checkPoint), ackedBits: checkPoint.loggedBits },
      this.#place(queueId),
    );
    const result = this.#needs.store.append(message, this.durability, this.#unattended);
    if (result.status === "refused") return;
    this.#appended(queueId, result.queueOffset);
    this.table.hold(checkPoint, result.queueOffset);
    this.onceDurable({
      position: result.physicalOffset + result.byteCount,
      durable: () => {
        oldest.isHeld = false;
        this.#arm();
      },
    });
  }

  #place(queueId: number): RevivePlace {
    const { clock, identity } = this.#needs;
    return { topic: this.topic, queueId, nowMs: clock.wallMs(), storeHost: identity.storeHost };
  }
}

function nameOf(checkPoint: CheckPoint): Omit<CheckPointRecord, "ackedBits"> {
  const { group, topic, queueId, startOffset, popTime, brokerName, invisibleTime, offsets, rePutTimes } =
    checkPoint;
  return { group, topic, queueId, startOffset, popTime, brokerName, invisibleTime, offsets, rePutTimes };
}

/** Waits for several appends, then tells the worst outcome. */
export class Appends implements AppendWaiter {
  waiting = 0;
  readonly #log: ReviveLog;
  readonly #done: (outcome: AppendOutcome) => void;
  worst: AppendOutcome = "reached";

  constructor(log: ReviveLog, done: (outcome: AppendOutcome) => void) {
    this.#log = log;
    this.#done = done;
  }

  appendSettled(outcome: AppendOutcome): void {
    if (outcome === "failed" || this.worst === "reached") this.worst = outcome;
    this.waiting--;
    if (outcome !== "failed") this.#log.follow();
    if (this.waiting === 0) this.#done(this.worst);
  }
}
