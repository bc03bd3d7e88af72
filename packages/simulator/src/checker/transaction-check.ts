/**
 * Transactions: a half is seen by nobody before its commit is decided, and never when it is rolled back; what was
 * decided becomes so, once; what nobody decided is parked, once. A transaction has one half (its producer sends none
 * again), so that one copy of its message is all there may be, whatever crashed between commit and op, however often
 * its end was sent. An operator who has a parked half checked again, and has no answer, and asks again, may make a
 * second transaction of it. So may a broker that could not read, at its start, all that tells what has ended.
 */
import type { HistoryEvent } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Transaction {
  readonly sentMs: number;
  /** Where its half was acknowledged, and when. */
  broker: string | undefined;
  acknowledgedMs: number;
  decision: "commit" | "rollback" | undefined;
  /** Places where it was parked. */
  readonly parked: Set<string>;
  /** Of these, what the last reader found. */
  isParked: boolean;
  resumed: number;
}

export class TransactionCheck {
  readonly #report: Report;
  readonly #transactions = new Map<string, Transaction>();
  readonly #doubtful = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  sent({ id, atMs }: Extract<HistoryEvent, { kind: "send" }>): void {
    this.#transactions.set(id, {
      sentMs: atMs,
      broker: undefined,
      acknowledgedMs: 0,
      decision: undefined,
      parked: new Set(),
      isParked: false,
      resumed: 0,
    });
  }

  acknowledged({ id, broker, atMs }: Extract<HistoryEvent, { kind: "half-acknowledged" }>): void {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return;
    transaction.broker = broker;
    transaction.acknowledgedMs = atMs;
  }

  decided({ id, decision }: Extract<HistoryEvent, { kind: "decided" }>): void {
    const transaction = this.#transactions.get(id);
    if (transaction !== undefined) transaction.decision ??= decision;
  }

  seen({ id = "", by, queue, offset, atMs }: Extract<HistoryEvent, { kind: "seen" }>): void {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined || transaction.decision === "commit") return;
    const why = transaction.decision === undefined ? "is not committed" : "is rolled back";
    this.#report("half-invisible", atMs, `${by} saw ${id}, which ${why}, at ${queue} offset ${offset}`);
  }

  parked({ id, broker, copy, isLast }: Extract<HistoryEvent, { kind: "parked" }>): void {
    const transaction = this.#transactions.get(id);
    if (transaction === undefined) return;
    transaction.parked.add(`${broker} ${copy}`);
    if (isLast === true) transaction.isParked = true;
  }

  resumed({ id }: Extract<HistoryEvent, { kind: "resumed" }>): void {
    const transaction = this.#transactions.get(id);
    if (transaction !== undefined) transaction.resumed++;
  }

  endedTwice({ broker, position, atMs }: Extract<HistoryEvent, { kind: "ended-twice" }>): void {
    const what = `the half at ${position} of ${broker}`;
    this.#report("ended-once", atMs, `${what} has ended, and was then ended the other way`);
  }

  doubtful({ broker }: Extract<HistoryEvent, { kind: "transactions-doubtful" }>): void {
    this.#doubtful.add(broker);
  }

  /** `isLost`: the broker may have lost or removed what it had at that time. */
  end(copiesOf: (id: string) => number, isLost: (broker: string, sinceMs: number) => boolean): void {
    for (const [id, transaction] of this.#transactions) {
      const { sentMs, broker, acknowledgedMs, decision, parked, isParked, resumed } = transaction;
      const copies = copiesOf(id);
      // Where its half is, is not known.
      if (broker === undefined || isLost(broker, sentMs)) continue;
      const mayEndAgain = this.#doubtful.has(broker);
      if (!mayEndAgain && copies > Math.max(1, resumed)) {
        this.#report("ended-once", acknowledgedMs, `${id} was committed ${copies} times`);
      }
      if (!mayEndAgain && parked.size > 0 && parked.size + copies > 1 + resumed) {
        const what = `${copies > 0 ? "committed and " : ""}parked ${parked.size} times`;
        this.#report("ended-once", acknowledgedMs, `${id} was ${what}, and resumed ${resumed} times`);
      }
      if (decision === "commit" && copies === 0) {
        this.#report("transaction-kept", acknowledgedMs, `${id} of ${broker} was committed and is nowhere`);
      }
      if (decision === undefined && !isParked) {
        this.#report(
          "transaction-kept",
          acknowledgedMs,
          `${id} of ${broker} was left undecided and is not parked`,
        );
      }
    }
  }
}
