/**
 * Transactions of a broker (RocketMQ: TransactionalMessageServiceImpl): takes halves in, ends them, asks producers about
 * those that nobody ends, and parks what nobody can tell about. The decisions are those of `Halves`; this is the I/O
 * around them. Nothing is polled: halves are heard of as they become durable, and one timer waits for the earliest that
 * is due.
 */
import { assert, type Clock, type Logger, type TimerHandle, type Timers } from "@orbitmq/host";
import type { AppendResult, AppendWaiter, ArrivalListener, MessageStore, StateFile } from "@orbitmq/store";
import {
  EncodedProperties,
  type EndTransactionRequestHeader,
  type MessageRecord,
  type MessageWhereabouts,
  newTopicConfig,
  type RecordInput,
  type RecordSource,
  ResponseCode,
  readRecord,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import { CHECK_MAX_TOPIC, HALF_TOPIC } from "../names.ts";
import { recordsOf } from "../popping/popped-records.ts";
import { refusalCodes } from "../sending/refusals.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import { CheckRequests } from "./check-requests.ts";
import { HalfCarrier } from "./half-carrier.ts";
import { checkedHalf, committedMessage, halfAt, parkedHalf, readHalf } from "./half-records.ts";
import { type Half, type HalfContent, Halves, type Now, type Transaction } from "./halves.ts";
import { OpLog } from "./op-log.ts";
import { formatOpsUpTo, parseOpsUpTo } from "./transaction-file.ts";
import { type LoadedTransactions, loadTransactions, strange } from "./transaction-load.ts";

/** Transactions looked at in one turn, and reads of them under way at once. */
const CHECKS_AT_ONCE = 32;
/** The store takes no messages now. */
const REFUSED_PAUSE_MS = 1_000;
/** Timers of a host need not reach further. */
const WAIT_MS_MAX = 3_600_000;
const HOUR_MS = 3_600_000;
/** Afterwards they are said again. */
const GROUPS_SAID_MAX = 10_000;

export interface TransactionServiceNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly options: ResolvedBrokerOptions;
  readonly identity: BrokerIdentity;
  readonly topics: TopicRegistry;
  readonly producers: ProducerGroups;
  readonly offsets: OffsetRegistry;
  readonly stats: BrokerStats;
  /** orbitmq-transactions.json; absent: nothing is kept. */
  readonly file: StateFile | undefined;
}

export interface EndRefused {
  readonly code: number;
  readonly remark: string;
}

export class TransactionService implements ArrivalListener {
  readonly halves: Halves;
  readonly #needs: TransactionServiceNeeds;
  readonly #ops: OpLog;
  readonly #requests: CheckRequests;
  readonly #carrier: HalfCarrier;
  readonly #durability: "flushed" | "written";
  #loaded: LoadedTransactions | undefined;
  #opsUpTo = 0;
  #save: TimerHandle | undefined;
  #saveWanted = false;
  #timer: TimerHandle | undefined;
  #timerAtMs = 0;
  #busy = 0;
  /** Of the message that is being committed. */
  readonly #properties = new EncodedProperties();
  /** Groups whose producers were said to be missing. */
  readonly #alone = new Set<string>();
  /** Where halves lie that were said to be damaged. */
  readonly #damaged = new Set<number>();
  #isStarted = false;
  #stopped = false;
  readonly #unattended: AppendWaiter = { appendSettled: () => undefined };

  constructor(needs: TransactionServiceNeeds) {
    const { options } = needs;
    this.#needs = needs;
    this.#durability = options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
    // Read when they are needed: they may change while the broker runs.
    this.halves = new Halves({
      get transactionTimeOut() {
        return options.transactionTimeOut;
      },
      get transactionCheckInterval() {
        return options.transactionCheckInterval;
      },
      get transactionCheckMax() {
        return options.transactionCheckMax;
      },
      get keptMs() {
        const { fileReservedTime } = options;
        return fileReservedTime > 0 ? fileReservedTime * HOUR_MS : Number.POSITIVE_INFINITY;
      },
    });
    this.#requests = new CheckRequests(needs.producers, options.brokerName);
    this.#ops = new OpLog({
      ...needs,
      halves: this.halves,
      durability: this.#durability,
      moved: () => this.#saveLater(),
    });
    this.#carrier = new HalfCarrier({
      ...needs,
      halves: this.halves,
      ops: this.#ops,
      durability: this.#durability,
      read: (transaction, done) => this.#read(transaction, done),
      copied: (transaction, message, result) => {
        needs.stats.put(1, result.byteCount, HALF_TOPIC);
        this.#ops.done(this.halves.copied(transaction, halfOf(message, result)), undefined);
      },
      putBack: (transaction) => {
        this.halves.postpone(transaction, transaction.deadlineMs);
        this.#arm();
      },
    });
  }

  /** Reads what is unfinished, before anything is served; offsets are loaded, the store runs. */
  async load(): Promise<void> {
    const opsUpTo = this.#needs.file?.load(parseOpsUpTo)?.value;
    const loaded = await loadTransactions(this.#needs, opsUpTo);
    this.#loaded = loaded;
    this.#opsUpTo = opsUpTo ?? 0;
    this.halves.begin(loaded.halfStart);
    const { open, lackingOps, unreadHalves } = loaded;
    const places = [...open.map(({ half }) => half.queueOffset), ...lackingOps, ...unreadHalves];
    for (const place of places.sort((a, b) => a - b)) this.halves.hold(place);
    for (const { half, rootPosition } of open) this.halves.found(half, rootPosition, this.#now());
    if (loaded.halfEnd > loaded.halfStart) this.halves.passed(loaded.halfEnd);
    this.#ops.load(loaded.ops, loaded.opEnd);
    if (open.length + lackingOps.length > 0) {
      this.#needs.logger.info(
        {
          unfinished: open.length,
          withoutOp: lackingOps.length,
          searchedFrom: loaded.searchedFrom,
        },
        "transactions of before the start",
      );
    }
  }

  /** Begins to hear of halves and to check them; the broker's address is known. Once. */
  start(): void {
    const { store } = this.#needs;
    const loaded = this.#loaded;
    this.#isStarted = true;
    for (const place of loaded?.lackingOps ?? []) this.#ops.done(place, this.#opsUpTo);
    // At once: Java, which may have the store next, knows by ops only.
    this.#ops.flush();
    const end = store.readableEnd(HALF_TOPIC, 0);
    for (const offset of loaded?.unreadHalves ?? []) this.#look(offset);
    for (let offset = loaded?.halfEnd ?? end; offset < end; offset++) this.#foreign(offset);
    this.#loaded = undefined;
    store.subscribeArrivals(this);
    store.guardRemoval((limit, done) =>
      this.#stopped ? done(false) : this.#carrier.carryBefore(limit, done),
    );
    this.#ops.commitProgress();
    this.#arm();
  }

  /** No more checks; writes down what has ended, before the offsets are saved. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#save?.cancel();
    this.#ops.stop();
  }

  /** Writes the file, after `stop`. Throws HostError. */
  save(): void {
    const { file } = this.#needs;
    try {
      if (this.#saveWanted) file?.saveSync(formatOpsUpTo(this.#ops.opsUpTo));
    } finally {
      file?.close();
    }
  }

  /** Appends a half, which says `content` of itself; `waiter` is settled when it is as durable as it asks for. */
  prepare(
    message: RecordSource,
    content: HalfContent,
    durability: "flushed" | "written",
    waiter: AppendWaiter,
  ): AppendResult {
    const result = this.#needs.store.append(message, durability, waiter);
    if (result.status === "appended") this.halves.stored(halfAt(content, result));
    return result;
  }

  messageArrived(topic: string, queueId: number, endOffset: number): void {
    if (topic !== HALF_TOPIC || queueId !== 0) return;
    const arrived = this.halves.arrived(endOffset - 1, this.#now());
    if (arrived.kind === "unknown") this.#foreign(endOffset - 1);
    else if (arrived.kind === "ask") this.#ask(arrived.transaction);
    this.#carrier.keepShort();
    this.#arm();
  }

  /**
   * Ends a transaction; the waiter is settled when that is as durable as an acknowledged send. `refused` is called
   * instead, maybe later. Nothing but its op tells of a rollback: it is written at once.
   */
  end(
    header: EndTransactionRequestHeader,
    waiterOf: (topic: string) => AppendWaiter,
    refused: (why: EndRefused) => void,
  ): void {
    const decision = this.halves.end(header, this.#now());
    if (decision.kind === "refuse") refused(decision);
    else if (decision.kind === "commit") this.#commit(decision.transaction, waiterOf, refused);
    else {
      this.#finish(decision.transaction, undefined);
      const { counted } = this.#needs.stats;
      counted.transactions.of(decision.transaction.half.realTopic).rollbacks++;
      if (this.#ops.flush(waiterOf(HALF_TOPIC))) return;
      refused({
        code: ResponseCode.SERVICE_NOT_AVAILABLE,
        remark: "the rollback cannot be written down now",
      });
    }
  }

  /** Appends a parked half again, to be checked from the beginning. */
  resume(record: MessageRecord, waiter: AppendWaiter, refused: (why: EndRefused) => void): void {
    const { identity } = this.#needs;
    const half = readHalf(record);
    if (half === undefined || this.halves.has(half.identity)) {
      const why = half === undefined ? "is no half" : "is being checked already";
      refused({ code: ResponseCode.SYSTEM_ERROR, remark: `the message ${why}` });
      return;
    }
    const message = checkedHalf(record, 0, identity.storeHost);
    const content = { ...half, checkTimes: 0, isCopy: true };
    const result = this.prepare(message, content, this.#durability, waiter);
    if (result.status === "refused") refused(refusalOf(result));
  }

  /** What is known of the half at this position; `finished` when it is none that is unfinished. */
  whereabouts(position: number): NonNullable<MessageWhereabouts["transaction"]> {
    const { clock, options } = this.#needs;
    const checkMax = options.transactionCheckMax;
    const transaction = this.halves.at(position);
    if (transaction === undefined) return { state: "finished", checkTimes: 0, checkMax };
    const { deadlineMs, half, unheard } = transaction;
    // Carrying its half on changes nothing for whoever asks.
    const state = transaction.state === "carrying" ? "open" : transaction.state;
    const waitMs = Math.max(0, deadlineMs - clock.monotonicMs());
    const checkTimes = Math.max(0, half.checkTimes - unheard);
    return { state, checkTimes, checkMax, nextMs: state === "open" ? clock.wallMs() + waitMs : undefined };
  }

  #commit(
    transaction: Transaction,
    waiterOf: (topic: string) => AppendWaiter,
    refused: (why: EndRefused) => void,
  ): void {
    const { store, identity, topics, stats, clock } = this.#needs;
    const again = (why: EndRefused): void => {
      this.halves.postpone(transaction, clock.monotonicMs() + REFUSED_PAUSE_MS);
      this.#arm();
      refused(why);
    };
    const { half } = transaction;
    store.recordAt(half.physicalOffset, (record) => {
      if (record === undefined) {
        again({ code: ResponseCode.SYSTEM_ERROR, remark: "the half cannot be read now" });
        return;
      }
      const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
      const message = committedMessage(half, bytes, this.#properties, identity.storeHost);
      topics.recover(message.topic, message.queueId);
      const result = store.append(message, this.#durability, waiterOf(message.topic));
      if (result.status === "refused") {
        again(refusalOf(result));
        return;
      }
      stats.put(1, result.byteCount, message.topic);
      const counted = stats.counted.transactions.of(message.topic);
      counted.commits++;
      const tookMs = clock.wallMs() - transaction.half.bornTimestamp;
      counted.finishS.record(Math.max(0, Math.floor(tookMs / 1_000)));
      this.#finish(transaction, result.physicalOffset);
    });
  }

  #finish(transaction: Transaction, position: number | undefined): void {
    this.#ops.done(this.halves.finish(transaction), position);
    this.#arm();
  }

  #arm(): void {
    const { clock, timers } = this.#needs;
    const firstMs = this.halves.firstDueMs;
    if (firstMs === undefined || this.#stopped || !this.#isStarted || this.#busy >= CHECKS_AT_ONCE) return;
    if (this.#timer !== undefined && this.#timerAtMs <= firstMs) return;
    this.#timer?.cancel();
    const nowMs = clock.monotonicMs();
    const waitMs = Math.min(Math.max(firstMs - nowMs, 0), WAIT_MS_MAX);
    this.#timerAtMs = nowMs + waitMs;
    this.#timer = timers.after(waitMs, () => {
      this.#timer = undefined;
      this.#lookAtDue();
    });
  }

  #lookAtDue(): void {
    const now = this.#now();
    for (let count = 0; count < CHECKS_AT_ONCE && this.#busy < CHECKS_AT_ONCE && !this.#stopped; count++) {
      const due = this.halves.takeDue(now);
      if (due === undefined) break;
      if (due.kind === "park") this.#park(due.transaction, due.why);
      else this.#check(due.transaction);
    }
    this.#arm();
  }

  /** A copy of the half with one check more; its producer is asked once that is durable. */
  #check(transaction: Transaction): void {
    const { options, store, identity, clock } = this.#needs;
    const { group } = transaction.half;
    if (!this.#requests.hasProducer(group)) {
      this.#sayAlone(group);
      this.halves.postpone(transaction, clock.monotonicMs() + options.transactionCheckInterval);
      return;
    }
    this.#alone.delete(group);
    this.#whileBusy(transaction, "checking", (record) => {
      const times = this.halves.nextCheckTimes(transaction);
      const message = checkedHalf(record, times, identity.storeHost);
      const result = store.append(message, this.#durability, this.#unattended);
      if (result.status === "refused") return this.#refusedLater(transaction, result);
      this.#needs.stats.put(1, result.byteCount, HALF_TOPIC);
      const before = this.halves.copied(transaction, halfOf(message, result));
      this.#ops.done(before, undefined);
    });
  }

  /** Once, until a producer comes. */
  #sayAlone(group: string): void {
    if (this.#alone.has(group)) return;
    if (this.#alone.size >= GROUPS_SAID_MAX) this.#alone.clear();
    this.#alone.add(group);
    this.#needs.logger.warn(
      { group, unfinished: this.halves.size },
      "no producer of a group is there to be asked about its transactions; they wait, and no check counts",
    );
  }

  #park(transaction: Transaction, why: string): void {
    const { store, identity, topics, logger } = this.#needs;
    this.#whileBusy(transaction, "parking", (record) => {
      if (topics.get(CHECK_MAX_TOPIC) === undefined) {
        topics.put(newTopicConfig(CHECK_MAX_TOPIC, { readQueueNums: 1, writeQueueNums: 1 }));
      }
      const result = store.append(parkedHalf(record, identity.storeHost), this.#durability, this.#unattended);
      if (result.status === "refused") return this.#refusedLater(transaction, result);
      const { group, uniqKey, checkTimes } = transaction.half;
      logger.warn(
        { group, uniqKey, checkTimes, why, topic: CHECK_MAX_TOPIC, queueOffset: result.queueOffset },
        "a transaction that nobody has ended is parked; an operator can have it checked again",
      );
      this.#finish(transaction, result.physicalOffset);
    });
  }

  /** Reads the half, and goes on unless it was ended meanwhile. */
  #whileBusy(
    transaction: Transaction,
    state: Transaction["state"],
    go: (record: MessageRecord) => void,
  ): void {
    const { options, clock, logger, store } = this.#needs;
    this.#busy++;
    this.#read(transaction, (record, isDamaged) => {
      this.#busy--;
      if (transaction.state === state && !this.#stopped) {
        const { group, uniqKey, physicalOffset } = transaction.half;
        const where = { group, uniqKey, position: physicalOffset };
        if (record !== undefined) go(record);
        else if (physicalOffset < store.status().minOffset) {
          logger.error(
            where,
            "an unfinished transaction is gone: its half was removed with the oldest part of the log",
          );
          this.#finish(transaction, undefined);
        } else if (isDamaged) {
          this.#sayDamaged(where);
          this.halves.postpone(transaction, clock.monotonicMs() + HOUR_MS);
        } else {
          logger.error(where, "the half of an unfinished transaction cannot be read now; trying again");
          this.halves.postpone(transaction, clock.monotonicMs() + options.transactionCheckInterval);
        }
      }
      this.#arm();
    });
  }

  /** Once; what is left of it stays in the log, and a commit is refused. */
  #sayDamaged(where: { readonly position: number; readonly group: string; readonly uniqKey: string }): void {
    if (this.#damaged.has(where.position)) return;
    if (this.#damaged.size < GROUPS_SAID_MAX) this.#damaged.add(where.position);
    this.#needs.logger.error(
      where,
      "the half of an unfinished transaction is damaged in the log: it can be neither checked nor committed until the disk gives it right",
    );
  }

  #refusedLater(transaction: Transaction, { reason, remark }: { reason: string; remark: string }): void {
    const { clock, logger } = this.#needs;
    logger.warn(
      { reason, remark },
      "a transaction is to be checked and the store does not take it; trying again",
    );
    this.halves.postpone(transaction, clock.monotonicMs() + REFUSED_PAUSE_MS);
  }

  #ask(transaction: Transaction): void {
    this.#read(transaction, (record) => {
      if (record === undefined || transaction.state !== "open" || this.#stopped) return;
      if (!this.#requests.ask(transaction.half, record)) this.halves.unheard(transaction);
    });
  }

  #read({ half }: Transaction, done: (record: MessageRecord | undefined, isDamaged: boolean) => void): void {
    this.#needs.store.recordAt(half.physicalOffset, (bytes, isDamaged) => {
      if (bytes === undefined) done(undefined, isDamaged);
      else done(readRecord(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0), false);
    });
  }

  /** A record of the half queue that this broker has not written. */
  #foreign(queueOffset: number): void {
    this.halves.hold(queueOffset);
    this.#look(queueOffset);
  }

  /** At what lies at a place that is held. */
  #look(queueOffset: number): void {
    const request = { topic: HALF_TOPIC, queueId: 0, offset: queueOffset, messagesMax: 1, bytesMax: 1 };
    this.#needs.store.get(request, (result) => {
      const record = recordsOf(result.slices)[0];
      result.release();
      const content = record?.queueOffset === queueOffset ? readHalf(record) : undefined;
      if (record !== undefined && content !== undefined) {
        const half = halfAt(content, record);
        const before = this.halves.copyFound(half);
        if (before === undefined) this.halves.found(half, undefined, this.#now());
        else this.#ops.done(before, undefined);
      } else if (record?.queueOffset === queueOffset) strange(this.#needs.logger, record);
      this.#arm();
    });
  }

  #now(): Now {
    const { clock } = this.#needs;
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }

  #saveLater(): void {
    this.#saveWanted = true;
    const { file, timers, options } = this.#needs;
    if (file === undefined || this.#stopped) return;
    this.#save ??= timers.after(options.flushConsumerOffsetInterval, () => {
      this.#save = undefined;
      this.#opsUpTo = this.#ops.opsUpTo;
      file.save(formatOpsUpTo(this.#opsUpTo));
    });
  }
}

/** The half that was just appended. */
function halfOf(message: RecordInput, result: Extract<AppendResult, { status: "appended" }>): Half {
  const content = readHalf(message);
  assert(content !== undefined, "a half says where it belongs");
  return halfAt(content, result);
}

function refusalOf({ reason, remark }: Extract<AppendResult, { status: "refused" }>): EndRefused {
  return { code: refusalCodes[reason], remark: `${reason}: ${remark}` };
}
