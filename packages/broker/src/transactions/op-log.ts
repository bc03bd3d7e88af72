/**
 * Writes down which places of the half queue are done with (RocketMQ: TransactionalOpBatchService): in batches, a
 * record when enough have come together, or when the first has waited long enough. A commit is in the log before its op:
 * a crash between them is seen at the next start, which looks for commits from `opsUpTo` on. Once ops are durable the
 * progress of both queues moves, as offsets of CID_RMQ_SYS_TRANS: that of the ops never past one whose half is not done
 * with for certain, since it is all that Java knows a half's end by.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import type { AppendOutcome, AppendWaiter, Durability, MessageStore } from "@orbitmq/store";
import { MessageConst, type RecordInput } from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { HALF_OP_TOPIC, HALF_TOPIC, TRANSACTION_GROUP } from "../names.ts";
import { DurableSteps } from "../popping/durable-steps.ts";
import { withProperties } from "../sending/property-text.ts";
import type { Halves } from "./halves.ts";
import { formatOpBody, OP_TAG, opBytes } from "./op-body.ts";

/** How often what waits to become durable is looked at while nothing else happens. */
const FOLLOW_MS = 1_000;
/** The store takes no messages now. */
const REFUSED_PAUSE_MS = 1_000;

export interface OpLogNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly store: MessageStore;
  readonly identity: BrokerIdentity;
  readonly offsets: OffsetRegistry;
  readonly halves: Halves;
  readonly options: {
    readonly transactionOpMsgMaxSize: number;
    readonly transactionOpBatchInterval: number;
  };
  readonly durability: Durability;
  /** `opsUpTo` has moved. */
  readonly moved: () => void;
}

/** A record of ops that is in the log. */
export interface LoggedOp {
  readonly queueOffset: number;
  /** The highest place it names. */
  readonly lastHalf: number;
}

interface Op {
  readonly halfOffset: number;
  /** Where the record that ended the transaction begins; `undefined` for a rollback, or a place taken by a copy. */
  readonly position: number | undefined;
}

export class OpLog {
  readonly #needs: OpLogNeeds;
  readonly #steps = new DurableSteps();
  #waiting: Op[] = [];
  #waitingBytes = 0;
  /** Positions whose ops are not durable, ascending. */
  #unsure: number[] = [];
  /** Records of ops, in order, that progress has not passed. */
  #logged: LoggedOp[] = [];
  #loggedEnd = 0;
  #batch: TimerHandle | undefined;
  #follow: TimerHandle | undefined;
  #isDue = false;
  #stopped = false;

  constructor(needs: OpLogNeeds) {
    this.#needs = needs;
  }

  /** What a start has found; `end` is where the queue of ops ends. */
  load(logged: readonly LoggedOp[], end: number): void {
    this.#logged = [...logged];
    this.#loggedEnd = end;
  }

  /** Every record before this position that ended a transaction has its op on disk. */
  get opsUpTo(): number {
    return this.#unsure[0] ?? this.#needs.store.status().flushedOffset;
  }

  /**
   * A place of the half queue is done with, by the record that begins at `position`; without one by nothing but its op.
   */
  done(halfOffset: number, position: number | undefined): void {
    this.#waiting.push({ halfOffset, position });
    this.#waitingBytes += opBytes(halfOffset);
    if (position !== undefined) this.#unsure.push(position);
    const { transactionOpMsgMaxSize, transactionOpBatchInterval } = this.#needs.options;
    if (this.#waitingBytes >= transactionOpMsgMaxSize) this.#flushSoon();
    else this.#flushAfter(transactionOpBatchInterval);
  }

  /** Writes what waits, if anything does; `waiter` is settled with its last record. False: the log refuses, and it is tried again. */
  flush(waiter?: AppendWaiter): boolean {
    while (this.#waiting.length > 0) {
      const ops = this.#nextBatch();
      const isLast = ops.length === this.#waiting.length;
      const settled = (outcome: AppendOutcome): void => {
        if (outcome !== "failed") this.#followFlush();
        if (isLast) waiter?.appendSettled(outcome);
      };
      const { store, durability, logger } = this.#needs;
      const message = this.#message(ops.map(({ halfOffset }) => halfOffset));
      const result = store.append(message, durability, { appendSettled: settled });
      if (result.status === "refused") {
        logger.warn(
          { count: this.#waiting.length, reason: result.reason, remark: result.remark },
          "ends of transactions cannot be written down now; trying again",
        );
        this.#flushAfter(REFUSED_PAUSE_MS);
        return false;
      }
      this.#waiting = this.#waiting.slice(ops.length);
      for (const { halfOffset } of ops) this.#waitingBytes -= opBytes(halfOffset);
      const end = result.physicalOffset + result.byteCount;
      this.#steps.push({ position: end, durable: () => this.#durable(result.queueOffset, ops) });
    }
    this.#batch?.cancel();
    this.#batch = undefined;
    this.#armFollow();
    return true;
  }

  /** Writes what waits and takes the progress as far as it goes; no more timers. */
  stop(): void {
    if (this.#needs.store.status().refusal === undefined) this.flush();
    this.#stopped = true;
    this.#batch?.cancel();
    this.#follow?.cancel();
    this.#followFlush();
  }

  #nextBatch(): readonly Op[] {
    let bytes = 0;
    let count = 0;
    for (const { halfOffset } of this.#waiting) {
      bytes += opBytes(halfOffset);
      if (count > 0 && bytes > this.#needs.options.transactionOpMsgMaxSize) break;
      count++;
    }
    return this.#waiting.slice(0, count);
  }

  #durable(queueOffset: number, ops: readonly Op[]): void {
    const offsets = ops.map(({ halfOffset }) => halfOffset);
    this.#needs.halves.released(offsets);
    const sure = ops.filter(({ position }) => position !== undefined).length;
    if (sure > 0) this.#unsure = this.#unsure.slice(sure);
    this.#logged.push({ queueOffset, lastHalf: Math.max(...offsets) });
    this.#loggedEnd = queueOffset + 1;
  }

  #followFlush(): void {
    const before = this.#steps.size;
    if (before > 0) this.#steps.follow(this.#needs.store.status().flushedOffset);
    if (this.#steps.size === before) return;
    this.commitProgress();
    this.#needs.moved();
  }

  commitProgress(): void {
    const { offsets, halves } = this.#needs;
    const half = halves.progress;
    const known = offsets.get(TRANSACTION_GROUP, HALF_TOPIC, 0) ?? 0;
    if (half > known) offsets.commit(TRANSACTION_GROUP, HALF_TOPIC, 0, half, "transactions");
    // What was committed, not what was asked for: the two are saved together.
    const done = offsets.get(TRANSACTION_GROUP, HALF_TOPIC, 0) ?? 0;
    let passed = 0;
    while (passed < this.#logged.length && this.#logged[passed]!.lastHalf < done) passed++;
    this.#logged = this.#logged.slice(passed);
    const op = this.#logged[0]?.queueOffset ?? this.#loggedEnd;
    const knownOp = offsets.get(TRANSACTION_GROUP, HALF_OP_TOPIC, 0) ?? 0;
    if (op > knownOp) offsets.commit(TRANSACTION_GROUP, HALF_OP_TOPIC, 0, op, "transactions");
  }

  /** At the end of the turn: whoever has told of the last may want to wait for it. */
  #flushSoon(): void {
    if (this.#isDue || this.#stopped) return;
    this.#isDue = true;
    this.#needs.timers.afterTurn(() => {
      this.#isDue = false;
      if (!this.#stopped) this.flush();
    });
  }

  #flushAfter(ms: number): void {
    if (this.#stopped) return;
    this.#batch ??= this.#needs.timers.after(ms, () => {
      this.#batch = undefined;
      this.flush();
    });
  }

  #armFollow(): void {
    if (this.#stopped || this.#steps.size === 0) return;
    this.#follow ??= this.#needs.timers.after(FOLLOW_MS, () => {
      this.#follow = undefined;
      this.#followFlush();
      this.#armFollow();
    });
  }

  #message(halfOffsets: readonly number[]): RecordInput {
    const { clock, identity } = this.#needs;
    return {
      topic: HALF_OP_TOPIC,
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: clock.wallMs(),
      bornHost: identity.storeHost,
      storeHost: identity.storeHost,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: formatOpBody(halfOffsets),
      properties: withProperties("", { [MessageConst.TAGS]: OP_TAG }),
    };
  }
}
