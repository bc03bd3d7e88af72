/**
 * The set of unfinished transactions: events in, what is to be done out; no I/O. A transaction is
 *
 *   stored     its half is appended, and not yet known to be durable: nothing acts upon it
 *   open       it may be ended, and is checked at `deadlineMs`
 *   checking   a copy of its half, with one check more, is on its way into the log; once durable, the producer is asked
 *   carrying   a copy of its half is on its way to the log's end, because its place is to be given up
 *   parking    it is on its way to where operators find it
 *   ending     its commit is on its way into the log
 *   finished   its commit, its rollback or its parking is in the log, or on its way there as an op; forgotten
 *
 *   stored → open → checking | carrying → open …, open → parking
 *   open | checking | carrying | parking → ending → finished
 *   ending → open   the commit was not taken by the log
 *
 * Each place in the half queue is held until an op that names it is durable: a copy's predecessor, too. Progress, as
 * RocketMQ keeps it, is the first place held.
 */
import { assert } from "@orbitmq/host";
import { type EndTransactionRequestHeader, MessageSysFlag, ResponseCode } from "@orbitmq/wire";
import { DeadlineHeap, type HasDeadline } from "../pulling/deadline-heap.ts";

/** What a half says of itself, wherever it lies. */
export interface HalfContent {
  /** The producer's. */
  readonly group: string;
  readonly uniqKey: string;
  /** Wall ms. */
  readonly bornTimestamp: number;
  readonly checkTimes: number;
  /** A half before it has given its place to this one. */
  readonly isCopy: boolean;
  /** The sender's own; it is not checked, and after it ended by checks only. */
  readonly immunityMs: number | undefined;
  /** RocketMQ has put the half off: where it lay first. */
  readonly rootOffset: number | undefined;
  /** The queue its message is for. */
  readonly realTopic: string;
  readonly realQueueId: number;
  /** The same in all copies of a half. */
  readonly identity: string;
}

/** A record of the half topic. */
export interface Half extends HalfContent {
  readonly queueOffset: number;
  readonly physicalOffset: number;
  /** Wall ms. */
  readonly storeTimestamp: number;
}

export type TransactionState =
  | "stored"
  | "open"
  | "checking"
  | "carrying"
  | "parking"
  | "ending"
  | "finished";

export class Transaction implements HasDeadline {
  half: Half;
  state: TransactionState = "stored";
  /** Monotonic ms. */
  deadlineMs = 0;
  heapIndex = -1;
  /** Checks that the log counts and nobody received. */
  unheard = 0;
  /** Positions by which it can be named. */
  readonly positions: number[];

  constructor(half: Half) {
    this.half = half;
    this.positions = [half.physicalOffset];
  }
}

export interface HalvesOptions {
  /** ms. */
  readonly transactionTimeOut: number;
  readonly transactionCheckInterval: number;
  readonly transactionCheckMax: number;
  /** An unfinished half older than this is parked before retention takes it; ms. */
  readonly keptMs: number;
}

export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export type EndDecision =
  | { readonly kind: "commit" | "rollback"; readonly transaction: Transaction }
  | { readonly kind: "refuse"; readonly code: number; readonly remark: string };

interface Named {
  readonly transaction: Transaction;
  readonly queueOffset: number;
}

export class Halves {
  /** Unfinished transactions by the topic their messages are for; topics that had some stay, with 0. */
  readonly byTopic = new Map<string, number>();
  readonly #options: HalvesOptions;
  /** By the position of a half, or of a copy before it. */
  readonly #named = new Map<number, Named>();
  /** Appended and not durable, by queue offset. */
  readonly #stored = new Map<number, Transaction>();
  readonly #due = new DeadlineHeap<Transaction>();
  /** Places of the half queue, ascending. */
  readonly #held = new Set<number>();
  #end = 0;
  #size = 0;

  constructor(options: HalvesOptions) {
    this.#options = options;
  }

  /** Unfinished transactions. */
  get size(): number {
    return this.#size;
  }

  /** Monotonic ms; `undefined` when nothing is to be checked. */
  get firstDueMs(): number | undefined {
    return this.#due.first?.deadlineMs;
  }

  /** How far the half queue is done with. */
  get progress(): number {
    for (const offset of this.#held) return offset;
    return this.#end;
  }

  /** The half queue is done with up to here; before anything else. */
  begin(offset: number): void {
    this.#end = offset;
  }

  /** A place in the half queue that is not done with, in their order. */
  hold(queueOffset: number): void {
    assert(queueOffset >= this.#end, "places of the half queue are held in their order");
    this.#held.add(queueOffset);
    this.#end = queueOffset + 1;
  }

  /** Places before this one that are not held are done with. */
  passed(end: number): void {
    this.#end = Math.max(this.#end, end);
  }

  /** An op that names these places is durable. */
  released(queueOffsets: readonly number[]): void {
    for (const offset of queueOffsets) this.#held.delete(offset);
  }

  /** A half was appended. */
  stored(half: Half): Transaction {
    const transaction = new Transaction(half);
    this.hold(half.queueOffset);
    this.#enter(transaction);
    this.#stored.set(half.queueOffset, transaction);
    return transaction;
  }

  /** A half that is durable; its place is held already. `rootPosition`: where RocketMQ's clients know it to be, with its `rootOffset`. */
  found(half: Half, rootPosition: number | undefined, now: Now): Transaction {
    const transaction = new Transaction(half);
    this.#enter(transaction);
    if (rootPosition !== undefined && half.rootOffset !== undefined && !this.#named.has(rootPosition)) {
      transaction.positions.push(rootPosition);
      this.#named.set(rootPosition, { transaction, queueOffset: half.rootOffset });
    }
    this.#open(transaction, now);
    return transaction;
  }

  /**
   * A record of the half queue became durable. `ask`: its producer is to be asked; `unknown`: it is not one of ours.
   */
  arrived(
    queueOffset: number,
    now: Now,
  ): { readonly kind: "ask"; readonly transaction: Transaction } | { readonly kind: "unknown" | "nothing" } {
    const transaction = this.#stored.get(queueOffset);
    if (transaction === undefined) return { kind: "unknown" };
    this.#stored.delete(queueOffset);
    if (transaction.state === "stored") this.#open(transaction, now);
    else if (transaction.state === "checking") {
      this.postpone(transaction, now.monotonicMs + this.#options.transactionCheckInterval);
      return { kind: "ask", transaction };
    } else if (transaction.state === "carrying") this.postpone(transaction, transaction.deadlineMs);
    return { kind: "nothing" };
  }

  /** The next transaction that is due, and for what; it is taken from those that wait. */
  takeDue(
    now: Now,
  ):
    | { readonly kind: "check" | "park"; readonly transaction: Transaction; readonly why: string }
    | undefined {
    const first = this.#due.first;
    if (first === undefined || first.deadlineMs > now.monotonicMs) return undefined;
    this.#due.remove(first);
    assert(first.state === "open", "only what is open is due");
    const { transactionCheckMax, keptMs } = this.#options;
    const isChecked = first.half.checkTimes - first.unheard >= transactionCheckMax;
    const isOld = now.wallMs - first.half.storeTimestamp >= keptMs;
    first.state = isChecked || isOld ? "parking" : "checking";
    const why = isChecked
      ? "it was checked as often as transactionCheckMax says"
      : "it is older than fileReservedTime";
    return { kind: isChecked || isOld ? "park" : "check", transaction: first, why };
  }

  /** Unfinished transactions whose halves begin before this position of the log, the oldest first. */
  before(position: number): Transaction[] {
    const found = new Set<Transaction>();
    for (const { transaction } of this.#named.values())
      if (transaction.half.physicalOffset < position) found.add(transaction);
    return [...found].sort((a, b) => a.half.physicalOffset - b.half.physicalOffset);
  }

  /** Unfinished transactions whose halves lie before this place of the half queue, at most `count`, the oldest first. */
  behind(queueOffset: number, count: number): Transaction[] {
    const found: Transaction[] = [];
    const byPlace = new Map<number, Transaction>();
    for (const { transaction } of this.#named.values())
      byPlace.set(transaction.half.queueOffset, transaction);
    for (const place of this.#held) {
      if (place >= queueOffset || found.length === count) break;
      const transaction = byPlace.get(place);
      if (transaction !== undefined) found.push(transaction);
    }
    return found;
  }

  /** How many places of the half queue a start has to read. */
  get span(): number {
    return this.#end - this.progress;
  }

  /** Its half is to be copied to the log's end; false: something else is under way with it. Postpone it when that fails. */
  carry(transaction: Transaction): boolean {
    if (transaction.state !== "open") return false;
    this.#due.remove(transaction);
    transaction.state = "carrying";
    return true;
  }

  /** The checks of its next copy. */
  nextCheckTimes({ half, unheard }: Transaction): number {
    return half.checkTimes + 1 - Math.min(1, unheard);
  }

  /** The producer was not there after all: the check does not count. */
  unheard(transaction: Transaction): void {
    transaction.unheard++;
  }

  /** Tries again later what is neither finished nor ended meanwhile. */
  postpone(transaction: Transaction, untilMs: number): void {
    const { state } = transaction;
    if (state === "finished" || state === "open") return;
    transaction.state = "open";
    transaction.deadlineMs = untilMs;
    this.#due.add(transaction);
  }

  /** A copy of the half was appended; the place before it is done with, and returned. */
  copied(transaction: Transaction, half: Half): number {
    const { state } = transaction;
    assert(state === "checking" || state === "carrying", "copies are made for checks, or to be carried");
    const before = transaction.half.queueOffset;
    if (state === "checking" && half.checkTimes === transaction.half.checkTimes) transaction.unheard--;
    transaction.half = half;
    transaction.positions.push(half.physicalOffset);
    this.#named.set(half.physicalOffset, { transaction, queueOffset: half.queueOffset });
    this.hold(half.queueOffset);
    this.#stored.set(half.queueOffset, transaction);
    return before;
  }

  /**
   * A copy of an unfinished half lies where nobody has looked before: the later of the two counts, and the place of the
   * other, which is done with, is returned. `undefined`: it is no copy of a half that is unfinished.
   */
  copyFound(copy: Half): number | undefined {
    if (!copy.isCopy) return undefined;
    let transaction: Transaction | undefined;
    // Of several halves of one message, the one that was checked as often before, or else least often since.
    const distance = ({ half }: Transaction): number =>
      half.checkTimes <= copy.checkTimes
        ? copy.checkTimes - half.checkTimes
        : Number.MAX_SAFE_INTEGER / 2 + half.checkTimes;
    for (const { transaction: each } of this.#named.values()) {
      if (each.half.identity !== copy.identity) continue;
      if (transaction === undefined || distance(each) < distance(transaction)) transaction = each;
    }
    if (transaction === undefined) return undefined;
    const { half } = transaction;
    transaction.positions.push(copy.physicalOffset);
    this.#named.set(copy.physicalOffset, { transaction, queueOffset: copy.queueOffset });
    if (half.queueOffset > copy.queueOffset) return copy.queueOffset;
    transaction.half = copy;
    return half.queueOffset;
  }

  /** What an END_TRANSACTION leads to: a commit is `ending` from here on, a rollback is to be finished. */
  end(header: EndTransactionRequestHeader, now: Now): EndDecision {
    const { commitLogOffset, tranStateTableOffset, producerGroup, commitOrRollback, msgId = "" } = header;
    const isCommit = commitOrRollback === MessageSysFlag.TRANSACTION_COMMIT_TYPE;
    if (!isCommit && commitOrRollback !== MessageSysFlag.TRANSACTION_ROLLBACK_TYPE) {
      return refuse(`commitOrRollback is ${commitOrRollback}, neither 8 (commit) nor 12 (rollback)`);
    }
    const named = this.#named.get(commitLogOffset);
    if (named === undefined) {
      return refuse(
        `no unfinished transaction begins at ${commitLogOffset}: it was committed, rolled back or parked, or never was here`,
      );
    }
    const { transaction, queueOffset } = named;
    const { half, state } = transaction;
    if (half.group !== producerGroup) {
      return refuse(
        `the transaction at ${commitLogOffset} is of another producer group than ${producerGroup}`,
      );
    }
    if (queueOffset !== tranStateTableOffset) {
      return refuse(
        `the half at ${commitLogOffset} has queue offset ${queueOffset}, not ${tranStateTableOffset}`,
      );
    }
    if (!isNamedBy(half, msgId) || (msgId === "" && !isNamedBy(half, header.transactionId ?? ""))) {
      return refuse(
        `the half at ${commitLogOffset} is of another message than ${msgId || header.transactionId}`,
      );
    }
    if (state === "stored") return refuse(`the half at ${commitLogOffset} is not durable yet`);
    if (state === "ending") return refuse(`the transaction at ${commitLogOffset} is being committed`);
    const isImmune = half.immunityMs !== undefined && header.fromTransactionCheck !== true;
    if (isImmune && now.wallMs - half.bornTimestamp > half.immunityMs!) {
      return {
        kind: "refuse",
        code: ResponseCode.ILLEGAL_OPERATION,
        remark: `the transaction is older than its ${MESSAGE_IMMUNITY}: it is ended by checks only`,
      };
    }
    this.#due.remove(transaction);
    transaction.state = "ending";
    return { kind: isCommit ? "commit" : "rollback", transaction };
  }

  /** The transaction is over; returns the place that is done with. */
  finish(transaction: Transaction): number {
    assert(transaction.state !== "finished", "a transaction is finished once");
    transaction.state = "finished";
    this.#due.remove(transaction);
    for (const position of transaction.positions) this.#named.delete(position);
    this.#size--;
    this.#count(transaction, -1);
    return transaction.half.queueOffset;
  }

  /** The unfinished transaction whose half, as it is now, lies there. */
  at(position: number): Transaction | undefined {
    const transaction = this.#named.get(position)?.transaction;
    return transaction?.half.physicalOffset === position ? transaction : undefined;
  }

  /** Whether a copy of this half is unfinished. */
  has(identity: string): boolean {
    for (const { transaction } of this.#named.values())
      if (transaction.half.identity === identity) return true;
    return false;
  }

  #enter(transaction: Transaction): void {
    const { physicalOffset, queueOffset } = transaction.half;
    assert(!this.#named.has(physicalOffset), "one half lies at a position");
    this.#named.set(physicalOffset, { transaction, queueOffset });
    this.#size++;
    this.#count(transaction, 1);
  }

  #count({ half }: Transaction, more: number): void {
    const { realTopic } = half;
    this.byTopic.set(realTopic, (this.byTopic.get(realTopic) ?? 0) + more);
  }

  /** From now on it can be ended; its first check comes when its immunity is over. */
  #open(transaction: Transaction, { monotonicMs, wallMs }: Now): void {
    const { half } = transaction;
    const { transactionTimeOut, transactionCheckInterval, keptMs } = this.#options;
    const immunityMs =
      half.checkTimes > 0 ? transactionCheckInterval : (half.immunityMs ?? transactionTimeOut);
    // A wall clock that was set back must not put checks off for longer than the immunity lasts.
    const ageMs = Math.max(0, wallMs - half.storeTimestamp);
    transaction.state = "open";
    // Immune or not, it is parked before retention takes it.
    transaction.deadlineMs = monotonicMs + Math.max(0, Math.min(immunityMs, keptMs) - ageMs);
    this.#due.add(transaction);
  }
}

const MESSAGE_IMMUNITY = "CHECK_IMMUNITY_TIME_IN_SECONDS";

/** Whether `id` may mean the message: it is its unique id, or none, or the id of a place. */
function isNamedBy({ uniqKey, physicalOffset }: Half, id: string): boolean {
  if (id === "" || id === uniqKey) return true;
  const offset = physicalOffset.toString(16).toUpperCase().padStart(16, "0");
  return (id.length === OFFSET_ID_V4 || id.length === OFFSET_ID_V6) && id.toUpperCase().endsWith(offset);
}

const OFFSET_ID_V4 = 32;
const OFFSET_ID_V6 = 56;

function refuse(remark: string): EndDecision {
  return { kind: "refuse", code: ResponseCode.SYSTEM_ERROR, remark };
}
